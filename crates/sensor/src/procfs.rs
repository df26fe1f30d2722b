//! The running processes, from `/proc` alone: for machines and users without eBPF.
//!
//! Start times are those of the clock tick in which a process started, which is all that `/proc`
//! tells; identities are made of ticks, so they are the same as those of the live sensor. Not
//! observable here: whether a file lies in an overlay's upper layer (told as no).
//!
//! Invariants: a process that ends while it is read is left out; what the reader may not see is
//! [`Why::PermissionDenied`] in its place; nothing is read twice to make a picture from two
//! moments, except that a parent's start time is that of whoever has its pid when asked.

mod parse;
mod peer;
mod task;

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use forebear_model::observation::{
    Argv, Executable, Observation, PidNamespace, Place, ProcessKey, Running, State, TcpPeer,
};
use forebear_model::{
    AuditSession, CgroupId, Credentials, Gid, NamespaceId, Pgid, Pid, Sid, Terminal, TerminalKind,
    Ticks, Uid, Why,
};

use self::parse::Hierarchy;
use self::peer::Connections;
use self::task::{Failure, Task};
use crate::{Error, SnapshotReport, boot_time};

const PF_KTHREAD: u32 = 0x0020_0000;

/// `/proc`, or a picture of it elsewhere.
#[derive(Clone, Debug)]
pub struct ProcFs {
    proc_dir: PathBuf,
    cgroup_dir: PathBuf,
    max_argv: u64,
    drivers: Vec<u8>,
    console: Option<String>,
}

/// What is looked up once a snapshot.
#[derive(Debug, Default)]
struct Memory {
    starts: HashMap<u32, u64>,
    cgroups: HashMap<(Hierarchy, Vec<u8>), CgroupId>,
    /// By network namespace.
    connections: HashMap<Vec<u8>, Connections>,
}

impl ProcFs {
    /// Below `root`: the root directory of a file system with `proc` in it, or `/proc` itself.
    ///
    /// # Errors
    /// [`Error::File`] when there is no such directory.
    pub fn new(root: &Path) -> Result<Self, Error> {
        let inner = root.join("proc");
        let (root, proc_dir) = if inner.is_dir() {
            (root.to_owned(), inner)
        } else {
            (root.parent().unwrap_or(root).to_owned(), root.to_owned())
        };
        fs::read_dir(&proc_dir).map_err(|source| Error::File {
            operation: "list",
            path: proc_dir.clone(),
            source,
        })?;
        let drivers = fs::read(proc_dir.join("tty/drivers")).unwrap_or_default();
        // The last one named is the one that /dev/console stands for.
        let console = fs::read_to_string(root.join("sys/class/tty/console/active"))
            .ok()
            .and_then(|names| names.split_whitespace().last().map(str::to_owned));
        let cgroup_dir = root.join("sys/fs/cgroup");
        let max_argv = u64::from(crate::LiveOptions::default().max_argv);
        Ok(Self { proc_dir, cgroup_dir, max_argv, drivers, console })
    }

    /// Hands over at most that many bytes of each argument list.
    #[must_use]
    pub fn max_argv(mut self, bytes: u32) -> Self {
        self.max_argv = u64::from(bytes);
        self
    }

    /// Hands over [`Observation::SnapshotBegin`] and one [`Observation::Running`] for each
    /// process.
    ///
    /// # Errors
    /// [`Error::File`] when the directory cannot be listed.
    pub fn snapshot(
        &self,
        sink: &mut dyn FnMut(&Observation<'_>),
    ) -> Result<SnapshotReport, Error> {
        sink(&Observation::SnapshotBegin(boot_time()));
        let mut report = SnapshotReport::default();
        self.processes(self.pids()?, &mut report, sink);
        Ok(report)
    }

    /// Hands over one [`Observation::Running`] for each of these pids that is a process.
    pub(crate) fn processes(
        &self,
        pids: impl IntoIterator<Item = u32>,
        report: &mut SnapshotReport,
        sink: &mut dyn FnMut(&Observation<'_>),
    ) {
        let mut memory = Memory::default();
        for pid in pids {
            match self.process(pid, &mut memory, sink) {
                Ok(is_process) => report.processes += u64::from(is_process),
                Err(Failure::Gone) => {}
                Err(Failure::Problem(problem)) => report.problems.push(problem),
            }
        }
    }

    /// Appends the arguments of a process, at most `limit` bytes of them, to an emptied `into`,
    /// if it still is that process; returns how many bytes there are.
    pub(crate) fn cmdline(
        &self,
        process: ProcessKey,
        limit: u32,
        into: &mut Vec<u8>,
    ) -> Result<u64, Why> {
        into.clear();
        let task = self.task(process.pid.0);
        let total = task.cmdline(u64::from(limit), into)?;
        let text = task.read("stat").map_err(|_| Why::ExitedBeforeCapture)?;
        match parse::stat(&text) {
            Some(stat) if Ticks(stat.start) == process.start.ticks() => Ok(total),
            _ => Err(Why::ExitedBeforeCapture),
        }
    }

    /// The processes that there are, by pid.
    pub(crate) fn pids(&self) -> Result<Vec<u32>, Error> {
        let failed =
            |source| Error::File { operation: "list", path: self.proc_dir.clone(), source };
        let mut pids: Vec<u32> = fs::read_dir(&self.proc_dir)
            .map_err(failed)?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        pids.sort_unstable();
        Ok(pids)
    }

    fn task(&self, pid: u32) -> Task {
        Task::new(self.proc_dir.join(pid.to_string()))
    }

    /// One process; `false` for one that has ended and only waits to be reaped.
    fn process(
        &self,
        pid: u32,
        memory: &mut Memory,
        sink: &mut dyn FnMut(&Observation<'_>),
    ) -> Result<bool, Failure> {
        let leader = self.task(pid);
        let malformed = |name: &str| {
            Failure::Problem(format!("/proc/{pid}/{name} is not in the documented form"))
        };
        let stat_text = leader.read("stat")?;
        let stat = parse::stat(&stat_text).ok_or_else(|| malformed("stat"))?;
        let has_ended = matches!(stat.state, b'Z' | b'X');
        if has_ended && stat.threads <= 1 {
            return Ok(false);
        }
        let task = if has_ended { leader.living_thread()? } else { leader };
        let status = parse::status(&task.read("status")?).ok_or_else(|| malformed("status"))?;
        let is_kernel_thread = stat.flags & PF_KTHREAD != 0;

        let tty = stat.tty.map(|device| self.terminal(device));
        let exe = task.exe();
        let executable = exe.as_ref().map(|exe| Executable {
            path: exe.path.as_deref().map_err(|why| *why),
            file: exe.file,
            owner: Uid(exe.owner),
            group: Gid(exe.group),
            mode: exe.mode,
            deleted: exe.deleted,
            memfd: exe.memfd,
            upper_layer: false,
        });
        let mut argv = Vec::new();
        let argv = if is_kernel_thread {
            Err(Why::NotObservable)
        } else {
            task.cmdline(self.max_argv, &mut argv)
                .map(|total| Argv { bytes: argv.as_slice(), total })
        };
        let cwd = task.cwd();
        let cgroup_text = task.read("cgroup").unwrap_or_default();
        let cgroup = parse::cgroup(&cgroup_text);
        let [uid, euid] = status.uids.map(Uid);
        let [gid, egid] = status.gids.map(Gid);
        let running = Running {
            process: key(pid, stat.start),
            parent: self.parent(stat.ppid, memory),
            state: State {
                credentials: Credentials { uid, euid, gid, egid },
                login_uid: task.login_number("loginuid").map(Uid),
                audit_session: task.login_number("sessionid").map(AuditSession),
                sid: Sid(stat.sid),
                pgid: Pgid(stat.pgid),
                tty,
                streams: task.streams(tty, self.console.as_deref())?,
            },
            place: Place {
                pid_namespace: pid_namespace(&task, &status),
                cgroup: cgroup.map_or(CgroupId(0), |cgroup| self.cgroup_id(cgroup, memory)),
                cgroup_path: cgroup.map(|(_, path)| path),
            },
            executable,
            comm: stat.comm,
            argv,
            cwd: cwd.as_deref().map_err(|why| *why),
            tcp_peer: if stat.sid == pid { self.tcp_peer(stat.ppid, memory) } else { None },
        };
        memory.starts.insert(pid, stat.start);
        sink(&Observation::Running(Box::new(running)));
        Ok(true)
    }

    /// The number decides where it can; `/proc/tty/drivers` tells the rest.
    fn terminal(&self, device: forebear_model::Device) -> Terminal {
        let mut terminal = Terminal::new(device);
        if terminal.kind == TerminalKind::Other
            && let Some(kind) = parse::driver_kind(&self.drivers, device)
        {
            terminal.kind = kind;
        }
        terminal
    }

    fn parent(&self, pid: u32, memory: &mut Memory) -> ProcessKey {
        let known = memory.starts.get(&pid).copied();
        let start = known.or_else(|| {
            let text = self.task(pid).read("stat").ok()?;
            parse::stat(&text).map(|stat| stat.start)
        });
        // Nobody has started pid 0.
        key(pid, start.unwrap_or_default())
    }

    /// The far end of the first connection that a process has accepted.
    fn tcp_peer(&self, pid: u32, memory: &mut Memory) -> Option<TcpPeer> {
        let task = self.task(pid);
        let sockets = task.sockets();
        if sockets.is_empty() {
            return None;
        }
        // Where the namespace may not be seen, the tables may, but belong to nobody by name.
        let namespace = task.network_namespace().unwrap_or_else(|| pid.to_ne_bytes().to_vec());
        let connections = memory.connections.entry(namespace).or_insert_with(|| {
            let table = |name| task.read(name).unwrap_or_default();
            Connections::parse(&[&table("net/tcp"), &table("net/tcp6")])
        });
        sockets.into_iter().find_map(|inode| connections.peer(inode))
    }

    /// The kernel's id of a control group is its directory's inode number.
    fn cgroup_id(&self, cgroup: (Hierarchy, &[u8]), memory: &mut Memory) -> CgroupId {
        let (hierarchy, path) = cgroup;
        if let Some(id) = memory.cgroups.get(&(hierarchy, path.to_vec())) {
            return *id;
        }
        let below = Path::new(std::ffi::OsStr::new(
            std::str::from_utf8(path).unwrap_or_default().trim_start_matches('/'),
        ));
        let mounts: &[&str] = match hierarchy {
            Hierarchy::Unified => &["", "unified"],
            Hierarchy::Memory => &["memory"],
            Hierarchy::Pids => &["pids"],
        };
        let id = mounts
            .iter()
            .map(|mount| self.cgroup_dir.join(mount))
            .filter(|mount| hierarchy != Hierarchy::Unified || mount.join("cgroup.procs").exists())
            .find_map(|mount| fs::metadata(mount.join(below)).ok())
            .map_or(CgroupId(0), |directory| CgroupId(directory.ino()));
        memory.cgroups.insert((hierarchy, path.to_vec()), id);
        id
    }
}

fn key(pid: u32, start_ticks: u64) -> ProcessKey {
    ProcessKey { pid: Pid(pid), start: Ticks(start_ticks).start() }
}

/// More than one pid means a namespace below the reader's.
fn pid_namespace(task: &Task, status: &parse::Status) -> Option<PidNamespace> {
    let (own, outer) = status.namespace_pids.split_last()?;
    if outer.is_empty() {
        return None;
    }
    Some(PidNamespace {
        id: NamespaceId(task.pid_namespace()?),
        level: u32::try_from(outer.len()).ok()?,
        pid: Pid(*own),
    })
}
