//! Which lines are wanted, and what of them.
//!
//! A line is read once for what decides about it, and once more for the rest only if it is taken:
//! most questions are about few events, and passing over a value costs a fraction of keeping it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use datafusion::arrow::array::{Array, BooleanArray, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::cast::as_boolean_array;
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use forebear_query::Query;

use crate::report::{Damage, Tally};
use crate::scan::blocks::Block;
use crate::scan::columns::{Read, Rows};

/// Rows of a batch at most, and of what is decided about at once.
const ROWS: usize = 8192;
/// Bytes in a batch, about, unless one line has more: sorting wants room for several batches.
const BYTES: usize = 1 << 20;

/// Conditions over the columns of a schema.
pub(super) type Filter = (SchemaRef, Vec<Arc<dyn PhysicalExpr>>);

/// What is wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// A question that only true lines pass.
    pub question: Option<Arc<Query>>,
    /// The same question, for objects of columns.
    pub asked: Option<Filter>,
    /// What has to be true besides.
    pub filter: Option<Filter>,
    /// The columns of what passes.
    pub columns: SchemaRef,
}

/// Takes blocks and gives batches.
pub(super) struct Sieve {
    wanted: Wanted,
    /// Columns of the filter, under construction.
    asked: Option<Rows>,
    taken: Rows,
    tally: Arc<Tally>,
}

impl Sieve {
    pub(super) fn new(wanted: &Wanted, tally: &Arc<Tally>) -> Self {
        Self {
            wanted: wanted.clone(),
            asked: wanted.filter.as_ref().map(|(schema, _)| Rows::new(Arc::clone(schema))),
            taken: Rows::new(Arc::clone(&wanted.columns)),
            tally: Arc::clone(tally),
        }
    }

    /// Takes a block's lines; full batches go to `full`.
    pub(super) fn push(
        &mut self,
        name: &str,
        block: &Block<'_>,
        full: &mut Vec<RecordBatch>,
    ) -> Result<()> {
        let lines = self.lines(name, block);
        self.tally.lines.fetch_add(lines.len() as u64, Relaxed);
        for lines in lines.chunks(ROWS) {
            match self.decide(name, lines)? {
                Some(decided) => {
                    for (line, is_taken) in lines.iter().zip(decided.iter()) {
                        if is_taken == Some(true) {
                            self.take(name, line, full)?;
                        }
                    }
                }
                None => {
                    for line in lines {
                        self.take(name, line, full)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The rows that are left, if any.
    pub(super) fn finish(&mut self) -> Result<Option<RecordBatch>> {
        if self.taken.len() == 0 {
            return Ok(None);
        }
        Ok(Some(self.taken.finish_events()?).filter(|batch| batch.num_rows() > 0))
    }

    /// The lines of a block, each with its place, but those that are none.
    fn lines<'b>(&self, name: &str, block: &Block<'b>) -> Vec<Line<'b>> {
        let mut lines = Vec::with_capacity(block.bytes.len() / 1024 + 1);
        let mut start = 0;
        let ends = memchr::memchr_iter(b'\n', block.bytes).chain([block.bytes.len()]);
        let whole = std::str::from_utf8(block.bytes).ok();
        for end in ends {
            let range = start..end;
            let has_end = end < block.bytes.len();
            let at = block.offset + start as u64;
            start = end + 1;
            let text = match whole {
                Some(whole) => whole.get(range).unwrap_or_default(),
                None => match std::str::from_utf8(block.bytes.get(range).unwrap_or_default()) {
                    Ok(text) => text,
                    Err(_) => {
                        self.damage(Damage::NotText, name, at);
                        continue;
                    }
                },
            };
            // A line of blanks is nobody's event and nobody's loss.
            if text.trim_ascii().is_empty() {
                continue;
            }
            if !is_known_version(text) {
                self.damage(Damage::Newer, name, at);
            }
            lines.push(Line { text, at, has_end });
        }
        lines
    }

    /// Which lines pass; `None` if there is nothing to decide by.
    fn decide(&mut self, name: &str, lines: &[Line<'_>]) -> Result<Option<BooleanArray>> {
        let mut decided: Option<Vec<bool>> = None;
        if let Some(question) = &self.wanted.question {
            let passes = lines.iter().map(|line| match question.of_line(line.text.as_bytes()) {
                Ok(truth) => truth.is_true(),
                Err(_) => {
                    refuse(&self.tally, name, line);
                    false
                }
            });
            decided = Some(passes.collect());
        }
        if let (Some(rows), Some((_, filter))) = (&mut self.asked, &self.wanted.filter) {
            let mut are_asked = vec![false; lines.len()];
            let tally = Arc::clone(&self.tally);
            for (index, line) in lines.iter().enumerate() {
                let passed = decided.as_ref().is_none_or(|it| it.get(index) == Some(&true));
                // One that has not passed is not read again; its row stays empty.
                let read = rows.push(if passed { line.text } else { "" });
                match passed {
                    true if read.is_event => tell(&tally, name, line, &read),
                    true => refuse(&tally, name, line),
                    false => {}
                }
                if let Some(is_asked) = are_asked.get_mut(index) {
                    *is_asked = passed && read.is_event;
                }
            }
            let batch = rows.finish()?;
            for condition in filter {
                let passes = condition.evaluate(&batch)?.into_array(batch.num_rows())?;
                let passes = as_boolean_array(&passes)?;
                for (index, is_asked) in are_asked.iter_mut().enumerate() {
                    *is_asked &= passes.is_valid(index) && passes.value(index);
                }
            }
            decided = Some(are_asked);
        }
        Ok(decided.map(BooleanArray::from))
    }

    fn take(&mut self, name: &str, line: &Line<'_>, full: &mut Vec<RecordBatch>) -> Result<()> {
        let is_decided = self.wanted.question.is_some() || self.wanted.filter.is_some();
        if is_decided && self.taken.is_only_line() {
            self.taken.push_line(line.text);
        } else {
            let read = self.taken.push(line.text);
            if !read.is_event {
                refuse(&self.tally, name, line);
                return Ok(());
            }
            tell(&self.tally, name, line, &read);
        }
        self.tally.matched.fetch_add(1, Relaxed);
        if self.taken.len() >= ROWS || self.taken.bytes() >= BYTES {
            full.push(self.taken.finish_events()?);
        }
        Ok(())
    }

    fn damage(&self, damage: Damage, name: &str, at: u64) {
        self.tally.damage(damage, || format!("{name} at byte {at}"));
    }
}

/// A line, its place among the plain bytes of its object, and whether it has an end.
struct Line<'b> {
    text: &'b str,
    at: u64,
    has_end: bool,
}

/// Counts a line that is no event.
fn refuse(tally: &Tally, name: &str, line: &Line<'_>) {
    let damage = if line.has_end { Damage::NotAnEvent } else { Damage::HalfLine };
    tally.damage(damage, || format!("{name} at byte {}", line.at));
}

/// Counts values of wrong types.
fn tell(tally: &Tally, name: &str, line: &Line<'_>, read: &Read) {
    for _ in 0..read.wrong {
        tally.damage(Damage::WrongType, || format!("{name} at byte {}", line.at));
    }
}

/// The version as the recorder writes it, near the beginning of a line.
const KNOWN: &str = "\"schema_version\":\"1.";

/// Whether an event is of a version whose fields mean what is known here. What names none, or is no
/// event, is not told here.
fn is_known_version(line: &str) -> bool {
    let head = line.as_bytes().get(..128).unwrap_or(line.as_bytes());
    memchr::memmem::find(head, KNOWN.as_bytes()).is_some() || is_carefully_known(line)
}

fn is_carefully_known(line: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Version<'v> {
        #[serde(borrow, default)]
        schema_version: Option<std::borrow::Cow<'v, str>>,
    }
    let version = serde_json::from_str::<Version<'_>>(line).ok().and_then(|it| it.schema_version);
    let major = version.as_deref().and_then(|it| it.split('.').next()?.parse::<u64>().ok());
    major.is_none_or(|major| major <= 1)
}
