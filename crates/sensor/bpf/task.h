/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The facts about a task that are plain numbers: key, ids, terminal, streams, place, file.
 *
 * Everything reached from a task by fields with known types is loaded directly. Facts of the
 * process are taken from the group leader (key, pid namespace) where a leader that has ended
 * still has them, and from the given task (files, credentials, memory) where it has not.
 */
#ifndef FOREBEAR_TASK_H
#define FOREBEAR_TASK_H

#include "wire.h"
#include "pointer.h"

static __always_inline void fill_key(struct fb_key *key, struct task_struct *task)
{
	key->start = task->group_leader->start_boottime;
	key->pid = task->tgid;
	key->unused = 0;
}

static __always_inline u8 tty_kind(struct tty_driver *driver)
{
	int type, console, serial, pty;

	if (bpf_core_field_exists(struct tty_driver___enum, type)) {
		type = (int)((struct tty_driver___enum *)driver)->type;
		console = bpf_core_enum_value(enum tty_driver_type, TTY_DRIVER_TYPE_CONSOLE);
		serial = bpf_core_enum_value(enum tty_driver_type, TTY_DRIVER_TYPE_SERIAL);
		pty = bpf_core_enum_value(enum tty_driver_type, TTY_DRIVER_TYPE_PTY);
	} else {
		/* include/linux/tty_driver.h before 6.16. */
		type = ((struct tty_driver___short *)driver)->type;
		console = 2;
		serial = 3;
		pty = 4;
	}
	if (type == console)
		return FB_TTY_CONSOLE;
	if (type == serial)
		return FB_TTY_SERIAL;
	if (type == pty)
		return FB_TTY_PTY;
	return FB_TTY_OTHER;
}

/* Majors whose character devices are opened by the tty layer whatever their minor is. */
static __always_inline bool is_tty_major(u32 major)
{
	return major == 4 || major == 5 || (major >= 136 && major <= 143);
}

static __always_inline void fill_stream(struct fb_stream *stream, u64 address,
					u64 tty, u32 tty_device)
{
	struct file *file;
	struct inode *inode;
	struct super_block *super;
	u32 type, device;

	stream->device = 0;
	stream->mode = 0;
	stream->flags = 0;
	if (!address)
		return;
	file = HOLD(struct file, address);
	inode = GET(file, f_inode);
	stream->flags = FB_STREAM_OPEN;
	stream->mode = GET(inode, i_mode);
	type = stream->mode & S_IFMT;
	if (type != S_IFCHR) {
		if (type == S_IFBLK) {
			stream->device = GET(inode, i_rdev);
		} else {
			super = GET(inode, i_sb);
			stream->device = GET(super, s_dev);
		}
		return;
	}
	device = GET(inode, i_rdev);
	stream->device = device;
	if (!tty)
		return;
	if (is_tty_major(device >> 20)) {
		/*
		 * The terminal that the file is really open on: /dev/tty and /dev/console stand
		 * for another one, and another devpts instance has the same numbers. It is NULL
		 * for a file opened with O_PATH.
		 */
		u64 private = (u64)GET(file, private_data);

		if (private) {
			struct tty_file_private *opened = HOLD(struct tty_file_private, private);

			if ((u64)GET(opened, tty) == tty)
				stream->flags |= FB_STREAM_CTTY;
		}
	} else if (device == tty_device) {
		stream->flags |= FB_STREAM_CTTY;
	}
}

/* Standard input and standard error are the controlling terminal. */
static __always_inline bool is_on_terminal(struct task_struct *task)
{
	struct tty_struct *tty = task->signal->tty;
	struct files_struct *files = task->files;
	struct fb_stream stream;
	struct tty_driver *driver;
	u64 open[3] = {};
	u32 device;

	if (!tty || !files)
		return false;
	driver = tty->driver;
	device = ((u32)driver->major << 20 | (u32)driver->minor_start) + (u32)tty->index;
	bpf_probe_read_kernel(open, sizeof(open), files->fdt->fd);
	fill_stream(&stream, open[0], (u64)tty, device);
	if (!(stream.flags & FB_STREAM_CTTY))
		return false;
	fill_stream(&stream, open[2], (u64)tty, device);
	return stream.flags & FB_STREAM_CTTY;
}

static __always_inline void fill_state(struct fb_state *state, struct task_struct *task)
{
	const struct cred *cred = task->real_cred;
	struct signal_struct *signal = task->signal;
	struct tty_struct *tty = signal->tty;
	struct files_struct *files = task->files;
	struct pid *session = signal->pids[PIDTYPE_SID];
	struct pid *group = signal->pids[PIDTYPE_PGID];

	state->uid = cred->uid.val;
	state->euid = cred->euid.val;
	state->gid = cred->gid.val;
	state->egid = cred->egid.val;
	state->login_uid = bpf_core_field_exists(task->loginuid) ? task->loginuid.val : ~0u;
	state->audit_session = bpf_core_field_exists(task->sessionid) ? task->sessionid : ~0u;
	state->sid = session ? session->numbers[0].nr : 0;
	state->pgid = group ? group->numbers[0].nr : 0;
	state->tty_device = 0;
	state->tty_kind = FB_TTY_NONE;
	state->unused = 0;
	if (tty) {
		struct tty_driver *driver = tty->driver;

		state->tty_device = ((u32)driver->major << 20 | (u32)driver->minor_start) +
				    (u32)tty->index;
		state->tty_kind = tty_kind(driver);
	}
	if (files) {
		u64 open[3] = {};

		/* A table never has fewer than 64 places. */
		bpf_probe_read_kernel(open, sizeof(open), files->fdt->fd);
		state->streams_known = 1;
		fill_stream(&state->streams[0], open[0], (u64)tty, state->tty_device);
		fill_stream(&state->streams[1], open[1], (u64)tty, state->tty_device);
		fill_stream(&state->streams[2], open[2], (u64)tty, state->tty_device);
	} else {
		state->streams_known = 0;
		__builtin_memset(state->streams, 0, sizeof(state->streams));
	}
}

/*
 * The control group that says where a process belongs: that of the unified hierarchy, or, where
 * that one is not used (everything sits in its root), the memory or else the pids controller's.
 */
static __always_inline struct cgroup *cgroup_of(struct task_struct *task)
{
	struct css_set *set = task->cgroups;
	struct cgroup *group = set->dfl_cgrp;
	void *controllers = (void *)set + bpf_core_field_offset(set->subsys);
	struct cgroup *old = NULL;

	if (group->level != 0)
		return group;
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
		u64 at = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id) * 8;

		old = (*(struct cgroup_subsys_state **)(controllers + at))->cgroup;
		if (old->level != 0)
			return old;
	}
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id)) {
		u64 at = bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id) * 8;

		old = (*(struct cgroup_subsys_state **)(controllers + at))->cgroup;
		if (old->level != 0)
			return old;
	}
	return group;
}

static __always_inline void fill_place(struct fb_place *place, struct task_struct *task)
{
	struct pid *pid = task->group_leader->thread_pid;
	u32 level = pid->level;

	place->cgroup = cgroup_of(task)->kn->id;
	place->namespace_id = 0;
	place->level = level;
	place->pid = 0;
	place->unused = 0;
	if (level > 0) {
		/* numbers[level] of a flexible array: no load with a constant offset. */
		struct upid own = {};
		void *at = (void *)pid + bpf_core_field_offset(pid->numbers);
		u32 offset = (level & 31) * bpf_core_type_size(struct upid);

		/* The verifier of Linux 6.1 knows no bounds of a product, so a mask says them. */
		bpf_probe_read_kernel(&own, bpf_core_type_size(struct upid), at + (offset & 1023));
		place->pid = own.nr;
		if (own.ns)
			place->namespace_id = BPF_CORE_READ(own.ns, ns.inum);
	}
}

static __always_inline void fill_file(struct fb_file *out, struct inode *inode)
{
	out->inode = inode->i_ino;
	out->device = inode->i_sb->s_dev;
	out->owner = inode->i_uid.val;
	out->group = inode->i_gid.val;
	out->mode = inode->i_mode;
}

/* The leader's name: threads have names of their own. */
static __always_inline void fill_comm(u8 *out, struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	const u64 *comm = (const u64 *)leader->comm;

	((u64 *)out)[0] = comm[0];
	((u64 *)out)[1] = comm[1];
}

/* Whether an overlay file has been copied up, or was made in the upper layer. */
static __always_inline bool is_upper(struct inode *inode)
{
	u64 upper = 0;

	if (inode->i_sb->s_magic != OVERLAYFS_SUPER_MAGIC)
		return false;
	if (!bpf_core_type_exists(struct ovl_inode))
		return false;
	bpf_probe_read_kernel(&upper, sizeof(upper),
			      (void *)inode - bpf_core_field_offset(struct ovl_inode, vfs_inode) +
				      bpf_core_field_offset(struct ovl_inode, __upperdentry));
	return upper != 0;
}

#endif
