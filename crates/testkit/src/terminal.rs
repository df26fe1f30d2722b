//! A program on a pseudo-terminal, and a person's hands and eyes in front of it.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use pty_process::Size;
use pty_process::blocking::{Command, Pty};

use crate::account::PROMPT;
use crate::must::Must;
use crate::process::Owned;
use crate::wait;

/// A program that runs on a terminal of its own, ended when dropped.
#[derive(Debug)]
pub struct Terminal {
    program: Owned,
    screen: Arc<Mutex<Vec<u8>>>,
    /// How much of the screen has been taken note of.
    seen: usize,
    // `None` once the line is cut.
    master: Option<Master>,
}

struct Master(Arc<Pty>);

impl std::fmt::Debug for Master {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Master")
    }
}

impl Terminal {
    /// Starts a program with its arguments on a new terminal of 24 lines of 200 columns, leading
    /// its session.
    pub fn start(program: &str, arguments: &[&str]) -> Self {
        Self::start_with(program, arguments, &[])
    }

    /// Like [`start`](Self::start), with these variables in its environment.
    pub fn start_with(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let (master, slave) = pty_process::blocking::open().must("open a pseudo-terminal");
        master.resize(Size::new(24, 200)).must("set the terminal's size");
        let mut command = Command::new(program).args(arguments).env("TERM", "xterm");
        for (name, value) in variables {
            command = command.env(name, value);
        }
        let child = command.spawn(slave).must(format_args!("start {program} on a terminal"));
        let master = Arc::new(master);
        let screen = Arc::new(Mutex::new(Vec::new()));
        let (eyes, paper) = (Arc::clone(&master), Arc::clone(&screen));
        // Ends with EIO once nobody has the other side open any more.
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = (&*eyes).read(&mut bytes) {
                let mut screen = paper.lock().unwrap_or_else(PoisonError::into_inner);
                screen.extend_from_slice(&bytes[..count]);
            }
        });
        let program = Owned::new(program, child);
        Self { program, screen, seen: 0, master: Some(Master(master)) }
    }

    /// The program.
    pub fn program(&mut self) -> &mut Owned {
        &mut self.program
    }

    /// Types these characters.
    #[track_caller]
    pub fn keys(&mut self, text: &str) {
        let master = self.master.as_ref().must("type on a line that has been cut");
        (&*master.0).write_all(text.as_bytes()).must("type");
    }

    /// Types a line and the return key.
    #[track_caller]
    pub fn line(&mut self, text: &str) {
        self.keys(text);
        self.keys("\r");
    }

    /// Types a line and waits for the next prompt; gives what was shown in between.
    #[track_caller]
    pub fn run(&mut self, text: &str) -> String {
        self.line(text);
        self.prompt()
    }

    /// Waits for the prompt; gives what was shown before it.
    #[track_caller]
    pub fn prompt(&mut self) -> String {
        self.shows(PROMPT)
    }

    /// Waits until the terminal shows one of these after what was already taken note of; gives
    /// which one comes first.
    #[track_caller]
    pub fn shows_one_of(&mut self, texts: &[&str]) -> usize {
        let find = |screen: &[u8], text: &str| {
            screen.windows(text.len()).position(|part| part == text.as_bytes())
        };
        let found = wait::for_at_most(wait::SOON, || {
            let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
            let new = &screen[self.seen..];
            let places = texts.iter().enumerate();
            let first = places.filter_map(|(which, text)| Some((find(new, text)?, which))).min();
            first.map(|(_, which)| which)
        });
        match found {
            Some(which) => {
                self.shows(texts[which]);
                which
            }
            None => panic!("waited in vain for {texts:?} on the terminal, which shows:\n{self}"),
        }
    }

    /// Waits until the terminal shows `text` after what was already taken note of; gives
    /// everything up to its end.
    #[track_caller]
    pub fn shows(&mut self, text: &str) -> String {
        let found = wait::for_at_most(wait::SOON, || {
            let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
            let new = String::from_utf8_lossy(&screen[self.seen..]).into_owned();
            let end = new.find(text)? + text.len();
            // The lossy text may be longer than the bytes; the needle is plain, so it is looked
            // for in the bytes again.
            let bytes = &screen[self.seen..];
            let at = bytes.windows(text.len()).position(|part| part == text.as_bytes())?;
            Some((new[..end].to_owned(), self.seen + at + text.len()))
        });
        match found {
            Some((shown, seen)) => {
                self.seen = seen;
                shown
            }
            None => panic!("waited in vain for {text:?} on the terminal, which shows:\n{self}"),
        }
    }

    /// Changes the window's size, as dragging its corner does.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        let master = self.master.as_ref().must("resize a line that has been cut");
        master.0.resize(Size::new(rows, columns)).must("resize the terminal");
    }

    /// Cuts the line: the program is told that its terminal has gone, and ends.
    #[track_caller]
    pub fn hang_up(mut self) {
        // The reader holds the master open, so the line is cut by ending the program that leads
        // the terminal's session the way a lost line does.
        self.program.signal(rustix::process::Signal::HUP);
        self.master = None;
        self.program.wait(wait::SOON);
    }

    /// Waits for the program's own end.
    #[track_caller]
    pub fn ends(mut self) -> std::process::ExitStatus {
        let status = wait::for_at_most(wait::SOON, || self.program.ended());
        match status {
            Some(status) => status,
            None => panic!("the program on the terminal does not end; it shows:\n{self}"),
        }
    }
}

/// Everything that was shown, for failures.
impl std::fmt::Display for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        f.write_str(&String::from_utf8_lossy(&screen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_on_a_terminal_sees_what_is_typed_and_shows_what_it_says() {
        let mut terminal = Terminal::start("sh", &["-c", "read x; echo got-$x; stty size"]);
        terminal.resize(30, 90);
        terminal.line("this");
        terminal.shows("got-this");
        terminal.shows("30 90");
        assert!(terminal.ends().success());
    }
}
