//! Records from the kernel's ring buffer.
//!
//! The bytes are a run of records, each after its length in two bytes, little-endian, so that
//! records which belong together (an argument list in pieces, then its exec) can be found.
//!
//! Promises: no record makes the decoder panic; what it makes of one can be kept as a trace.

use forebear_model::trace::{self, Content, Line};
use forebear_sensor::wire::Decoder;

/// Smaller than the default, so that the fuzzer meets the limit.
const MAX_ARGV: u32 = 4096;

/// Decodes every record, as the agent would.
pub fn check(mut bytes: &[u8]) {
    let mut decoder = Decoder::new(MAX_ARGV);
    decoder.drop_repeated_exits();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
        let (record, rest) = rest.split_at(length);
        bytes = rest;
        if let Ok(Some(observation)) = decoder.decode(record) {
            let mut printed = Vec::new();
            trace::print(&observation, &mut printed);
            let printed = String::from_utf8(printed).expect("a trace is UTF-8");
            let line = Line::split(printed.trim_end()).expect("a printed line is a line");
            assert_eq!(line.content(), Ok(Content::Observation(observation)), "{printed}");
        }
    }
}
