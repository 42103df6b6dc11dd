//! GS1 numbers: the check digit that GTINs and SSCCs share, and the SSCC-18 of a carton's label.

use compact_str::CompactString;

/// Fewest digits of a GS1 company prefix.
pub const COMPANY_PREFIX_MIN: usize = 4;
/// Most digits of a GS1 company prefix.
pub const COMPANY_PREFIX_MAX: usize = 12;
/// Digits of company prefix and serial together in an SSCC.
pub const PREFIX_AND_SERIAL: usize = 16;

/// Why no SSCC could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SsccRefusal {
    /// The extension is one digit.
    #[error("the SSCC's extension digit is {0}; it must be 0 to 9")]
    Extension(u8),
    /// The prefix is no run of 4 to 12 digits.
    #[error(
        "{0:?} is no GS1 company prefix: it has {COMPANY_PREFIX_MIN} to {COMPANY_PREFIX_MAX} digits and nothing else; give the one that GS1 assigned to the company"
    )]
    CompanyPrefix(String),
    /// All serials of this prefix and extension are used up.
    #[error(
        "serial {serial} has more than the {digits} digits that the company prefix leaves; take the next extension digit or another prefix"
    )]
    SerialTooLong {
        /// The serial that was asked for.
        serial: u64,
        /// Digits there is room for.
        digits: usize,
    },
}

/// The check digit over `digits` (without it): weights 3, 1, 3, 1 … from the right, filled up to the next ten
/// (X12-RULES 67). None where there is no digit or something else than digits.
pub fn gs1_check_digit(digits: &str) -> Option<u8> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let sum = digits
        .bytes()
        .rev()
        .enumerate()
        .fold(0_u8, |sum, (position, byte)| {
            let weight = if position.is_multiple_of(2) { 3 } else { 1 };
            (sum + (byte - b'0') * weight) % 10
        });
    Some((10 - sum) % 10)
}

/// Whether the last digit is the check digit of those before it.
fn ends_in_its_check_digit(number: &str) -> bool {
    let Some((digits, last)) = number.split_at_checked(number.len().saturating_sub(1)) else {
        return false;
    };
    gs1_check_digit(digits).is_some_and(|check| last.as_bytes() == [b'0' + check])
}

/// Whether `number` is a GTIN of 8, 12, 13 or 14 digits with the right check digit.
pub fn gtin_is_valid(number: &str) -> bool {
    matches!(number.len(), 8 | 12 | 13 | 14) && ends_in_its_check_digit(number)
}

/// Whether `number` is an SSCC: 18 digits, the last of them right.
pub fn sscc_is_valid(number: &str) -> bool {
    number.len() == 18 && ends_in_its_check_digit(number)
}

/// The serial of an SSCC that is numbered under this extension digit and company prefix; none: others number it.
pub fn sscc_serial(extension: u8, company_prefix: &str, sscc: &str) -> Option<u64> {
    if !sscc_is_valid(sscc) {
        return None;
    }
    let numbered = sscc.strip_prefix(&format!("{extension}{company_prefix}"))?;
    numbered.get(..numbered.len().checked_sub(1)?)?.parse().ok()
}

/// The seventeen digits of an SSCC in front of its check digit, as a number; none: it is no SSCC.
pub fn sscc_body(sscc: &str) -> Option<u64> {
    if !sscc_is_valid(sscc) {
        return None;
    }
    sscc.get(..PREFIX_AND_SERIAL + 1)?.parse().ok()
}

/// The SSCC of these seventeen digits; none where they are more.
pub fn sscc_of_body(body: u64) -> Option<CompactString> {
    let mut sscc = CompactString::with_capacity(PREFIX_AND_SERIAL + 2);
    push_number(&mut sscc, body, PREFIX_AND_SERIAL + 1)?;
    let check = gs1_check_digit(&sscc)?;
    sscc.push(char::from(b'0' + check));
    Some(sscc)
}

/// Writes a number with zeros before it, so many digits in all; none where it has more.
fn push_number(text: &mut CompactString, number: u64, digits: usize) -> Option<()> {
    let mut buffer = itoa::Buffer::new();
    let number = buffer.format(number);
    let zeros = digits.checked_sub(number.len())?;
    text.extend(std::iter::repeat_n('0', zeros));
    text.push_str(number);
    Some(())
}

/// The SSCC-18: extension, company prefix, serial padded to 16 digits together with the prefix, check digit.
///
/// The caller hands each serial out once; GS1 wants none again within twelve months.
pub fn sscc18(
    extension: u8,
    company_prefix: &str,
    serial: u64,
) -> Result<CompactString, SsccRefusal> {
    if extension > 9 {
        return Err(SsccRefusal::Extension(extension));
    }
    let length = company_prefix.len();
    if !(COMPANY_PREFIX_MIN..=COMPANY_PREFIX_MAX).contains(&length)
        || !company_prefix.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(SsccRefusal::CompanyPrefix(company_prefix.to_owned()));
    }
    let digits = PREFIX_AND_SERIAL - length;
    let mut sscc = CompactString::with_capacity(PREFIX_AND_SERIAL + 2);
    sscc.push(char::from(b'0' + extension));
    sscc.push_str(company_prefix);
    push_number(&mut sscc, serial, digits).ok_or(SsccRefusal::SerialTooLong { serial, digits })?;
    let check = gs1_check_digit(&sscc)
        .ok_or_else(|| SsccRefusal::CompanyPrefix(company_prefix.to_owned()))?;
    sscc.push(char::from(b'0' + check));
    Ok(sscc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_067_check_digits() {
        let table = [
            ("00614141123456789", Some(0)),
            ("10614141000000001", Some(9)),
            ("34012345123456789", Some(5)),
            ("00000000000000000", Some(0)),
            ("99999999999999999", Some(5)),
            ("03600029145", Some(2)),
            ("", None),
            ("12A", None),
        ];
        for (digits, check) in table {
            assert_eq!(gs1_check_digit(digits), check, "{digits}");
        }
    }

    #[test]
    fn an_sscc_has_eighteen_digits_whatever_the_prefix() {
        let table = [
            (0, "0614141", 123_456_789, Ok("006141411234567890")),
            (1, "0614141", 1, Ok("106141410000000019")),
            (3, "4012345", 123_456_789, Ok("340123451234567895")),
            (0, "123456789012", 9999, Ok("012345678901299996")),
            (10, "0614141", 1, Err(SsccRefusal::Extension(10))),
            (0, "061", 1, Err(SsccRefusal::CompanyPrefix("061".into()))),
            (
                0,
                "06141A1",
                1,
                Err(SsccRefusal::CompanyPrefix("06141A1".into())),
            ),
            (
                0,
                "123456789012",
                10_000,
                Err(SsccRefusal::SerialTooLong {
                    serial: 10_000,
                    digits: 4,
                }),
            ),
        ];
        for (extension, prefix, serial, wanted) in table {
            let made = sscc18(extension, prefix, serial);
            assert_eq!(
                made,
                wanted.map(CompactString::from),
                "{extension} {prefix} {serial}"
            );
            if let Ok(sscc) = made {
                assert!(sscc_is_valid(&sscc), "{sscc}");
            }
        }
    }

    #[test]
    fn gtins_and_ssccs_with_a_wrong_digit_are_told() {
        for (number, valid) in [
            ("036000291452", true),
            ("036000291453", false),
            ("4006381333931", true),
            ("10036000291459", true),
            ("03600029145", false),
            ("03600029145X", false),
            ("", false),
            ("0360002914é", false),
        ] {
            assert_eq!(gtin_is_valid(number), valid, "{number}");
        }
        assert!(sscc_is_valid("006141411234567890"));
        assert!(!sscc_is_valid("006141411234567891"));
        assert!(!sscc_is_valid("00006141411234567890"));
    }
}
