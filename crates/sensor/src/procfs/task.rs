//! One process of `/proc`, read file by file.
//!
//! Invariant: a process that ends while it is read is `Gone` as a whole, never half a picture;
//! what the reader may not see is a reason in its place.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use forebear_model::observation::FileId;
use forebear_model::{Device, Known, Stream, StreamKind, Streams, Terminal, Why};

use super::{parse, peer};

/// Why nothing came of reading.
#[derive(Debug)]
pub(super) enum Failure {
    /// The process has ended.
    Gone,
    /// The file is there but not in the documented form, or cannot be read.
    Problem(String),
}

/// An executable file, with its path owned.
#[derive(Clone, Debug)]
pub(super) struct Exe {
    pub(super) path: Known<Vec<u8>>,
    pub(super) file: FileId,
    pub(super) owner: u32,
    pub(super) group: u32,
    pub(super) mode: u32,
    pub(super) deleted: bool,
    pub(super) memfd: bool,
}

/// The directory `/proc/<pid>`, or of a thread below it.
#[derive(Clone, Debug)]
pub(super) struct Task {
    directory: PathBuf,
}

impl Task {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// A thread that still has what the ended leader has not.
    pub(super) fn living_thread(&self) -> Result<Self, Failure> {
        let directory = self.directory.join("task");
        let threads = fs::read_dir(&directory).map_err(|error| failure(&directory, &error))?;
        threads
            .flatten()
            .map(|thread| Self::new(thread.path()))
            .find(|thread| {
                let text = thread.read("stat").unwrap_or_default();
                parse::stat(&text).is_some_and(|stat| !matches!(stat.state, b'Z' | b'X'))
            })
            .ok_or(Failure::Gone)
    }

    /// A whole file.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let path = self.directory.join(name);
        fs::read(&path).map_err(|error| failure(&path, &error))
    }

    /// A number that is there only on kernels with audit.
    pub(super) fn login_number(&self, name: &str) -> Option<u32> {
        parse::number(&self.read(name).ok()?).filter(|number| *number != u32::MAX)
    }

    /// The argument list, at most `limit` bytes of it, appended to `into`; returns how many
    /// bytes there are.
    pub(super) fn cmdline(&self, limit: u64, into: &mut Vec<u8>) -> Result<u64, Why> {
        let file = fs::File::open(self.directory.join("cmdline")).map_err(|error| why(&error))?;
        let mut file = io::BufReader::with_capacity(64 << 10, file);
        let kept = file.by_ref().take(limit).read_to_end(into).map_err(|error| why(&error))?;
        let rest = io::copy(&mut file, &mut io::sink()).map_err(|error| why(&error))?;
        Ok(kept as u64 + rest)
    }

    /// The standard streams.
    pub(super) fn streams(
        &self,
        tty: Option<Terminal>,
        console: Option<&str>,
    ) -> Result<Known<Streams>, Failure> {
        let mut streams = [None; 3];
        for (number, stream) in streams.iter_mut().enumerate() {
            match fs::metadata(self.directory.join(format!("fd/{number}"))) {
                Ok(metadata) => *stream = Some(stream_of(&metadata, tty, console)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    return Ok(Err(Why::PermissionDenied));
                }
                Err(error) => return Err(failure(&self.directory, &error)),
            }
        }
        Ok(Ok(streams))
    }

    /// The working directory.
    pub(super) fn cwd(&self) -> Known<Vec<u8>> {
        self.path_of_link("cwd").map(|(path, _)| path)
    }

    /// The executable; `None` for threads of the kernel.
    pub(super) fn exe(&self) -> Option<Exe> {
        let (path, metadata) = match self.path_of_link("exe") {
            Ok((path, metadata)) => (Ok(path), metadata?),
            // There is no file to name: without permission to look, only that there is one.
            Err(Why::PermissionDenied) => return Some(Exe::hidden()),
            Err(_) => return None,
        };
        let is_nameless = metadata.nlink() == 0;
        let memfd = is_nameless && path.as_ref().is_ok_and(|path| path.starts_with(b"/memfd:"));
        Some(Exe {
            path,
            file: FileId { device: parse::device(metadata.dev()), inode: metadata.ino() },
            owner: metadata.uid(),
            group: metadata.gid(),
            mode: metadata.mode(),
            deleted: is_nameless && !memfd,
            memfd,
        })
    }

    /// The inode number of the pid namespace.
    pub(super) fn pid_namespace(&self) -> Option<u32> {
        let link = fs::read_link(self.directory.join("ns/pid")).ok()?;
        parse::namespace(&link.into_os_string().into_vec())
    }

    /// The network namespace, as a name for it.
    pub(super) fn network_namespace(&self) -> Option<Vec<u8>> {
        let link = fs::read_link(self.directory.join("ns/net")).ok()?;
        Some(link.into_os_string().into_vec())
    }

    /// The sockets among the lowest descriptors, in their order.
    pub(super) fn sockets(&self) -> Vec<u64> {
        let Ok(directory) = fs::read_dir(self.directory.join("fd")) else { return Vec::new() };
        let mut sockets: Vec<(usize, u64)> = directory
            .flatten()
            .filter_map(|entry| {
                let number: usize = entry.file_name().to_str()?.parse().ok()?;
                if number >= peer::DESCRIPTORS {
                    return None;
                }
                let link = fs::read_link(entry.path()).ok()?.into_os_string().into_vec();
                Some((number, peer::socket_inode(&link)?))
            })
            .collect();
        sockets.sort_unstable();
        sockets.into_iter().map(|(_, inode)| inode).collect()
    }

    /// Where a link of the kernel's leads, below the process's own root, and what is there. The
    /// kernel appends ` (deleted)` to what has no name any more.
    fn path_of_link(&self, name: &str) -> Known<(Vec<u8>, Option<Metadata>)> {
        let link = self.directory.join(name);
        let mut path =
            fs::read_link(&link).map_err(|error| why(&error))?.into_os_string().into_vec();
        // Follows the link itself, not its text, so it finds files without a name too.
        let metadata = fs::metadata(&link).ok();
        let is_nameless = metadata.as_ref().is_none_or(|metadata| metadata.nlink() == 0);
        if is_nameless && let Some(stripped) = path.strip_suffix(b" (deleted)") {
            path.truncate(stripped.len());
        }
        if let Ok(root) = fs::read_link(self.directory.join("root")) {
            let root = root.into_os_string().into_vec();
            if root != b"/"
                && let Some(below) = path.strip_prefix(root.as_slice())
                && below.first().is_none_or(|byte| *byte == b'/')
            {
                path = if below.is_empty() { b"/".to_vec() } else { below.to_vec() };
            }
        }
        Ok((path, metadata))
    }
}

impl Exe {
    /// One that may not be looked at. Its owner is nobody, so it never passes for root's.
    fn hidden() -> Self {
        Self {
            path: Err(Why::PermissionDenied),
            file: FileId { device: Device { major: 0, minor: 0 }, inode: 0 },
            owner: u32::MAX,
            group: u32::MAX,
            mode: 0,
            deleted: false,
            memfd: false,
        }
    }
}

/// What a descriptor is open on. `/dev/tty` is the opener's controlling terminal; `/dev/console`
/// is the terminal that the kernel names as the active console.
fn stream_of(metadata: &Metadata, tty: Option<Terminal>, console: Option<&str>) -> Stream {
    let is_device = matches!(metadata.mode() & 0o170_000, 0o020_000 | 0o060_000);
    let is_char = metadata.mode() & 0o170_000 == 0o020_000;
    let device = parse::device(if is_device { metadata.rdev() } else { metadata.dev() });
    let is_ctty = is_char
        && tty.is_some_and(|tty| {
            device == tty.device
                || device == Device::DEV_TTY
                || device == Device::DEV_CONSOLE
                    && console.is_some_and(|name| {
                        tty.device.terminal_name().is_some_and(|tty| tty == name)
                    })
        });
    let kind =
        if is_ctty { StreamKind::Tty } else { StreamKind::from_mode(metadata.mode(), device) };
    Stream { device, kind, is_ctty }
}

/// ESRCH is what reads of an ended process return once its directory is open.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    if is_gone(error) {
        Failure::Gone
    } else {
        Failure::Problem(format!("cannot read {}: {error}", path.display()))
    }
}

fn why(error: &io::Error) -> Why {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Why::PermissionDenied,
        _ if is_gone(error) => Why::NotObservable,
        _ => Why::Unreadable,
    }
}
