//! Standard output is data, standard error is talk; a reader that goes away is a normal end.

use std::fmt::Arguments;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::failure::{self, Failure};

/// Where data goes: standard output or a file.
#[derive(Debug)]
pub struct Printer {
    name: String,
    to: BufWriter<File>,
    colour: bool,
    is_terminal: bool,
}

impl Printer {
    /// Opens a file, or standard output for `-`. A new file is readable by its owner only: it
    /// may hold everybody's command lines. An existing one is overwritten.
    ///
    /// # Errors
    /// A usage [`Failure`] that names the file and the reason.
    pub fn open(target: &Path) -> Result<Self> {
        let is_stdout = target.as_os_str() == "-";
        let opened = match target {
            _ if is_stdout => {
                std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned().map(File::from)
            }
            path => File::options().write(true).create(true).truncate(true).mode(0o600).open(path),
        };
        let name = match is_stdout {
            true => "standard output".to_owned(),
            false => target.display().to_string(),
        };
        let file = opened.map_err(|error| {
            Failure::usage(format!("cannot write to {name}: {}", failure::reason(&error)))
        })?;
        let is_terminal = file.is_terminal();
        let colour = is_terminal && may_colour();
        Ok(Self { name, to: BufWriter::new(file), colour, is_terminal })
    }

    /// Whether a person is looking.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Whether the data may be coloured.
    pub fn colour(&self) -> bool {
        self.colour
    }

    /// Writes some data.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, data: &[u8]) -> Result<()> {
        self.to.write_all(data).map_err(|error| self.failed(error))
    }

    /// Writes what is held back so far.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.to.flush().map_err(|error| self.failed(error))
    }

    /// Writes what is still held back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<()> {
        self.to.flush().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> anyhow::Error {
        let context = format!("writing to {}", self.name);
        anyhow::Error::new(error).context(context)
    }
}

/// Prints a whole product on standard output.
///
/// # Errors
/// When it cannot be written.
pub fn print(text: &str) -> Result<()> {
    let mut printer = Printer::open(Path::new("-"))?;
    printer.write(text.as_bytes())?;
    printer.finish()
}

/// Whether an error only says that nobody reads any more.
pub fn is_reader_gone(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<io::Error>();
    cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Says one line on standard error; a closed one is ignored.
pub fn say(line: Arguments<'_>) {
    let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// A line of progress of something that tells often: shown a few times a second, and only to a
/// terminal.
#[derive(Default)]
pub struct Progress(Option<Instant>);

impl Progress {
    /// How often it is shown.
    const EVERY: Duration = Duration::from_millis(200);

    /// Shows how far it is, if it is time.
    pub fn show(&mut self, text: Arguments<'_>) {
        let is_due = self.0.is_none_or(|last| last.elapsed() >= Self::EVERY);
        if is_due && io::stderr().is_terminal() {
            self.0 = Some(Instant::now());
            progress(text);
        }
    }

    /// Takes the line away, if there is one.
    pub fn clear(&self) {
        if self.0.is_some() {
            progress(format_args!(""));
        }
    }
}

/// Overwrites the line of progress on standard error, which is a terminal.
pub fn progress(text: Arguments<'_>) {
    let _ = io::stderr().lock().write_all(format!("\r\x1b[K{text}").as_bytes());
}

/// Whether a terminal may be coloured: it can, and nobody has asked for none
/// (<https://no-color.org>).
fn may_colour() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
