//! Whom an acknowledgment goes to, and from whom: the addresses of what it answers, swapped.

use crate::delimiters::Delimiters;
use crate::header::IsaHeader;
use crate::text::show;
use crate::verdict::GroupVerdict;
use crate::writer::{Address, is_address, is_application_code, is_qualifier};

/// Why something cannot be answered: an address that it came with cannot be written back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{element} is {}: {reason}", show(.value))]
pub struct Unanswerable {
    /// The element as it was received, such as `GS03`.
    pub element: &'static str,
    /// What stood there.
    pub value: String,
    /// Why an answer cannot say it.
    pub reason: &'static str,
}

/// Sender and receiver (ISA05 to ISA08) of whatever answers an interchange: its receiver and its
/// sender, to be written with these separators.
///
/// # Errors
/// Where one of the four cannot be written again.
pub fn answer_addresses(
    isa: &IsaHeader,
    delimiters: &Delimiters,
) -> Result<(Address, Address), Unanswerable> {
    let address = |elements: [&'static str; 2], qualifier: &str, id: &str| {
        let unanswerable = |element, value: &str, reason| Unanswerable {
            element,
            value: value.to_owned(),
            reason,
        };
        let id = id.trim();
        if !is_qualifier(qualifier) {
            let reason = "a qualifier has two letters or digits";
            Err(unanswerable(elements[0], qualifier, reason))
        } else if !is_address(id, delimiters) {
            let reason =
                "an address has 1 to 15 characters, none of them a separator of the answer";
            Err(unanswerable(elements[1], id, reason))
        } else {
            Ok(Address {
                qualifier: qualifier.to_owned(),
                id: id.to_owned(),
            })
        }
    };
    let sender = address(["ISA07", "ISA08"], &isa.receiver_qualifier, &isa.receiver)?;
    let receiver = address(["ISA05", "ISA06"], &isa.sender_qualifier, &isa.sender)?;
    Ok((sender, receiver))
}

/// Sender's and receiver's code (GS02 and GS03) of the group that answers a group: the received GS03
/// and GS02. One that is blank, or cannot be written again, gives way to the address in the ISA.
///
/// # Errors
/// Where that address cannot stand there either.
pub fn answer_codes(
    isa: &IsaHeader,
    group: &GroupVerdict,
    delimiters: &Delimiters,
) -> Result<(String, String), Unanswerable> {
    let code = |element: &'static str, code: &str, address: &str| {
        [code.trim(), address.trim()]
            .into_iter()
            .find(|code| is_application_code(code, delimiters))
            .map(str::to_owned)
            .ok_or_else(|| Unanswerable {
                element,
                value: code.to_owned(),
                reason: "a code has 2 to 15 characters, none of them a separator of the answer, and the address in the ISA cannot stand in its place",
            })
    };
    let sender = code("GS03", &group.receiver, &isa.receiver)?;
    let receiver = code("GS02", &group.sender, &isa.sender)?;
    Ok((sender, receiver))
}
