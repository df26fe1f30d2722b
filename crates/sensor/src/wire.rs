//! Bytes of the kernel programs' records into observations.
//!
//! Invariants: nothing here panics, whatever the bytes are; a record that does not fit its own
//! lengths is [`Malformed`] as a whole. Texts are borrowed from the record, or from the decoder
//! where they had to be put together (paths arrive leaf first, long argument lists in pieces).
//! Nothing is decided here that the model decides.

mod calls;
mod effect;
pub mod layout;
mod parts;
mod pieces;
mod shell;
mod text;

use std::collections::VecDeque;
use std::ops::Range;

use forebear_model::observation::{
    Argv, Exec, Executable, Exit, Fork, Observation, ParentFacts, ProcessKey, Running,
};
use forebear_model::{BootTime, Gid, Known, Uid, Why};
use zerocopy::FromBytes;

use self::calls::Calls;
use self::pieces::Pieces;
use self::shell::Function;
use self::text::Texts;

pub(crate) use self::effect::number_of_shell;

const S_ISUID: u32 = 0o4000;
const S_ISGID: u32 = 0o2000;
const S_IXGRP: u32 = 0o0010;

/// How far apart two records of one end can be: the records of the other CPUs in between.
const REMEMBERED_EXITS: usize = 64;

/// A record that the programs cannot have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is shorter than its kind or its own lengths say.
    #[error("the record is shorter than it says")]
    Length,
    /// Its kind is not known.
    #[error("record kind {0} is not known")]
    Kind(u32),
    /// A text is not terminated, or holds a NUL.
    #[error("a text of the record is not terminated where it ends")]
    Text,
    /// A field has a value that is never written.
    #[error("field {0} of the record has an impossible value")]
    Value(&'static str),
}

/// Turns records into observations, in the order in which they are given.
#[derive(Debug)]
pub struct Decoder {
    max_argv: u64,
    pieces: Pieces,
    argv: Vec<u8>,
    paths: Vec<u8>,
    argv_incomplete: u64,
    /// The latest ends, where the kernel may report one twice.
    exits: Option<VecDeque<ProcessKey>>,
    calls: Calls,
    functions: Vec<Function>,
    /// A builtin's name.
    name: Vec<u8>,
}

impl Decoder {
    /// For records of programs that hand over at most `max_argv` bytes of an argument list.
    pub fn new(max_argv: u32) -> Self {
        Self {
            max_argv: u64::from(max_argv),
            pieces: Pieces::default(),
            argv: Vec::new(),
            paths: Vec::new(),
            argv_incomplete: 0,
            exits: None,
            calls: Calls::default(),
            functions: Vec::new(),
            name: Vec::new(),
        }
    }

    /// Drops the second record of an end that is reported twice, as kernels before 6.16 may do
    /// when the last two threads of a process end at once.
    pub fn drop_repeated_exits(&mut self) {
        self.exits = Some(VecDeque::with_capacity(REMEMBERED_EXITS));
    }

    /// How many argument lists came with less than was asked for.
    pub fn argv_incomplete(&self) -> u64 {
        self.argv_incomplete
    }

    /// One record; `None` for one that only prepares a later one.
    pub fn decode<'d>(
        &'d mut self,
        record: &'d [u8],
    ) -> Result<Option<Observation<'d>>, Malformed> {
        let (head, _) = fixed::<layout::Record>(record)?;
        match head.kind {
            layout::KIND_FORK => fork(record).map(Some),
            layout::KIND_EXEC => self.exec(record).map(Some),
            layout::KIND_EXIT => self.exit(record),
            layout::KIND_ARGV => {
                let (piece, rest) = fixed::<layout::Argv>(record)?;
                self.pieces.keep(&piece, rest)?;
                Ok(None)
            }
            layout::KIND_RUNNING => {
                let (running, _) = self.running(record)?;
                Ok(Some(Observation::Running(Box::new(running))))
            }
            layout::KIND_BUILTIN => self.builtin(record, None),
            layout::KIND_RETURN => {
                fixed::<layout::Return>(record)?;
                Ok(None)
            }
            layout::KIND_LINE => self.line(record).map(Some),
            layout::KIND_EFFECT => self.effect(record).map(Some),
            kind => Err(Malformed::Kind(kind)),
        }
    }

    /// One record, and the builtins that need not be waited for any more because of it; each
    /// observation is handed over.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn feed(
        &mut self,
        record: &[u8],
        sink: &mut dyn FnMut(&Observation<'_>),
    ) -> Result<(), Malformed> {
        let (head, _) = fixed::<layout::Record>(record)?;
        let is_noise = match head.kind {
            layout::KIND_BUILTIN => self.is_internal(record)?,
            layout::KIND_EFFECT => effect::is_noise(record)? || self.takes_back(record)?,
            _ => false,
        };
        if is_noise {
            return Ok(());
        }
        // A malformed builtin must not cost the record that ends the wait for it.
        let mut interrupted = Ok(());
        if !self.calls.is_empty()
            && let Some(pid) = actor(head.kind, record)?
            && let Some(call) = self.calls.interrupt(pid)
        {
            interrupted = self.settle(call, None, sink);
        }
        self.take(head, record, sink)?;
        interrupted
    }

    /// One record, without regard to what it ends.
    fn take(
        &mut self,
        head: layout::Record,
        record: &[u8],
        sink: &mut dyn FnMut(&Observation<'_>),
    ) -> Result<(), Malformed> {
        match head.kind {
            layout::KIND_BUILTIN if head.flags & layout::RETURNS != 0 => {
                let (builtin, _) = fixed::<layout::Builtin>(record)?;
                if self.calls.keep(&builtin, record) {
                    return Ok(());
                }
            }
            layout::KIND_EFFECT if effect::may_be_taken_back(record)? => {
                let (effect, _) = fixed::<layout::Effect>(record)?;
                if self.calls.keep_effect(&effect, record) {
                    return Ok(());
                }
            }
            layout::KIND_RETURN => {
                let (returned, _) = fixed::<layout::Return>(record)?;
                if let Some(call) = self.calls.finish(&returned) {
                    self.settle(call, Some(returned.status.cast_signed()), sink)?;
                }
                return Ok(());
            }
            _ => {}
        }
        if let Some(observation) = self.decode(record)? {
            sink(&observation);
        }
        Ok(())
    }

    /// Hands over the builtins that have been waited for long enough.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn feed_overdue(
        &mut self,
        now: BootTime,
        sink: &mut dyn FnMut(&Observation<'_>),
    ) -> Result<(), Malformed> {
        while let Some(call) = self.calls.overdue(now.0) {
            self.settle(call, None, sink)?;
        }
        Ok(())
    }

    fn settle(
        &mut self,
        call: calls::Call,
        exit_status: Option<i32>,
        sink: &mut dyn FnMut(&Observation<'_>),
    ) -> Result<(), Malformed> {
        let (head, _) = fixed::<layout::Record>(&call.record)?;
        let told = match head.kind {
            layout::KIND_EFFECT => self.effect(&call.record).map(Some)?,
            _ => self.builtin(&call.record, exit_status)?,
        };
        if let Some(observation) = told {
            sink(&observation);
        }
        self.calls.put_back(call);
        Ok(())
    }

    fn exit<'d>(&mut self, record: &[u8]) -> Result<Option<Observation<'d>>, Malformed> {
        let (exit, _) = fixed::<layout::Exit>(record)?;
        let process = parts::key(exit.process);
        self.pieces.forget(exit.process.pid);
        if let Some(exits) = &mut self.exits {
            if exits.contains(&process) {
                return Ok(None);
            }
            if exits.len() == REMEMBERED_EXITS {
                exits.pop_front();
            }
            exits.push_back(process);
        }
        Ok(Some(Observation::Exit(Exit {
            at: BootTime(exit.record.at),
            process,
            status: exit.status,
        })))
    }

    fn exec<'d>(&'d mut self, record: &'d [u8]) -> Result<Observation<'d>, Malformed> {
        let (exec, rest) = fixed::<layout::Exec>(record)?;
        let flags = exec.record.flags;
        let has = |flag: u32| flags & flag != 0;
        let mut texts = Texts::new(rest);
        let inline = self.within_limit(texts.take(exec.argv_length)?);
        let exe = texts.take(exec.exe_length)?;
        let cwd = texts.take(exec.cwd_length)?;
        let filename = match has(layout::FILENAME_READ) {
            true => Ok(texts.take_terminated(exec.filename_length)?),
            false => Err(Why::Unreadable),
        };
        let interpreter = match exec.interpreter_length {
            0 => None,
            length => Some(texts.take_terminated(length)?),
        };
        let parent_cwd = texts.take(exec.parent_cwd_length)?;
        let cgroup = texts.take(exec.cgroup_length)?;

        let streamed = has(layout::ARGV_STREAMED);
        if streamed {
            self.pieces.take(exec.process.pid, exec.record.at, &mut self.argv);
        }
        let argv_bytes = if streamed { self.argv.len() } else { inline.len() } as u64;
        if argv_bytes > exec.argv_total {
            return Err(Malformed::Value("argv_total"));
        }
        if argv_bytes < exec.argv_total.min(self.max_argv) {
            self.argv_incomplete += 1;
        }
        self.paths.clear();
        let exe_range = known_path(has(layout::EXE_WALKED), exe, &mut self.paths)?;
        let cwd_range = known_path(has(layout::CWD_WALKED), cwd, &mut self.paths)?;
        let parent_cwd_range = if has(layout::PARENT_CWD_SAME) {
            cwd_range.clone()
        } else {
            known_path(has(layout::PARENT_CWD_WALKED), parent_cwd, &mut self.paths)?
        };
        let cgroup_range = match exec.cgroup_length {
            0 => None,
            _ => known_path(true, cgroup, &mut self.paths)?.ok(),
        };

        let this = &*self;
        let state = parts::state(&exec.state)?;
        let executable = executable(exec.exe, flags, this.text(exe_range));
        let (setuid, setgid) = changed_ids(&state.credentials, &executable);
        let mut place = parts::place(exec.place);
        place.cgroup_path = this.text(cgroup_range.ok_or(Why::NotObservable)).ok();
        let parent_facts = match has(layout::PARENT) {
            false => None,
            true => Some(ParentFacts {
                state: parts::state(&exec.parent_state)?,
                place: parts::place(exec.parent_place),
                cwd: this.text(parent_cwd_range),
                file: has(layout::PARENT_FILE).then(|| parts::file(exec.parent_file)),
                comm: parts::comm(record, std::mem::offset_of!(layout::Exec, parent_comm)),
                parent: parts::key(exec.grandparent),
            }),
        };
        Ok(Observation::Exec(Box::new(Exec {
            at: BootTime(exec.record.at),
            process: parts::key(exec.process),
            state,
            place,
            executable,
            filename,
            // The kernel may have replaced the string by an equal one.
            interpreter: interpreter.filter(|interpreter| Ok(*interpreter) != filename),
            argv: Argv {
                bytes: if streamed { &this.argv } else { inline },
                total: exec.argv_total,
            },
            cwd: this.text(cwd_range),
            setuid,
            setgid,
            parent: parts::key(exec.parent),
            parent_facts,
            tcp_peer: parts::peer(&exec.peer)?,
        })))
    }

    /// The record of a running process at the start of `bytes`, and how long it is: an iterator
    /// writes its records without a frame.
    pub fn running<'d>(&'d mut self, bytes: &'d [u8]) -> Result<(Running<'d>, usize), Malformed> {
        let (running, rest) = fixed::<layout::Running>(bytes)?;
        let flags = running.record.flags;
        let has = |flag: u32| flags & flag != 0;
        if running.record.kind != layout::KIND_RUNNING {
            return Err(Malformed::Kind(running.record.kind));
        }
        let mut texts = Texts::new(rest);
        let argv = texts.take(running.argv_length)?;
        let exe = texts.take(running.exe_length)?;
        let cwd = texts.take(running.cwd_length)?;
        let cgroup = texts.take(running.cgroup_length)?;
        if argv.len() as u64 > running.argv_total {
            return Err(Malformed::Value("argv_total"));
        }
        let length =
            size_of::<layout::Running>() + argv.len() + exe.len() + cwd.len() + cgroup.len();

        self.paths.clear();
        let exe_range = known_path(has(layout::EXE_WALKED), exe, &mut self.paths)?;
        let cwd_range = known_path(has(layout::CWD_WALKED), cwd, &mut self.paths)?;
        let cgroup_range = known_path(true, cgroup, &mut self.paths)?;

        let this = &*self;
        let mut place = parts::place(running.place);
        place.cgroup_path = this.text(cgroup_range).ok();
        let argv = Argv { bytes: this.within_limit(argv), total: running.argv_total };
        let running = Running {
            process: parts::key(running.process),
            parent: parts::key(running.parent),
            state: parts::state(&running.state)?,
            place,
            executable: has(layout::EXE_PRESENT)
                .then(|| executable(running.exe, flags, this.text(exe_range))),
            comm: parts::comm(bytes, std::mem::offset_of!(layout::Running, comm)),
            argv: if has(layout::ARGV_READ) {
                Ok(argv)
            } else if has(layout::KERNEL_THREAD) {
                Err(Why::NotObservable)
            } else {
                Err(Why::Unreadable)
            },
            cwd: this.text(cwd_range),
            tcp_peer: parts::peer(&running.peer)?,
        };
        Ok((running, length))
    }

    /// Short lists come whole, whatever the limit is.
    fn within_limit<'d>(&self, argv: &'d [u8]) -> &'d [u8] {
        let limit = usize::try_from(self.max_argv).unwrap_or(usize::MAX);
        argv.get(..limit).unwrap_or(argv)
    }

    fn text(&self, range: Known<Range<usize>>) -> Known<&[u8]> {
        range.map(|range| self.paths.get(range).unwrap_or_default())
    }
}

/// Whether a record is of the first run of a file, as far as the programs remember.
pub(crate) fn is_first_run(record: &[u8]) -> bool {
    let head = fixed::<layout::Record>(record).map(|(head, _)| head);
    head.is_ok_and(|it| it.kind == layout::KIND_EXEC && it.flags & layout::EXE_NEW != 0)
}

/// Whose doing a record is, where that ends the wait for a builtin of the same process.
fn actor(kind: u32, record: &[u8]) -> Result<Option<u32>, Malformed> {
    Ok(match kind {
        layout::KIND_FORK => Some(fixed::<layout::Fork>(record)?.0.creator.pid),
        layout::KIND_EXEC => Some(fixed::<layout::Exec>(record)?.0.process.pid),
        layout::KIND_EXIT => Some(fixed::<layout::Exit>(record)?.0.process.pid),
        layout::KIND_BUILTIN => Some(fixed::<layout::Builtin>(record)?.0.process.pid),
        layout::KIND_LINE => Some(fixed::<layout::Line>(record)?.0.process.pid),
        layout::KIND_EFFECT => Some(fixed::<layout::Effect>(record)?.0.process.pid),
        _ => None,
    })
}

fn fork<'d>(record: &[u8]) -> Result<Observation<'d>, Malformed> {
    let (fork, _) = fixed::<layout::Fork>(record)?;
    Ok(Observation::Fork(Fork {
        at: BootTime(fork.record.at),
        creator: parts::key(fork.creator),
        parent: parts::key(fork.parent),
        child: parts::key(fork.child),
        state: parts::state(&fork.state)?,
        place: parts::place(fork.place),
        kernel_thread: fork.record.flags & layout::KERNEL_THREAD != 0,
    }))
}

/// Copies the fixed part: the records of an iterator are not aligned.
fn fixed<T: FromBytes>(bytes: &[u8]) -> Result<(T, &[u8]), Malformed> {
    T::read_from_prefix(bytes).map_err(|_| Malformed::Length)
}

fn known_path(
    walked: bool,
    components: &[u8],
    paths: &mut Vec<u8>,
) -> Result<Known<Range<usize>>, Malformed> {
    if !walked {
        return Ok(Err(Why::Unreadable));
    }
    let start = paths.len();
    text::append_reversed(components, paths)?;
    Ok(Ok(start..paths.len()))
}

fn executable<'a>(file: layout::File, flags: u32, path: Known<&'a [u8]>) -> Executable<'a> {
    let memfd =
        flags & layout::EXE_LONE != 0 && path.is_ok_and(|path| path.starts_with(b"/memfd:"));
    Executable {
        path: if flags & layout::EXE_PRESENT == 0 { Err(Why::NotObservable) } else { path },
        file: parts::file(file),
        owner: Uid(file.owner),
        group: Gid(file.group),
        mode: file.mode,
        deleted: flags & layout::EXE_DELETED != 0 && !memfd,
        memfd,
        upper_layer: flags & layout::EXE_UPPER != 0,
    }
}

/// Whether the effective ids are the file's because of its mode (execve(2)): a set-group-ID bit
/// without group execute means mandatory locking, not this.
fn changed_ids(ids: &forebear_model::Credentials, file: &Executable<'_>) -> (bool, bool) {
    let setuid = file.mode & S_ISUID != 0 && ids.euid == file.owner && ids.euid != ids.uid;
    let setgid = file.mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP
        && ids.egid == file.group
        && ids.egid != ids.gid;
    (setuid, setgid)
}
