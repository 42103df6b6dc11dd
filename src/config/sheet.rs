//! A CSV file as rows of cells: the heading understood, every cell read into its type, every fault with its line.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::reading::{self, Fault};
use crate::domain::catalogue::FulfilmentMode;
use crate::domain::money::Currency;
use crate::domain::order::Mode;

/// Most rows of one list.
pub const ROWS_MAX: usize = 1_000_000;

/// Most faults that are listed one by one.
pub const FAULTS_MAX: usize = 1_000;

/// Longest cell that is taken, characters.
const CELL_CHARS_MAX: usize = 200;

/// A row with the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// Line in the file, from 1; the heading is line 1.
    pub line: usize,
    /// The row.
    pub row: T,
}

/// A list as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListReading<T> {
    /// Rows without fault, in the file's order.
    pub rows: Vec<Listed<T>>,
    /// Rows with faults, as far as they could be read: what they name can be looked up all the same, so that every fault
    /// is told at once. At most as many as faults are listed.
    pub faulty: Vec<Listed<T>>,
    /// What is wrong with the others.
    pub faults: Vec<Fault>,
}

/// Most base units that are believed to be in one case or one other unit.
pub(super) const PACK_MAX: i64 = 1_000_000;

/// Most that one unit of an item is believed to cost, in major units.
pub(super) const PRICE_MAX: i64 = 1_000_000_000;

/// Longest code of a warehouse, characters.
const CODE_MAX: usize = 30;

/// A CSV file with its heading understood.
pub(super) struct Sheet<'b> {
    reader: csv::Reader<&'b [u8]>,
    columns: BTreeMap<&'static str, usize>,
    width: usize,
    /// Line of a quotation mark that is opened and never closed.
    unclosed: Option<usize>,
    faults: Vec<Fault>,
}

impl<'b> Sheet<'b> {
    /// Reads the heading. Columns may stand in any order, in any case, with blanks for underscores; a byte order mark
    /// is passed over; semicolons and tabs separate as well as commas.
    pub(super) fn open(bytes: &'b [u8], known: &'static [&'static str], required: &[&str]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let heading = bytes
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let separator = [b',', b';', b'\t']
            .into_iter()
            .max_by_key(|separator| heading.iter().filter(|byte| *byte == separator).count())
            .filter(|separator| heading.contains(separator))
            .unwrap_or(b',');
        let reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes);
        let mut sheet = Self {
            reader,
            columns: BTreeMap::new(),
            width: 0,
            unclosed: unclosed_quotation(bytes, separator),
            faults: Vec::new(),
        };
        sheet.read_heading(known, required);
        sheet
    }

    fn read_heading(&mut self, known: &'static [&'static str], required: &[&str]) {
        let mut record = csv::ByteRecord::new();
        let list = known.join(", ");
        match self.reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => {
                self.fault(
                    1,
                    "",
                    "the file is empty",
                    format!("The first line names the columns: {list}"),
                );
                return;
            }
            Err(error) => {
                self.fault(1, "", format!("this is no CSV file: {error}"), "");
                return;
            }
        }
        self.width = record.len();
        for (index, cell) in record.iter().enumerate() {
            let name = String::from_utf8_lossy(cell)
                .trim()
                .to_lowercase()
                .replace([' ', '-'], "_");
            let name = if name == "postal_code" {
                "zip".to_owned()
            } else {
                name
            };
            match known.iter().find(|known| **known == name) {
                Some(column) => {
                    if self.columns.insert(*column, index).is_some() {
                        self.fault(1, column, "the column stands there twice", "Take one out");
                    }
                }
                None => {
                    let names: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
                    let instead = reading::advise(&name, &names, "The columns are");
                    self.fault(1, &name, "there is no such column", instead);
                }
            }
        }
        for name in required {
            if !self.columns.contains_key(*name)
                && !self.faults.iter().any(|fault| fault.key == *name)
            {
                self.fault(
                    1,
                    name,
                    "the column is missing",
                    format!("The first line names the columns: {list}"),
                );
            }
        }
    }

    pub(super) fn opened(&self) -> bool {
        self.faults.is_empty()
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    pub(super) fn fault(
        &mut self,
        line: usize,
        column: &str,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault {
                line,
                key: column.to_owned(),
                what: what.into(),
                instead: instead.into(),
            });
        }
    }

    pub(super) fn nothing<T>(self) -> ListReading<T> {
        ListReading {
            rows: Vec::new(),
            faulty: Vec::new(),
            faults: self.faults,
        }
    }

    /// Reads the rows, unless the heading has faults. `identity` tells rows apart: a second of the same is refused.
    pub(super) fn read<T>(
        mut self,
        row: impl Fn(&mut Cells<'_>) -> T,
        identity: impl Fn(&T) -> String,
    ) -> ListReading<T> {
        if !self.opened() {
            return self.nothing();
        }
        let mut rows: Vec<Listed<T>> = Vec::new();
        let mut faulty: Vec<Listed<T>> = Vec::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut record = csv::ByteRecord::new();
        let mut last = 0;
        loop {
            let line = usize::try_from(self.reader.position().line()).unwrap_or(usize::MAX);
            match self.reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.fault(line, "", format!("the line can not be read: {error}"), "");
                    break;
                }
            }
            let line = record.position().map_or(line, |position| {
                usize::try_from(position.line()).unwrap_or(usize::MAX)
            });
            last = line;
            if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            if rows.len() >= ROWS_MAX {
                self.fault(
                    line,
                    "",
                    format!("the list has more than {ROWS_MAX} rows"),
                    "Split it",
                );
                break;
            }
            let mut cells = Cells {
                record: &record,
                columns: &self.columns,
                line,
                faults: Vec::new(),
            };
            cells.check_width(self.width);
            let read = row(&mut cells);
            let faults = cells.faults;
            if !faults.is_empty() {
                let room = FAULTS_MAX.saturating_sub(self.faults.len());
                self.faults.extend(faults.into_iter().take(room));
                if faulty.len() < FAULTS_MAX {
                    faulty.push(Listed { line, row: read });
                }
                continue;
            }
            if let Some(first) = seen.get(&identity(&read)) {
                let what = format!("the row repeats line {first}");
                self.fault(line, "", what, "Keep one of them");
                continue;
            }
            seen.insert(identity(&read), line);
            rows.push(Listed { line, row: read });
        }
        if let Some(line) = self.unclosed {
            // The row that it stands in is the last, for it swallows all behind it.
            rows.retain(|listed| listed.line != last);
            self.fault(
                line,
                "",
                "a quotation mark is opened on this line and never closed, so that all behind it is one cell",
                "Close it; a quotation mark inside a cell is written twice",
            );
        }
        ListReading {
            rows,
            faulty,
            faults: self.faults,
        }
    }
}

/// The cells of one row, by column.
pub(super) struct Cells<'r> {
    record: &'r csv::ByteRecord,
    columns: &'r BTreeMap<&'static str, usize>,
    line: usize,
    faults: Vec<Fault>,
}

impl Cells<'_> {
    pub(super) fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    pub(super) fn fault(
        &mut self,
        column: &str,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) {
        self.faults.push(Fault {
            line: self.line,
            key: column.to_owned(),
            what: what.into(),
            instead: instead.into(),
        });
    }

    pub(super) fn missing<T>(&mut self, column: &str, stand_in: T) -> T {
        if !self.faults.iter().any(|fault| fault.key == column) {
            self.fault(column, "the cell is empty", "Fill it in");
        }
        stand_in
    }

    fn check_width(&mut self, width: usize) {
        let cells = self.record.len();
        if cells > width {
            self.fault(
                "",
                format!("the row has {cells} cells and the heading {width}"),
                "Put a text that holds a comma into quotes: \"Acme, Inc.\"",
            );
        }
    }

    /// The cell without blanks around it; empty where the column or cell is missing.
    pub(super) fn text(&mut self, column: &str) -> String {
        let cell = self
            .columns
            .get(column)
            .and_then(|index| self.record.get(*index))
            .unwrap_or_default();
        let Ok(text) = std::str::from_utf8(cell) else {
            self.fault(
                column,
                "the text is not in UTF-8",
                "Save the file as \"CSV UTF-8\"",
            );
            return String::new();
        };
        let text = text.trim();
        if text.chars().count() > CELL_CHARS_MAX || text.chars().any(char::is_control) {
            self.fault(
                column,
                format!("the text has more than {CELL_CHARS_MAX} characters, or line ends in it"),
                "Shorten it; if a quotation mark was left open above, close it",
            );
            return String::new();
        }
        text.to_owned()
    }

    pub(super) fn required(&mut self, column: &str) -> String {
        let text = self.text(column);
        if text.is_empty() {
            return self.missing(column, text);
        }
        text
    }

    pub(super) fn decimal(&mut self, column: &str) -> Option<Decimal> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
        match Decimal::from_str(&text) {
            Ok(number) if plain => Some(number),
            _ => {
                self.fault(
                    column,
                    format!("{text:?} is no number"),
                    "Write digits and a decimal point, such as 1299.50: no thousands separator, no currency sign",
                );
                None
            }
        }
    }

    pub(super) fn not_below_zero(&mut self, column: &str) -> Option<Decimal> {
        let number = self.decimal(column)?;
        if number.is_sign_negative() && !number.is_zero() {
            self.fault(column, format!("{number} is below zero"), "Write 0 or more");
            return None;
        }
        Some(number)
    }

    pub(super) fn above_zero(&mut self, column: &str) -> Option<Decimal> {
        let number = self.decimal(column)?;
        if number <= Decimal::ZERO {
            self.fault(
                column,
                format!("{number} is not above zero"),
                "Write how many base units are in one, or leave it empty",
            );
            return None;
        }
        Some(number)
    }

    /// A number of zero or more that is not so large that it can only be a slip.
    pub(super) fn not_below_zero_up_to(&mut self, column: &str, most: i64) -> Option<Decimal> {
        let number = self.not_below_zero(column)?;
        self.up_to(column, number, most)
    }

    /// A number above zero that is not so large that it can only be a slip.
    pub(super) fn above_zero_up_to(&mut self, column: &str, most: i64) -> Option<Decimal> {
        let number = self.above_zero(column)?;
        self.up_to(column, number, most)
    }

    fn up_to(&mut self, column: &str, number: Decimal, most: i64) -> Option<Decimal> {
        if number <= Decimal::from(most) {
            return Some(number);
        }
        self.fault(
            column,
            format!("{number} is more than {most}, which nobody means"),
            "Look at the digits and the decimal point",
        );
        None
    }

    /// A code of ours, which names a folder and stands in addresses of pages.
    pub(super) fn plain_code(&mut self, column: &str) -> String {
        let text = self.required(column);
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !text.is_empty() && (!plain || text.starts_with('.') || text.len() > CODE_MAX) {
            self.fault(
                column,
                format!("{text:?} is no code"),
                format!("Write letters, digits, - _ and ., at most {CODE_MAX}, with no . at the beginning"),
            );
        }
        text
    }

    pub(super) fn quantity(&mut self, column: &str) -> Decimal {
        let Some(number) = self.not_below_zero(column) else {
            return self.missing(column, Decimal::ZERO);
        };
        if crate::domain::stock::to_stored(number).is_none() {
            self.fault(
                column,
                format!("{number} has more than four decimals, or is too large to count"),
                "Write at most four decimals",
            );
        }
        number
    }

    pub(super) fn whole(&mut self, column: &str) -> i64 {
        let text = self.text(column);
        if text.is_empty() {
            return 0;
        }
        match text.parse::<i64>() {
            Ok(number) if number >= 0 => number,
            _ => {
                self.fault(
                    column,
                    format!("{text:?} is no whole number of zero or more"),
                    "Write digits only",
                );
                0
            }
        }
    }

    pub(super) fn gtin(&mut self, column: &str) -> String {
        let text = self.text(column);
        if text.is_empty() {
            return text;
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) || ![8, 12, 13, 14].contains(&text.len())
        {
            self.fault(
                column,
                format!("{text:?} is no UPC, EAN or GTIN"),
                "Write its 8, 12, 13 or 14 digits; spreadsheets drop leading zeros and write 6.1E+11, so format the column as text",
            );
            return String::new();
        }
        let (body, check) = text.split_at(text.len() - 1);
        let right = gtin_check_digit(body);
        if check != right.to_string() {
            self.fault(
                column,
                format!(
                    "{text} has the check digit {check}, and {right} belongs to its other digits"
                ),
                "Look at the label: one digit is wrong",
            );
            return String::new();
        }
        text
    }

    pub(super) fn unit(&mut self, column: &str, default: &str) -> String {
        let text = self.text(column).to_uppercase();
        if text.is_empty() {
            return default.to_owned();
        }
        if !is_unit(&text) {
            self.fault(
                column,
                format!("{text:?} is no unit of measure"),
                "Write its X12 code: EA each, CA case, PL pallet, LB pound",
            );
            return String::new();
        }
        text
    }

    /// Further units; `base` is the one that stock is counted in.
    pub(super) fn units(&mut self, column: &str, base: &str) -> BTreeMap<String, Decimal> {
        let text = self.text(column).to_uppercase();
        let mut units = BTreeMap::new();
        for pair in text.split([' ', ';', '|']).filter(|pair| !pair.is_empty()) {
            let factor = pair
                .split_once('=')
                .filter(|(unit, _)| is_unit(unit))
                .and_then(|(unit, factor)| Some((unit, Decimal::from_str(factor).ok()?)))
                .filter(|(_, factor)| {
                    *factor > Decimal::ZERO && *factor <= Decimal::from(PACK_MAX)
                });
            match factor {
                Some((unit, _)) if unit == base => self.fault(
                    column,
                    format!("{pair:?} converts the unit that the item is counted in"),
                    "Take it out: one of them is one",
                ),
                Some((unit, factor)) => {
                    units.insert(unit.to_owned(), factor);
                }
                None => self.fault(
                    column,
                    format!("{pair:?} is no conversion"),
                    "Write units with what one holds in base units: PL=960 BX=6",
                ),
            }
        }
        units
    }

    pub(super) fn date(&mut self, column: &str) -> Option<NaiveDate> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        let date = ["%Y-%m-%d", "%Y%m%d"]
            .iter()
            .find_map(|format| NaiveDate::parse_from_str(&text, format).ok());
        if date.is_none() {
            self.fault(
                column,
                format!("{text:?} is no date"),
                "Write year, month and day: 2026-03-31",
            );
        }
        date
    }

    pub(super) fn short_name(&mut self, column: &str) -> String {
        let text = self.text(column);
        if !text.is_empty() && !reading::is_short_name(&text) {
            self.fault(
                column,
                format!("{text:?} is no partner's short name"),
                "Write `partner` of its profile, or leave it empty for everybody",
            );
        }
        text
    }

    pub(super) fn currency(&mut self, column: &str) -> Option<Currency> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        match text.parse() {
            Ok(currency) if Currency::is_of_trade(&currency) => Some(currency),
            _ => {
                self.fault(
                    column,
                    format!("{text:?} is no currency"),
                    "Write the three capital letters of ISO 4217, such as USD",
                );
                None
            }
        }
    }

    pub(super) fn country(&mut self, column: &str) -> String {
        let text = self.text(column).to_uppercase();
        if !text.is_empty()
            && (text.len() != 2 || !text.bytes().all(|byte| byte.is_ascii_uppercase()))
        {
            self.fault(
                column,
                format!("{text:?} is no country code"),
                "Write two letters, such as US",
            );
        }
        text
    }

    pub(super) fn scac(&mut self, column: &str) -> String {
        let text = self.text(column).to_uppercase();
        let fits =
            (2..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !text.is_empty() && !fits {
            self.fault(
                column,
                format!("{text:?} is no carrier code"),
                "Write the carrier's SCAC, two to four letters",
            );
        }
        text
    }

    pub(super) fn zone(&mut self, column: &str) -> Tz {
        let text = self.text(column);
        if text.is_empty() {
            return Tz::America__New_York;
        }
        text.parse().unwrap_or_else(|_| {
            self.fault(
                column,
                format!("{text:?} is no time zone"),
                "Write its IANA name, such as America/Chicago",
            );
            Tz::UTC
        })
    }

    pub(super) fn fulfilment(&mut self, column: &str) -> FulfilmentMode {
        let text = self.text(column);
        if text.is_empty() {
            return FulfilmentMode::Person;
        }
        text.parse().unwrap_or_else(|_| {
            self.fault(
                column,
                format!("{text:?} is no way to confirm shipments"),
                "Write person, file or at_once",
            );
            FulfilmentMode::Person
        })
    }

    pub(super) fn mode(&mut self, column: &str) -> Mode {
        let text = self.text(column);
        if text.is_empty() {
            return Mode::Production;
        }
        text.parse().unwrap_or_else(|_| {
            self.fault(
                column,
                format!("{text:?} is no mode"),
                "Write production or test",
            );
            Mode::Production
        })
    }

    pub(super) fn yes(&mut self, column: &str) -> bool {
        let text = self.text(column).to_lowercase();
        match text.as_str() {
            "yes" | "true" | "1" | "x" | "y" => true,
            "" | "no" | "false" | "0" | "n" => false,
            _ => {
                self.fault(
                    column,
                    format!("{text:?} is neither yes nor no"),
                    "Write yes or no",
                );
                false
            }
        }
    }
}

/// The line of a quotation mark that is opened and never closed: one at the beginning of a cell opens, inside of it two
/// stand for one.
fn unclosed_quotation(bytes: &[u8], separator: u8) -> Option<usize> {
    let (mut line, mut opened, mut cell_begins) = (1, None, true);
    let mut bytes = bytes.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        line += usize::from(byte == b'\n');
        if opened.is_some() {
            if byte == b'"' && bytes.next_if_eq(&b'"').is_none() {
                opened = None;
            }
        } else if byte == b'"' && cell_begins {
            opened = Some(line);
        }
        cell_begins = byte == separator || byte == b'\n' || byte == b'\r';
    }
    opened
}

fn is_unit(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Check digit of a GTIN whose other digits are `body`: weights 3, 1, 3 … from the right (X12-RULES 49).
fn gtin_check_digit(body: &str) -> u32 {
    let sum: u32 = body
        .bytes()
        .rev()
        .zip([3, 1].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit.wrapping_sub(b'0')) * weight)
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_049_check_digits() {
        for (body, digit) in [
            ("61414100000", 5),
            ("03600029145", 2),
            ("400638133393", 1),
            ("1061414100000", 2),
        ] {
            assert_eq!(gtin_check_digit(body), digit, "{body}");
        }
    }
}
