//! The records of `bpf/wire.h`, mirrored field by field.
//!
//! Invariant: every struct here has the size and offsets of its C twin; `tests/layout.rs`
//! compares them with the type information of the compiled objects. Meanings are documented
//! there, once.

#![expect(missing_docs, reason = "each field is documented where it is filled, in bpf/wire.h")]

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident = $c_name:literal { $($field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
            #[repr(C)]
            pub struct $name { $(pub $field: $type,)* }
        )*

        /// C name, size and the offset of every field, of every record and part of one.
        pub const LAYOUTS: &[(&str, usize, &[(&str, usize)])] = &[$((
            $c_name,
            size_of::<$name>(),
            &[$((stringify!($field), std::mem::offset_of!($name, $field)),)*],
        ),)*];
    };
}

records! {
    /// Heads every record.
    Record = "fb_record" { kind: u32, flags: u32, at: u64, }
    /// A process, told apart from every other.
    Key = "fb_key" { start: u64, pid: u32, unused: u32, }
    /// One standard stream.
    Stream = "fb_stream" { device: u32, mode: u16, flags: u16, }
    /// What changes while a process runs.
    State = "fb_state" {
        uid: u32,
        euid: u32,
        gid: u32,
        egid: u32,
        login_uid: u32,
        audit_session: u32,
        sid: u32,
        pgid: u32,
        tty_device: u32,
        tty_kind: u8,
        streams_known: u8,
        unused: u16,
        streams: [Stream; 3],
    }
    /// Pid namespace and control group.
    Place = "fb_place" { cgroup: u64, namespace_id: u32, level: u32, pid: u32, unused: u32, }
    /// A file.
    File = "fb_file" { inode: u64, device: u32, owner: u32, group: u32, mode: u32, }
    /// The far end of an accepted connection.
    Peer = "fb_peer" { address: [u8; 16], family: u16, port: [u8; 2], unused: u32, }
    /// A process was created.
    Fork = "fb_fork" {
        record: Record,
        creator: Key,
        parent: Key,
        child: Key,
        state: State,
        place: Place,
    }
    /// A process ended.
    Exit = "fb_exit" { record: Record, process: Key, status: u32, unused: u32, }
    /// A piece of an argument list; its bytes follow.
    Argv = "fb_argv" { record: Record, pid: u32, offset: u32, length: u32, unused: u32, }
    /// A process ran a program; texts follow.
    Exec = "fb_exec" {
        record: Record,
        process: Key,
        parent: Key,
        grandparent: Key,
        state: State,
        parent_state: State,
        place: Place,
        parent_place: Place,
        exe: File,
        parent_file: File,
        peer: Peer,
        parent_comm: [u8; 16],
        argv_total: u64,
        argv_length: u32,
        exe_length: u32,
        cwd_length: u32,
        filename_length: u32,
        interpreter_length: u32,
        parent_cwd_length: u32,
        cgroup_length: u32,
        unused: u32,
    }
    /// A process that runs; texts follow.
    Running = "fb_running" {
        record: Record,
        process: Key,
        parent: Key,
        state: State,
        place: Place,
        exe: File,
        peer: Peer,
        comm: [u8; 16],
        argv_total: u64,
        argv_length: u32,
        exe_length: u32,
        cwd_length: u32,
        cgroup_length: u32,
    }
    /// A shell begins a builtin; texts follow.
    Builtin = "fb_builtin" {
        record: Record,
        process: Key,
        parent: Key,
        state: State,
        place: Place,
        argv_total: u64,
        function: u32,
        name_length: u32,
        argv_length: u32,
        cwd_length: u32,
    }
    /// A builtin has returned.
    Return = "fb_return" { record: Record, process: Key, status: u32, function: u32, }
    /// A shell's editor hands over a line, or is about to ask for one; its bytes follow.
    Line = "fb_line" { record: Record, process: Key, total: u64, length: u32, editor: u32, }
    /// A shell's system call has changed something; path and working directory follow.
    Effect = "fb_effect" {
        record: Record,
        process: Key,
        parent: Key,
        state: State,
        place: Place,
        values: [u64; 3],
        effect: u32,
        shell: u32,
        path_length: u32,
        cwd_length: u32,
    }
    /// What did not arrive, on one CPU.
    Losses = "fb_losses" {
        forks: u64,
        execs: u64,
        exits: u64,
        argv_pieces: u64,
        argv_unreadable: u64,
        builtins: u64,
        builtins_suppressed: u64,
    }
    /// A shell at which a person types, and which of its effects are told.
    Watched = "fb_watched" {
        start: u64,
        second: u64,
        calls: u32,
        shell: u32,
        effects: u32,
        unused: u32,
    }
    /// What the loader decides before the programs are loaded.
    Settings = "fb_settings" {
        wake_bytes: u64,
        max_argv: u32,
        wake_on_new_file: u32,
        builtin_rate: u32,
        only_named: u32,
    }
}

pub const KIND_FORK: u32 = 1;
pub const KIND_EXEC: u32 = 2;
pub const KIND_EXIT: u32 = 3;
pub const KIND_ARGV: u32 = 4;
pub const KIND_RUNNING: u32 = 5;
pub const KIND_BUILTIN: u32 = 6;
pub const KIND_RETURN: u32 = 7;
pub const KIND_LINE: u32 = 8;
pub const KIND_EFFECT: u32 = 9;

pub const KERNEL_THREAD: u32 = 1 << 0;
pub const EXE_PRESENT: u32 = 1 << 1;
pub const EXE_WALKED: u32 = 1 << 2;
pub const EXE_LONE: u32 = 1 << 3;
pub const EXE_DELETED: u32 = 1 << 4;
pub const EXE_UPPER: u32 = 1 << 5;
pub const CWD_WALKED: u32 = 1 << 6;
pub const FILENAME_READ: u32 = 1 << 7;
pub const PARENT: u32 = 1 << 8;
pub const PARENT_FILE: u32 = 1 << 9;
pub const PARENT_CWD_WALKED: u32 = 1 << 10;
pub const PARENT_CWD_SAME: u32 = 1 << 11;
pub const ARGV_STREAMED: u32 = 1 << 12;
pub const ARGV_READ: u32 = 1 << 13;
pub const NAME_READ: u32 = 1 << 14;
pub const RETURNS: u32 = 1 << 15;
pub const LINE_TEXT: u32 = 1 << 16;
pub const LINE_CONTINUES: u32 = 1 << 17;
pub const EXE_NEW: u32 = 1 << 18;
pub const PATH_READ: u32 = 1 << 19;
pub const SUBSHELL: u32 = 1 << 20;

pub const LINE_OF_ZSH: u32 = 1;

pub const EFFECT_CHDIR: u32 = 1;
pub const EFFECT_FCHDIR: u32 = 2;
pub const EFFECT_UMASK: u32 = 4;
pub const EFFECT_KILL: u32 = 8;
pub const EFFECT_LIMIT: u32 = 16;

pub const STREAM_OPEN: u16 = 1;
pub const STREAM_CTTY: u16 = 2;

pub const TTY_NONE: u8 = 0;
pub const TTY_OTHER: u8 = 1;
pub const TTY_CONSOLE: u8 = 2;
pub const TTY_SERIAL: u8 = 3;
pub const TTY_PTY: u8 = 4;
