//! The text form of observations.
//!
//! Promises: no text makes the reader panic; what it reads prints, and the print reads as the
//! same thing.

use forebear_model::trace::{self, Content, Line};

/// Reads every line.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for text in text.lines() {
        let Ok(line) = Line::split(text) else { continue };
        let Ok(content) = line.content() else { continue };
        let mut printed = Vec::new();
        match &content {
            Content::Nothing => continue,
            Content::Header(header) => trace::print_header(header, &mut printed),
            Content::Observation(observation) => trace::print(observation, &mut printed),
        }
        let printed = String::from_utf8(printed).expect("a trace is UTF-8");
        let printed = printed.strip_suffix('\n').expect("a printed line ends");
        let again = Line::split(printed).expect("a printed line is a line");
        let again = again.content().expect("a printed line has a meaning");
        assert_eq!(again, content, "from `{text}` by `{printed}`");
    }
}
