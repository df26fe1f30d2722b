//! A file system in user space whose server stops answering, as a network share does whose server
//! is gone: whoever touches it then waits.

use std::any::Any;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, Generation,
    INodeNo, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData, ReplyEntry, ReplyOpen,
    Request,
};
use tempfile::TempDir;

use crate::must::Must;
use crate::scene::readable_folder;

/// What the kernel may believe without asking again: nothing.
const BELIEVED: Duration = Duration::ZERO;

const FILE: INodeNo = INodeNo(2);

/// A mounted file system with one executable file; it is unmounted when this is dropped.
#[derive(Debug)]
pub struct SilentMount {
    // First, so that it is unmounted before the folder is removed.
    _session: BackgroundSession,
    server: Arc<Server>,
    path: PathBuf,
    _folder: TempDir,
}

/// What the server has and how it behaves.
struct Server {
    name: String,
    content: Vec<u8>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Nobody is answered.
    is_silent: bool,
    /// The threads of this process are not answered.
    ignored: Option<u32>,
    /// What the ignored process asked.
    asked: Vec<&'static str>,
    /// Questions without an answer. Dropping one would answer it.
    open: Vec<Box<dyn Any + Send>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({})", self.name)
    }
}

impl SilentMount {
    /// Mounts a file system with a copy of this file under this name; everybody is answered.
    #[track_caller]
    pub fn with(original: &Path, name: &str) -> Self {
        let folder = readable_folder();
        let content = fs_err::read(original).must("read the original");
        let name = name.to_owned();
        let path = folder.path().join(&name);
        let server = Arc::new(Server { name, content, state: Mutex::default() });
        let mut config = Config::default();
        let source = MountOption::FSName("forebear-test".to_owned());
        config.mount_options = vec![MountOption::RO, MountOption::Exec, source];
        let session = fuser::spawn_mount(Shared(Arc::clone(&server)), folder.path(), &config);
        let session = session.must("mount a file system in user space");
        Self { _session: session, server, path, _folder: folder }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From now on this process is not answered; everybody else is.
    pub fn ignore(&self, pid: u32) {
        self.server.state().ignored = Some(pid);
    }

    /// From now on nobody is answered.
    pub fn fall_silent(&self) {
        self.server.state().is_silent = true;
    }

    /// From now on everybody is answered; who waits gets an error.
    pub fn speak_again(&self) {
        let mut state = self.server.state();
        state.is_silent = false;
        state.ignored = None;
        state.open.clear();
    }

    /// What the ignored process asked.
    pub fn asked(&self) -> Vec<&'static str> {
        self.server.state().asked.clone()
    }
}

impl Drop for SilentMount {
    /// Nobody who waits could end otherwise, not even this process.
    fn drop(&mut self) {
        self.speak_again();
    }
}

impl Server {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reply, if it is to be given.
    fn may<R: Send + 'static>(&self, what: &'static str, request: &Request, reply: R) -> Option<R> {
        let mut state = self.state();
        let thread = request.pid();
        let is_ignored = state
            .ignored
            .is_some_and(|pid| Path::new(&format!("/proc/{pid}/task/{thread}")).exists());
        if is_ignored {
            state.asked.push(what);
        }
        if !state.is_silent && !is_ignored {
            return Some(reply);
        }
        state.open.push(Box::new(reply));
        None
    }

    fn attributes(&self, inode: INodeNo) -> FileAttr {
        let is_file = inode == FILE;
        let size = if is_file { self.content.len() as u64 } else { 0 };
        FileAttr {
            ino: inode,
            size,
            blocks: size.div_ceil(512),
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind: if is_file { FileType::RegularFile } else { FileType::Directory },
            perm: 0o755,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            flags: 0,
            blksize: 4096,
        }
    }
}

/// The server as the library wants it.
struct Shared(Arc<Server>);

impl Filesystem for Shared {
    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let Some(reply) = self.0.may("lookup", request, reply) else { return };
        if parent == INodeNo::ROOT && name == self.0.name.as_str() {
            reply.entry(&BELIEVED, &self.0.attributes(FILE), Generation(0));
        } else {
            reply.error(Errno::ENOENT);
        }
    }

    fn getattr(&self, request: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let Some(reply) = self.0.may("getattr", request, reply) else { return };
        reply.attr(&BELIEVED, &self.0.attributes(inode));
    }

    fn open(&self, request: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let Some(reply) = self.0.may("open", request, reply) else { return };
        reply.opened(FileHandle(0), fuser::FopenFlags::empty());
    }

    fn read(
        &self,
        request: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let Some(reply) = self.0.may("read", request, reply) else { return };
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.content.get(offset..));
        let rest = rest.unwrap_or_default();
        reply.data(&rest[..rest.len().min(size as usize)]);
    }
}
