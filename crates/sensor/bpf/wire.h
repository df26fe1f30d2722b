/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The records that the programs hand to user space, one struct each.
 *
 * Rules: no holes, fields naturally aligned, numbers never reused for another meaning. Each is
 * mirrored by hand in src/wire/layout.rs; a test compares the two from this object's BTF.
 */
#ifndef FOREBEAR_WIRE_H
#define FOREBEAR_WIRE_H

#include "kernel.h"

enum {
	FB_KIND_FORK = 1,
	FB_KIND_EXEC = 2,
	FB_KIND_EXIT = 3,
	FB_KIND_ARGV = 4,
	FB_KIND_RUNNING = 5,
	FB_KIND_BUILTIN = 6,
	FB_KIND_RETURN = 7,
	FB_KIND_LINE = 8,
	FB_KIND_EFFECT = 9,
};

/* Flags of a record; which apply depends on the kind. */
#define FB_KERNEL_THREAD (1u << 0)
#define FB_EXE_PRESENT (1u << 1)
#define FB_EXE_WALKED (1u << 2)	 /* the walk of the executable's path reached the root */
#define FB_EXE_LONE (1u << 3)	 /* its dentry has no parent: one pseudo name, no directory */
#define FB_EXE_DELETED (1u << 4)
#define FB_EXE_UPPER (1u << 5)
#define FB_CWD_WALKED (1u << 6)
#define FB_FILENAME_READ (1u << 7)
#define FB_PARENT (1u << 8)	 /* the parent's facts are filled in */
#define FB_PARENT_FILE (1u << 9)
#define FB_PARENT_CWD_WALKED (1u << 10)
#define FB_PARENT_CWD_SAME (1u << 11) /* the same as self's; not repeated */
#define FB_ARGV_STREAMED (1u << 12) /* in FB_KIND_ARGV records before this one */
#define FB_ARGV_READ (1u << 13)
#define FB_NAME_READ (1u << 14)
#define FB_RETURNS (1u << 15)	 /* an FB_KIND_RETURN record may follow */
#define FB_LINE_TEXT (1u << 16)	 /* a line was read; without: the last one is carried out */
#define FB_LINE_CONTINUES (1u << 17) /* the command of the line before */
#define FB_EXE_NEW (1u << 18) /* the file was not run before, as far as is remembered */
#define FB_PATH_READ (1u << 19)
#define FB_SUBSHELL (1u << 20) /* a child of the shell that runs no program of its own */

/* Heads every record. */
struct fb_record {
	u32 kind;
	u32 flags;
	u64 at; /* CLOCK_BOOTTIME, ns */
};

struct fb_key {
	u64 start; /* start_boottime of the group leader, ns */
	u32 pid;   /* thread group id in the initial namespace */
	u32 unused;
};

#define FB_STREAM_OPEN 1
#define FB_STREAM_CTTY 2

struct fb_stream {
	u32 device; /* the kernel's dev_t: i_rdev of a device, else s_dev */
	u16 mode;
	u16 flags;
};

enum {
	FB_TTY_NONE = 0,
	FB_TTY_OTHER = 1,
	FB_TTY_CONSOLE = 2,
	FB_TTY_SERIAL = 3,
	FB_TTY_PTY = 4,
};

struct fb_state {
	u32 uid;
	u32 euid;
	u32 gid;
	u32 egid;
	u32 login_uid;	   /* all ones: not set */
	u32 audit_session; /* all ones: not set */
	u32 sid;
	u32 pgid;
	u32 tty_device;
	u8 tty_kind;
	u8 streams_known;
	u16 unused;
	struct fb_stream streams[3];
};

struct fb_place {
	u64 cgroup;
	u32 namespace_id;
	u32 level; /* 0: the initial pid namespace, and the two others mean nothing */
	u32 pid;
	u32 unused;
};

struct fb_file {
	u64 inode;
	u32 device;
	u32 owner;
	u32 group;
	u32 mode;
};

struct fb_peer {
	u8 address[16]; /* four bytes of it for AF_INET */
	u16 family;	/* 0: none found */
	u16 port;	/* network byte order, as in the socket */
	u32 unused;
};

struct fb_fork {
	struct fb_record record;
	struct fb_key creator;
	struct fb_key parent;
	struct fb_key child;
	struct fb_state state;
	struct fb_place place;
};

struct fb_exit {
	struct fb_record record;
	struct fb_key process;
	u32 status;
	u32 unused;
};

/* A piece of an argument list; `record.at` is that of the exec record that will complete it. */
struct fb_argv {
	struct fb_record record;
	u32 pid;
	u32 offset;
	u32 length;
	u32 unused;
	/* `length` bytes follow */
};

/*
 * After the fixed part follow, without gaps: argv (if not streamed), executable path, cwd,
 * filename, interpreter, the parent's cwd, the control group's path. Paths that were walked are
 * NUL-terminated components, leaf first; filename and interpreter are NUL-terminated.
 */
struct fb_exec {
	struct fb_record record;
	struct fb_key process;
	struct fb_key parent;
	struct fb_key grandparent;
	struct fb_state state;
	struct fb_state parent_state;
	struct fb_place place;
	struct fb_place parent_place;
	struct fb_file exe;
	struct fb_file parent_file;
	struct fb_peer peer;
	u8 parent_comm[16];
	u64 argv_total;
	u32 argv_length;
	u32 exe_length;
	u32 cwd_length;
	u32 filename_length;
	u32 interpreter_length;
	u32 parent_cwd_length;
	u32 cgroup_length;
	u32 unused;
};

/* After the fixed part: argv, executable path, cwd, the control group's path. */
struct fb_running {
	struct fb_record record;
	struct fb_key process;
	struct fb_key parent;
	struct fb_state state;
	struct fb_place place;
	struct fb_file exe;
	struct fb_peer peer;
	u8 comm[16];
	u64 argv_total;
	u32 argv_length;
	u32 exe_length;
	u32 cwd_length;
	u32 cgroup_length;
};

/*
 * A shell begins a builtin. After the fixed part: the name that it was called as, the words (the
 * name among them or not, as the shell's function has it), cwd.
 */
struct fb_builtin {
	struct fb_record record;
	struct fb_key process;
	struct fb_key parent;
	struct fb_state state;
	struct fb_place place;
	u64 argv_total;
	u32 function; /* the number that user space gave the probed function */
	u32 name_length;
	u32 argv_length;
	u32 cwd_length;
};

/* The builtin that the process began last has returned. */
struct fb_return {
	struct fb_record record;
	struct fb_key process;
	u32 status;
	u32 function;
};

#define FB_LINE_OF_BASH 0
#define FB_LINE_OF_ZSH 1

/* A shell's editor hands over a line, or is about to ask for one. */
struct fb_line {
	struct fb_record record;
	struct fb_key process;
	u64 total;
	u32 length;
	u32 editor;
	/* `length` bytes follow */
};

/* What a system call did to the shell that made it, or to others; bits of a mask. */
#define FB_EFFECT_CHDIR 1  /* path */
#define FB_EFFECT_FCHDIR 2
#define FB_EFFECT_UMASK 4  /* the new mask, the one before */
#define FB_EFFECT_KILL 8   /* target, signal */
#define FB_EFFECT_LIMIT 16 /* resource, soft limit, hard limit */

/*
 * A shell's system call that succeeded. After the fixed part: the path as it was given to the
 * kernel, NUL-terminated, and the working directory that the shell now has.
 */
struct fb_effect {
	struct fb_record record;
	struct fb_key process;
	struct fb_key parent;
	struct fb_state state;
	struct fb_place place;
	u64 values[3];
	u32 effect;
	u32 shell; /* the number that user space gave the shell */
	u32 path_length;
	u32 cwd_length;
};

/* What did not arrive, per CPU. */
struct fb_losses {
	u64 forks;
	u64 execs;
	u64 exits;
	u64 argv_pieces;
	u64 argv_unreadable;
	u64 builtins;
	u64 builtins_suppressed; /* by the rate guard */
};

/* A shell at which a person types; user space says which are. */
struct fb_watched {
	u64 start;
	u64 second; /* of the boot clock, about */
	u32 calls;  /* effects in it */
	u32 shell;
	u32 effects; /* which are told */
	u32 unused;
};

/* What the loader decides before the programs are loaded. */
struct fb_settings {
	u64 wake_bytes; /* at how many unread bytes the reader is woken */
	u32 max_argv;	/* how many bytes of an argument list are handed over */
	u32 wake_on_new_file; /* whether the first run of a file wakes the reader */
	u32 builtin_rate; /* how many builtins of one process a second are handed over */
	u32 only_named; /* a shell's one function for all builtins: only those of `names` */
};

_Static_assert(sizeof(struct fb_state) == 64, "fb_state has no holes");
_Static_assert(sizeof(struct fb_fork) == 152, "fb_fork has no holes");
_Static_assert(sizeof(struct fb_exit) == 40, "fb_exit has no holes");
_Static_assert(sizeof(struct fb_argv) == 32, "fb_argv has no holes");
_Static_assert(sizeof(struct fb_exec) == 368, "fb_exec has no holes");
_Static_assert(sizeof(struct fb_builtin) == 160, "fb_builtin has no holes");
_Static_assert(sizeof(struct fb_return) == 40, "fb_return has no holes");
_Static_assert(sizeof(struct fb_line) == 48, "fb_line has no holes");
_Static_assert(sizeof(struct fb_effect) == 176, "fb_effect has no holes");
_Static_assert(sizeof(struct fb_running) == 224, "fb_running has no holes");

#endif
