//! Records from the kernel's ring buffer.
//!
//! The bytes are a run of records, each after its length in two bytes, little-endian, so that
//! records which belong together (an argument list in pieces, then its exec) can be found.
//!
//! Promises: no record makes the decoder panic; what it makes of one can be kept as a trace.

use forebear_model::trace::{self, Content, Line};
use forebear_model::{BootTime, Observation, Shell};
use forebear_sensor::wire::Decoder;

/// Smaller than the default, so that the fuzzer meets the limit.
const MAX_ARGV: u32 = 4096;

/// Decodes every record, as the agent would: alone, and after what came before.
pub fn check(mut bytes: &[u8]) {
    let mut decoder = Decoder::new(MAX_ARGV);
    decoder.drop_repeated_exits();
    // The functions 0, 1 and 2 of the records.
    for (shell, builtin) in [(Shell::Bash, "cd"), (Shell::Bash, "test"), (Shell::Zsh, "")] {
        decoder.number_of(shell, builtin);
    }
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
        let (record, rest) = rest.split_at(length);
        bytes = rest;
        if let Ok(Some(observation)) = decoder.decode(record) {
            is_traceable(&observation);
        }
        let _ = decoder.feed(record, &mut is_traceable);
    }
    let _ = decoder.feed_overdue(BootTime(u64::MAX), &mut is_traceable);
}

fn is_traceable(observation: &Observation<'_>) {
    let mut printed = Vec::new();
    trace::print(observation, &mut printed);
    let printed = String::from_utf8(printed).expect("a trace is UTF-8");
    let line = Line::split(printed.trim_end()).expect("a printed line is a line");
    assert_eq!(line.content(), Ok(Content::Observation(observation.clone())), "{printed}");
}
