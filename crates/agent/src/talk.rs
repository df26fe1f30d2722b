//! What the program says to people: standard error only, one line at a time.
//!
//! Nothing here can fail or block for ever: a closed standard error is ignored. Data never goes
//! through here; standard output belongs to the events.

use std::fmt::Arguments;
use std::io::{IsTerminal, Write};

/// Says one line on standard error.
pub fn say(line: Arguments<'_>) {
    // One write for the whole line, so that lines of several programs do not mix.
    let text = format!("{line}\n");
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Whether what is written to this stream may be coloured: it is a terminal that understands
/// colours, and nobody has asked for none (<https://no-color.org>).
pub fn colour_on(stream: &impl IsTerminal) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    stream.is_terminal() && !is_set("NO_COLOR") && !is_dumb
}

/// Prints a product on standard output. A reader that has gone away is fine.
pub fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
