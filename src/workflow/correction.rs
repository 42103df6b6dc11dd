//! A corrected set, judged before it is stored: it must be one set of the same kind, sound by the standard. What only the
//! partner's guide faults is kept, and waits for a person again.

use supercargo_x12::{
    GroupVerdict, IsaHeader, Release, TransactionSet, functional_id_of, read_set_with_limits,
};

use super::{Gateway, notice};
use crate::config::profile::Profile;
use crate::config::profile::acknowledgment::GuideFault;
use crate::domain::finding::Finding;
use crate::domain::ids::PartnerId;
use crate::storage::documents::DocumentRow;
use crate::storage::{Connection, Failure};
use crate::translation::judge::{judge_as, judge_set};
use crate::translation::{reference, syntax};

/// What was found in a correction that may be stored.
#[derive(Debug, Clone)]
pub struct Correction {
    /// Whether it waits for a person again.
    pub held: bool,
    /// Everything found in it.
    pub findings: Vec<Finding>,
    /// What people know it by; empty where it does not say.
    pub reference: String,
}

/// Judges a correction of a held document as its file was judged: by the release of its group, the partner's guide and
/// what its profile tolerates.
///
/// # Errors
/// A refusal with everything that was found, where it is no set, another one than the document's, or faulty by the
/// standard.
pub async fn judge(
    gateway: &Gateway,
    connection: &mut Connection,
    document: &DocumentRow,
    bytes: &[u8],
) -> Result<Correction, Failure> {
    let corrupt = |why: &str| Failure::Corrupt {
        table: "document",
        key: document.id.to_string(),
        why: why.to_owned(),
    };
    let (header, group) = connection
        .sender_of(document.id)
        .await?
        .ok_or_else(|| corrupt("its interchange is not there"))?;
    let header: IsaHeader =
        serde_json::from_str(&header).map_err(|error| corrupt(&error.to_string()))?;
    let group: Option<GroupVerdict> = group
        .map(|group| serde_json::from_str(&group))
        .transpose()
        .map_err(|error| corrupt(&error.to_string()))?;
    let limits = gateway.settings.limits.of_x12();
    let set = read_set_with_limits(bytes, &header.delimiters, 0, limits)
        .map_err(|error| refused(document, &error.to_string()))?;
    one_of_its_kind(document, &set, bytes)?;
    let profile = match document.partner_id {
        Some(partner) => Some(
            gateway
                .trading(connection, PartnerId(partner))
                .await?
                .profile,
        ),
        None => None,
    };
    let profile: Option<&Profile> = profile.as_deref();
    let agreed = || judge_as(profile?, functional_id_of(set.code())?);
    let release = group
        .and_then(|group| Release::of_version(&group.version))
        .or_else(agreed);
    let verdict = judge_set(&set, release, profile, limits);
    let findings: Vec<Finding> = verdict
        .findings
        .iter()
        .map(|found| syntax::finding(found, syntax::severity_of(found)))
        .collect();
    if !verdict.acceptance.is_accepted() {
        return Err(refused(
            document,
            &format!("\n{}", notice::lines(&findings)),
        ));
    }
    let notes_only =
        profile.is_some_and(|profile| profile.acknowledgment.guide_fault == GuideFault::Note);
    Ok(Correction {
        held: verdict.is_held() && !notes_only,
        findings,
        reference: reference::of(&set),
    })
}

/// The text is one set from ST to SE, of the document's kind, and nothing beside it.
fn one_of_its_kind(
    document: &DocumentRow,
    set: &TransactionSet,
    bytes: &[u8],
) -> Result<(), Failure> {
    if set.code() != document.set_code {
        let why = format!(
            "it is a {}, and the document is a {}",
            set.code(),
            document.set_code
        );
        return Err(refused(document, &why));
    }
    let length = usize::try_from(set.header().length).unwrap_or(usize::MAX);
    let behind = bytes.get(length..).unwrap_or_default();
    if behind.trim_ascii().is_empty() {
        return Ok(());
    }
    Err(refused(
        document,
        "something stands behind its SE, and a correction is one set",
    ))
}

fn refused(document: &DocumentRow, why: &str) -> Failure {
    let sentence = format!(
        "the correction of document {} was not stored, and the document stays held: {why}",
        document.id
    );
    Failure::refuse(sentence)
}
