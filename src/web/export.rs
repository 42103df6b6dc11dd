//! Lists as CSV files that a spreadsheet opens without taking a partner's text for a formula.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::trouble::Trouble;

/// Rows of an export at most.
pub(crate) const ROWS_MAX: i64 = 10_000;

/// A field as it may stand in a file that a spreadsheet will open: what a program would run as a formula begins with an
/// apostrophe instead, and line breaks and hidden characters are gone.
pub(crate) fn harmless(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|letter| {
            if matches!(letter, '\n' | '\r' | '\t') {
                ' '
            } else {
                letter
            }
        })
        .filter(|letter| !super::text::is_hidden(*letter))
        .collect();
    let begins = clean.trim_start().chars().next();
    let is_number = clean.parse::<rust_decimal::Decimal>().is_ok();
    if matches!(
        begins,
        Some('=' | '+' | '-' | '@' | '|' | '%' | '＝' | '＋' | '－' | '＠')
    ) && !is_number
    {
        format!("'{clean}")
    } else {
        clean
    }
}

/// A file of rows under a heading.
pub(crate) fn csv(
    name: &str,
    heading: &[&str],
    rows: Vec<Vec<String>>,
) -> Result<Response, Trouble> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed =
        |error: csv::Error| Trouble::Broken(format!("a CSV file could not be written: {error}"));
    writer.write_record(heading).map_err(failed)?;
    for row in rows {
        writer
            .write_record(row.iter().map(|field| harmless(field)))
            .map_err(failed)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| Trouble::Broken(format!("a CSV file could not be written: {error}")))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.csv\""),
        ),
    ];
    Ok((headers, bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula() {
        for (text, field) in [
            ("PO-1001", "PO-1001"),
            ("-12.50", "-12.50"),
            (
                "=HYPERLINK(\"http://evil\")",
                "'=HYPERLINK(\"http://evil\")",
            ),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            (" =1", "' =1"),
            ("\t=1", "' =1"),
            ("\u{feff}=1", "'=1"),
            ("two\nlines", "two lines"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), field);
        }
    }
}
