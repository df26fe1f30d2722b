//! Rows for a person: columns beside each other, as wide as the terminal.
//!
//! Invariant: no value reaches the terminal as a control character.
//!
//! The first rows are held back until it is known how wide the columns are; those behind them are
//! printed at once and take more room where they need it.

use std::fmt::Write as _;

/// Rows that decide about the widths.
const HELD: usize = 500;

/// What stands for a value that is not there.
const ABSENT: &str = "-";

/// What stands at the end of a value that was cut.
const CUT: char = '…';

/// A table that is being printed.
pub(super) struct Table {
    names: Vec<String>,
    /// Columns of the terminal; without one nothing is cut.
    room: Option<usize>,
    held: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
}

impl Table {
    pub(super) fn new(names: Vec<String>, is_terminal: bool) -> Self {
        let room = is_terminal.then(|| {
            let size = rustix::termios::tcgetwinsize(std::io::stdout());
            size.map_or(80, |size| usize::from(size.ws_col).max(40))
        });
        Self { names, room, held: Vec::new(), widths: None }
    }

    pub(super) fn push(&mut self, row: Vec<Option<String>>, to: &mut Vec<u8>) {
        let row = row.into_iter().map(|cell| match cell {
            Some(cell) => clean(&shorter(&cell)),
            None => ABSENT.to_owned(),
        });
        let row: Vec<String> = row.collect();
        match &self.widths {
            Some(widths) => self.print(&row, widths, to),
            None => {
                self.held.push(row);
                if self.held.len() >= HELD {
                    self.finish(to);
                }
            }
        }
    }

    /// Prints what is held back.
    pub(super) fn finish(&mut self, to: &mut Vec<u8>) {
        if self.widths.is_some() {
            return;
        }
        let heading: Vec<String> = self.names.iter().map(|name| name.to_uppercase()).collect();
        let rows = std::mem::take(&mut self.held);
        let mut widths: Vec<usize> = heading.iter().map(|name| name.chars().count()).collect();
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        self.fit(&mut widths);
        for row in std::iter::once(&heading).chain(&rows) {
            self.print(row, &widths, to);
        }
        self.widths = Some(widths);
    }

    /// Takes room from the widest columns until all of them fit.
    fn fit(&self, widths: &mut [usize]) {
        let Some(room) = self.room else { return };
        let between = 2 * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + between > room {
            let widest = widths.iter_mut().filter(|width| **width > 8).max();
            let Some(widest) = widest else { return };
            *widest -= 1;
        }
    }

    fn print(&self, row: &[String], widths: &[usize], to: &mut Vec<u8>) {
        let mut line = String::new();
        for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
            let is_last = index + 1 == widths.len();
            let length = cell.chars().count();
            if length > *width && self.room.is_some() {
                line.extend(cell.chars().take(width.saturating_sub(1)));
                line.push(CUT);
            } else {
                line.push_str(cell);
                if !is_last {
                    let _ = write!(line, "{:1$}", "", width.saturating_sub(length));
                }
            }
            if !is_last {
                line.push_str("  ");
            }
        }
        to.extend_from_slice(line.trim_end().as_bytes());
        to.push(b'\n');
    }
}

/// A moment without what nobody reads: `2026-11-24T03:04:05.123456789Z` to the second.
fn shorter(cell: &str) -> String {
    let is_moment = cell.len() >= 20
        && cell.ends_with('Z')
        && cell.as_bytes().get(10) == Some(&b'T')
        && cell.parse::<jiff::Timestamp>().is_ok();
    match cell.get(..19) {
        Some(second) if is_moment => format!("{}Z", second.replace('T', " ")),
        _ => cell.to_owned(),
    }
}

/// Text in which every control character, and every one that changes the direction of writing, is
/// shown by its number.
pub(crate) fn clean(text: &str) -> String {
    let is_plain = |c: char| !c.is_control() && !is_invisible(c);
    if text.chars().all(is_plain) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut clean, c| {
        match c {
            c if is_plain(c) => clean.push(c),
            c => clean.extend(c.escape_default()),
        }
        clean
    })
}

/// Marks of direction and characters without width (Unicode 16, general category Cf).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(room: Option<usize>, rows: &[&[Option<&str>]]) -> String {
        let names = ["time", "what"].map(str::to_owned).into();
        let mut table = Table { names, room, held: Vec::new(), widths: None };
        let mut to = Vec::new();
        for row in rows {
            table.push(row.iter().map(|cell| cell.map(str::to_owned)).collect(), &mut to);
        }
        table.finish(&mut to);
        String::from_utf8(to).unwrap()
    }

    #[test]
    fn columns_stand_below_their_headings() {
        let rows: [&[Option<&str>]; 2] =
            [&[Some("2026-11-24T03:04:05.123456789Z"), Some("ls -l")], &[None, Some("x")]];
        let expected =
            "TIME                  WHAT\n2026-11-24 03:04:05Z  ls -l\n-                     x\n";
        assert_eq!(printed(None, &rows), expected);
    }

    #[test]
    fn what_does_not_fit_the_terminal_is_cut() {
        let long = "y".repeat(100);
        let shown = printed(Some(40), &[&[Some("a"), Some(&long)]]);
        assert!(shown.lines().all(|line| line.chars().count() <= 40), "{shown}");
        assert!(shown.ends_with("…\n"), "{shown}");
        assert!(printed(None, &[&[Some("a"), Some(&long)]]).contains(&long));
    }

    #[test]
    fn no_control_character_reaches_the_terminal() {
        let shown = printed(None, &[&[Some("\u{1b}[31m\n"), Some("a\u{202e}b\u{7f}")]]);
        assert!(shown.contains("\\u{1b}[31m\\n"), "{shown}");
        assert!(shown.contains("a\\u{202e}b\\u{7f}"), "{shown}");
        assert_eq!(shown.lines().count(), 2);
    }
}
