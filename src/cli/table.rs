//! Tables for people. On a terminal at most 100 columns wide, texts that are too long cut with an ellipsis, figures never;
//! into a file or a pipe as wide as they are. Hostile text made harmless.

use std::io::IsTerminal;

/// Columns of the screen that a table may take.
const WIDTH_MAX: usize = 100;
/// Blanks between two columns.
const GAP: usize = 2;
/// Blanks before what stands below a row.
const INDENT: usize = 4;
/// A column is not cut below this.
const COLUMN_MIN: usize = 6;

/// A table on its way to the screen.
pub struct Table {
    titles: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// What stands below each row, whole; empty: nothing.
    notes: Vec<String>,
    /// Columns of the screen that it may take; none: nobody looks at a screen, and all of it is written.
    width: Option<usize>,
}

impl Table {
    /// A table with these titles; a column whose title begins with `>` stands to the right.
    pub fn new(titles: &[&'static str]) -> Self {
        Self {
            titles: titles.to_vec(),
            rows: Vec::new(),
            notes: Vec::new(),
            width: std::io::stdout().is_terminal().then_some(WIDTH_MAX),
        }
    }

    /// Adds a row, one cell a column.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows
            .push(cells.iter().map(|cell| harmless(cell)).collect());
        self.notes.push(String::new());
    }

    /// Puts a text below the last row, whole however long it is: wrapped, each of its own lines apart.
    pub fn note(&mut self, text: &str) {
        let lines: Vec<String> = text
            .lines()
            .flat_map(|line| match self.width {
                Some(width) => wrap(&harmless(line), width.saturating_sub(INDENT)),
                None => vec![harmless(line)],
            })
            .map(|line| format!("{}{line}\n", " ".repeat(INDENT)))
            .collect();
        if let Some(last) = self.notes.last_mut() {
            *last = lines.concat();
        }
    }

    /// The table as text, each line ended.
    pub fn render(&self) -> String {
        let widths = self.widths();
        let titles: Vec<String> = self
            .titles
            .iter()
            .map(|title| title.trim_start_matches('>').to_owned())
            .collect();
        let mut text = String::new();
        let none = String::new();
        let notes = std::iter::once(&none).chain(&self.notes);
        for (cells, note) in std::iter::once(&titles).chain(&self.rows).zip(notes) {
            let mut line = String::new();
            for ((cell, width), title) in cells.iter().zip(&widths).zip(&self.titles) {
                let shown = cut(cell, *width);
                let pad = " ".repeat(width.saturating_sub(shown.chars().count()));
                if !line.is_empty() {
                    line.push_str(&" ".repeat(GAP));
                }
                if title.starts_with('>') {
                    line.push_str(&pad);
                    line.push_str(&shown);
                } else {
                    line.push_str(&shown);
                    line.push_str(&pad);
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
            text.push_str(note);
        }
        text
    }

    /// As wide as the widest cell; where that is too much, the widest columns of text give way. Figures do not: a number
    /// without its last digits is another number.
    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self
            .titles
            .iter()
            .map(|title| title.trim_start_matches('>').chars().count())
            .collect();
        for cells in &self.rows {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let Some(width) = self.width else {
            return widths;
        };
        let room = width.saturating_sub(GAP * self.titles.len().saturating_sub(1));
        while widths.iter().sum::<usize>() > room {
            let texts = widths
                .iter_mut()
                .zip(&self.titles)
                .filter(|(_, title)| !title.starts_with('>'))
                .map(|(width, _)| width);
            match texts.max() {
                Some(widest) if *widest > COLUMN_MIN => *widest -= 1,
                _ => break,
            }
        }
        widths
    }
}

/// Text in lines of at most `width` characters, broken at blanks where there are any.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let taken = line.chars().count();
            let gap = usize::from(taken > 0);
            if taken + gap + word.len() <= width {
                if gap > 0 {
                    line.push(' ');
                }
                line.extend(word);
                break;
            }
            if taken > 0 {
                lines.push(std::mem::take(&mut line));
                continue;
            }
            let rest = word.split_off(width);
            lines.push(word.into_iter().collect());
            word = rest;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

fn cut(cell: &str, width: usize) -> String {
    if cell.chars().count() <= width {
        return cell.to_owned();
    }
    let mut shown: String = cell.chars().take(width.saturating_sub(1)).collect();
    shown.push('…');
    shown
}

/// Text from outside as it may stand on a terminal: control characters, which could move the cursor or colour what
/// follows, and marks that turn the direction of writing are shown as `·`.
pub fn harmless(text: &str) -> String {
    text.chars().map(harmless_letter).collect()
}

/// A letter as [`harmless`] shows it.
pub fn harmless_letter(letter: char) -> char {
    let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if letter.is_control() || turns {
        '·'
    } else {
        letter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table for a terminal.
    fn on_screen(titles: &[&'static str]) -> Table {
        Table {
            width: Some(WIDTH_MAX),
            ..Table::new(titles)
        }
    }

    #[test]
    fn into_a_file_nothing_is_cut_or_wrapped() {
        let mut table = Table {
            width: None,
            ..Table::new(&["ID", "MESSAGE", "STATUS"])
        };
        let (long, note) = ("x".repeat(300), "a reason ".repeat(30));
        table.row(vec!["1".into(), long.clone(), "held".into()]);
        table.note(&note);
        let text = table.render();
        assert!(text.contains(&format!("{long}  held\n")), "{text}");
        assert!(text.contains(&note), "{text}");
    }

    #[test]
    fn columns_line_up_and_numbers_stand_right() {
        let mut table = Table::new(&["ORDER", ">VALUE"]);
        table.row(vec!["1".into(), "1000.00".into()]);
        table.row(vec!["12".into(), "5.00".into()]);
        assert_eq!(
            table.render(),
            "ORDER    VALUE\n1      1000.00\n12        5.00\n"
        );
    }

    #[test]
    fn what_stands_below_a_row_is_whole() {
        let mut table = on_screen(&["ALERT", "KIND"]);
        table.row(vec!["1".into(), "held".into()]);
        let words = "a reason that is long ".repeat(20);
        table.note(&format!("{words}\n- and {}", "x".repeat(250)));
        let text = table.render();
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH_MAX));
        assert_eq!(text.matches("reason").count(), 20);
        assert_eq!(text.matches('x').count(), 250);
        assert!(text.contains("\n    - and"), "{text}");
    }

    #[test]
    fn the_widest_column_gives_way() {
        let mut table = on_screen(&["ID", "MESSAGE", "STATUS"]);
        table.row(vec!["1".into(), "x".repeat(300), "held".into()]);
        let text = table.render();
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH_MAX));
        assert!(text.contains("x…  held"));
    }

    #[test]
    fn figures_are_never_cut() {
        let mut table = on_screen(&["NAME", ">AMOUNT", ">OPEN"]);
        let figure = "9".repeat(60);
        table.row(vec!["x".repeat(30), figure.clone(), figure.clone()]);
        let text = table.render();
        assert_eq!(text.matches(&figure).count(), 2, "{text}");
        assert!(text.contains("xxxxx…"), "{text}");
    }

    #[test]
    fn hostile_text_stays_text() {
        assert_eq!(harmless("a\u{1b}[31mb\nc\u{202e}d"), "a·[31mb·c·d");
    }
}
