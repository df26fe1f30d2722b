//! The answers as a Markdown table.

use std::fmt::Write as _;

use anyhow::Result;

use super::asker::{AT_MOST, Answer, Asker, NARROW};

/// A table with a row a question and a column an asker.
pub(super) struct Table {
    askers: Vec<Asker>,
    text: String,
}

impl Table {
    pub(super) fn new(askers: &[Asker]) -> Self {
        let mut text = "| question |".to_owned();
        for asker in askers {
            text += &format!(" {asker} |");
        }
        text += &format!("\n|---|{}\n", "---|".repeat(askers.len()));
        Self { askers: askers.to_vec(), text }
    }

    /// Adds the row of a question: the answers of each asker.
    pub(super) fn add(&mut self, question: &str, answers: Vec<Vec<Answer>>) -> Result<()> {
        write!(self.text, "| `{question}` |")?;
        for (asker, answers) in self.askers.iter().zip(answers) {
            write!(self.text, " {} |", cell(*asker, question, &answers))?;
        }
        self.text.push('\n');
        Ok(())
    }

    pub(super) fn text(self) -> String {
        self.text
    }
}

/// Median time, largest peak, and of the narrow question the objects that were opened.
fn cell(asker: Asker, question: &str, answers: &[Answer]) -> String {
    let (mut times, mut most, mut objects) = (Vec::new(), 0, None);
    for answer in answers {
        match *answer {
            Answer::Late => return format!("not done after {AT_MOST} s"),
            Answer::Given { seconds, peak, opened } => {
                times.push(seconds);
                most = most.max(peak);
                objects = objects.or(opened);
            }
        }
    }
    times.sort_by(f64::total_cmp);
    let Some(median) = times.get(times.len() / 2) else { return String::new() };
    let mut text = format!("{median:.2} s, {} MB", most / 1_000_000);
    if let Some(objects) = objects.filter(|_| question == NARROW) {
        text += &format!(", {objects} opened");
    }
    // The peak of these is that of their largest program.
    if matches!(asker, Asker::Jq | Asker::Grep) {
        return format!("{median:.2} s");
    }
    text
}
