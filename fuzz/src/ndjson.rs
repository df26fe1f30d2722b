//! One line of the exported format, as a reader sees it.
//!
//! Promises: no line makes the reader or the readable form panic; what is read is written as the
//! same event again.

use forebear_events::{pretty, v1};

/// Reads every line.
pub fn check(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(event) = serde_json::from_slice::<v1::Event>(line) else { continue };
        let written = serde_json::to_vec(&event).expect("an event can be written");
        let again: v1::Event = serde_json::from_slice(&written).expect("and read again");
        assert_eq!(again, event);
        let mut readable = String::new();
        for colour in [false, true] {
            readable.clear();
            pretty::line(&event, colour, &mut readable);
            let controls = readable.trim_end_matches('\n').chars().filter(|c| c.is_control());
            // Colours are the only control sequences that may reach a terminal.
            assert!(colour || controls.count() == 0, "{readable:?}");
        }
    }
}
