//! Getting hold of the very file that a process runs.
//!
//! Invariants: a file on a file system whose server may be gone is never touched, since whoever
//! touches it may wait for ever; what is opened is the file that was seen, or nothing.

use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use forebear_model::observation::FileId;
use forebear_model::{Device, ProcessKey, Shell};

/// An executable file that somebody runs.
#[derive(Clone, Debug)]
pub(in crate::live) struct Seen {
    /// Which file, as the kernel's programs tell it.
    pub(in crate::live) file: FileId,
    /// Its path in the root directory of whoever runs it, if it is known.
    pub(in crate::live) path: Option<Box<[u8]>>,
    /// Who runs it.
    pub(in crate::live) process: Option<ProcessKey>,
    /// A person types at that process, if it is a shell.
    pub(in crate::live) is_typed_at: bool,
}

/// The file as it is on its disk: what changes when it is another one, or was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// An opened file.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) stamp: Stamp,
    pub(super) content: Content,
    /// It can be reached by its path in the agent's own mount namespace.
    pub(super) is_ours: bool,
}

/// What changes when the file is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    size: u64,
    modified: (i64, i64),
}

/// Why a file is not attached.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is there no more, or another one is in its place; it may come again.
    Gone,
    /// For good, to follow "it".
    Because(String),
    /// Because its machine code, and so its system calls, are others; to follow "it".
    Foreign(String),
    /// It is this shell, but cannot be attached; to follow "it".
    Shell(Shell, String),
}

/// Opens the file.
pub(super) fn open(seen: &Seen) -> Result<Opened, Refusal> {
    if let Some(kind) = remote_kind(seen) {
        return Err(Refusal::Because(format!("lies on a file system of type {kind}")));
    }
    let path = seen.path.as_deref().map(|path| Path::new(std::ffi::OsStr::from_bytes(path)));
    // In another mount namespace the path may have been another one's.
    let path = path.filter(|path| is_local(path));
    if let Some(process) = seen.process {
        let link = PathBuf::from(format!("/proc/{}/exe", process.pid));
        if let Ok(file) = File::open(&link) {
            let is_same_path = || {
                fs::read_link(&link).is_ok_and(|now| {
                    Some(&*now.into_os_string().into_vec()) == seen.path.as_deref()
                })
            };
            // Some file systems show two numbers for one device (btrfs, overlayfs).
            if let Some(mut opened) = opened(file)
                && (is_it(&opened, seen.file) || is_same_path())
            {
                opened.is_ours = path.is_some_and(|path| {
                    fs::metadata(path).is_ok_and(|found| stamp(&found) == opened.stamp)
                });
                return Ok(opened);
            }
        }
    }
    let by_path = path.and_then(|path| File::open(path).ok()).and_then(opened);
    match by_path {
        Some(mut opened) if is_it(&opened, seen.file) => {
            opened.is_ours = true;
            Ok(opened)
        }
        _ => Err(Refusal::Gone),
    }
}

fn opened(file: File) -> Option<Opened> {
    let found = file.metadata().ok().filter(fs::Metadata::is_file)?;
    let (stamp, content) = (stamp(&found), Content::of(&found));
    Some(Opened { file, stamp, content, is_ours: false })
}

fn stamp(found: &fs::Metadata) -> Stamp {
    Stamp { device: found.dev(), inode: found.ino() }
}

impl Content {
    pub(super) fn of(found: &fs::Metadata) -> Self {
        Self { size: found.size(), modified: (found.mtime(), found.mtime_nsec()) }
    }
}

fn is_it(opened: &Opened, file: FileId) -> bool {
    opened.stamp.inode == file.inode && device(opened.stamp.device) == file.device
}

/// A device number as stat(2) gives it.
pub(super) fn device(number: u64) -> Device {
    Device { major: rustix::fs::major(number), minor: rustix::fs::minor(number) }
}

/// The type of the file system that holds the file, if a server elsewhere has to answer for it.
fn remote_kind(seen: &Seen) -> Option<String> {
    let of_process = seen.process.map(|process| format!("/proc/{}/mountinfo", process.pid));
    let of_process = of_process.and_then(|path| fs::read_to_string(path).ok());
    let mounts = of_process.or_else(|| fs::read_to_string("/proc/self/mountinfo").ok())?;
    kind_of(&mounts, seen.file.device).filter(|kind| is_remote(kind)).map(str::to_owned)
}

/// Whether a path of the agent's own mount namespace can be followed without a server elsewhere.
fn is_local(path: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    !kinds_above(&mounts, path).any(is_remote)
}

/// The types of the file systems that are mounted at this path or above it, by the text of
/// proc_pid_mountinfo(5).
fn kinds_above<'m>(mounts: &'m str, path: &Path) -> impl Iterator<Item = &'m str> {
    mounts.lines().filter_map(move |line| {
        let mut fields = line.split(' ');
        // Blanks and the like are written as octal numbers; the part before them is enough.
        let point = fields.nth(4)?.split('\\').next()?;
        path.starts_with(point).then(|| fields.skip_while(|field| *field != "-").nth(1))?
    })
}

/// The type of the file system on this device, by the text of proc_pid_mountinfo(5).
fn kind_of(mounts: &str, device: Device) -> Option<&str> {
    let wanted = device.to_string();
    mounts.lines().find_map(|line| {
        let mut fields = line.split(' ');
        (fields.nth(2) == Some(&*wanted)).then_some(())?;
        fields.skip_while(|field| *field != "-").nth(1)
    })
}

fn is_remote(kind: &str) -> bool {
    const REMOTE: [&str; 14] = [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "ceph",
        "9p",
        "afs",
        "lustre",
        "gpfs",
        "ocfs2",
        "gfs2",
        "glusterfs",
        "autofs",
        "fuseblk",
    ];
    REMOTE.contains(&kind) || kind == "fuse" || kind.starts_with("fuse.")
}

#[cfg(test)]
mod tests {
    use forebear_model::{BootTime, Pid};

    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:44 / /mnt/a rw - nfs4 host:/a rw
31 22 0:45 / /mnt/b rw master:3 - fuse.sshfs b rw";

    #[test]
    fn the_file_system_of_a_device_is_found_among_the_mounts() {
        let kind = |major, minor| kind_of(MOUNTS, Device { major, minor });
        assert_eq!(kind(8, 1), Some("ext4"));
        assert_eq!(kind(0, 44), Some("nfs4"));
        assert_eq!(kind(0, 45), Some("fuse.sshfs"));
        assert_eq!(kind(0, 46), None);
        assert!(is_remote("nfs4") && is_remote("fuse.sshfs") && !is_remote("ext4"));
    }

    #[test]
    fn a_path_below_a_mount_of_another_machine_is_known() {
        let kinds = |path: &str| kinds_above(MOUNTS, Path::new(path)).collect::<Vec<_>>();
        assert_eq!(kinds("/bin/bash"), ["ext4"]);
        assert_eq!(kinds("/mnt/a/bash"), ["ext4", "nfs4"]);
        assert_eq!(kinds("/mnt/ab/bash"), ["ext4"]);
        assert!(is_local(&std::env::current_exe().unwrap()));
    }

    #[test]
    fn only_the_file_that_was_seen_is_opened() {
        let me = std::env::current_exe().unwrap();
        let path = me.as_os_str().as_bytes();
        let found = fs::metadata(&me).unwrap();
        let file = FileId { device: device(found.dev()), inode: found.ino() };
        let key = ProcessKey { pid: Pid(std::process::id()), start: BootTime(0) };
        let path = Some(path.into());
        let seen = Seen { file, path, process: Some(key), is_typed_at: false };
        let opened = open(&seen).unwrap();
        assert!(opened.is_ours);
        assert_eq!(opened.stamp.inode, found.ino());
        assert!(open(&Seen { process: None, ..seen.clone() }).is_ok());
        let other = FileId { inode: found.ino() + 1, ..file };
        assert_eq!(open(&Seen { file: other, process: None, ..seen }).unwrap_err(), Refusal::Gone);
    }
}
