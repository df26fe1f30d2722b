//! The reader of `/proc`, over a `/proc` that is made of the bytes.
//!
//! The bytes are a run of files: a line `@NAME`, then what the file holds until the next such
//! line. Names are those of [`FILES`] and [`LINKS`], and they become the folder of process 1.
//!
//! Promises: nothing that a file holds makes the reader panic; what it makes of it can be kept as
//! a trace.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use forebear_model::trace::{self, Content, Line};
use forebear_sensor::ProcFs;

/// Files of a process, and one that all share.
const FILES: [&str; 8] = [
    "1/stat",
    "1/status",
    "1/cmdline",
    "1/cgroup",
    "1/loginuid",
    "1/sessionid",
    "1/comm",
    "tty/drivers",
];

/// Links of a process; the bytes are what they point to.
const LINKS: [&str; 7] = ["1/exe", "1/cwd", "1/root", "1/fd/0", "1/fd/1", "1/fd/2", "1/ns/pid"];

/// Takes a picture of the processes of the made `/proc`.
pub fn check(bytes: &[u8]) {
    let root = Root::new();
    for section in split(bytes) {
        let end = section.iter().position(|byte| *byte == b'\n').unwrap_or(section.len());
        let (name, content) = section.split_at(end);
        root.put(name, content.strip_prefix(b"\n").unwrap_or(content));
    }
    let Ok(source) = ProcFs::new(&root.0) else { return };
    // An error is a fine answer; it names what could not be read.
    let _ = source.snapshot(&mut |observation| {
        let mut printed = Vec::new();
        trace::print(observation, &mut printed);
        let printed = String::from_utf8(printed).expect("a trace is UTF-8");
        let line = Line::split(printed.trim_end()).expect("a printed line is a line");
        assert_eq!(line.content().as_ref(), Ok(&Content::Observation(observation.clone())));
    });
}

/// What stands between the marks: `@` at the beginning of a line.
fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes.strip_prefix(b"@");
    std::iter::from_fn(move || {
        let bytes = rest?;
        let next = bytes.windows(2).position(|pair| pair == b"\n@");
        rest = next.and_then(|at| bytes.get(at + 2..));
        Some(next.and_then(|at| bytes.get(..=at)).unwrap_or(bytes))
    })
}

/// A folder of our own, removed when this goes out of scope.
struct Root(PathBuf);

impl Root {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // In memory where that is possible: this is done thousands of times a second.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let root = parent.join(format!("forebear-fuzz-{}-{number}", std::process::id()));
        for folder in ["1/fd", "1/ns", "tty"] {
            fs::create_dir_all(root.join(folder)).expect("a folder can be made");
        }
        Self(root)
    }

    fn put(&self, name: &[u8], content: &[u8]) {
        let is = |known: &&&str| known.as_bytes() == name;
        if let Some(file) = FILES.iter().find(is) {
            fs::write(self.0.join(file), content).expect("a file can be written");
        } else if let Some(link) = LINKS.iter().find(is) {
            // A link that cannot be made, an empty or a second one, is left out.
            let _ = symlink(OsStr::from_bytes(content.trim_ascii_end()), self.0.join(link));
        }
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
