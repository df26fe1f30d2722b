/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fork, exec and exit, as they happen.
 *
 * The programs copy facts and decide nothing. They run with preemption off, so one scratch
 * record a CPU is enough.
 */
#include "wire.h"

#define RECORD struct fb_exec
#define ARGV_BYTES 2048
#define PATHS 6
#define SCRATCH_TYPE BPF_MAP_TYPE_PERCPU_ARRAY
#define SCRATCHES 1

#include "output.h"
#include "path.h"
#include "peer.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define PIECE_BYTES (16 << 10)
#define MAX_PIECES 128

struct piece {
	struct fb_argv head;
	u8 data[PIECE_BYTES];
	/* No bytes: only types that maps reach are in the object's BTF, where tests read them. */
	struct fb_fork fork_type[0];
	struct fb_exit exit_type[0];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct piece);
} pieces SEC(".maps");

/*
 * The control groups whose path has been handed over. The least recently used one is forgotten,
 * and its path then told again. Ids are never reused (kernfs counts generations).
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u8);
} told_cgroups SEC(".maps");

/*
 * Which files have been run, so that user space can look at one before it is run often. The
 * number of an inode is used again after its file is gone; its generation then differs.
 */
struct file_id {
	u64 inode;
	u32 device;
	u32 generation;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct file_id);
	__type(value, u8);
} seen_files SEC(".maps");

static __always_inline bool is_new_file(struct inode *inode)
{
	struct file_id id = {};
	u8 yes = 1;

	if (!settings.wake_on_new_file)
		return false;
	id.inode = inode->i_ino;
	id.device = inode->i_sb->s_dev;
	id.generation = inode->i_generation;
	if (bpf_map_lookup_elem(&seen_files, &id))
		return false;
	bpf_map_update_elem(&seen_files, &id, &yes, BPF_ANY);
	return true;
}

struct argv_stream {
	u64 start;
	u64 at;
	u32 wanted;
	u32 offset;
	u32 pid;
	u32 unused;
};

static long send_piece(u32 index, struct argv_stream *stream)
{
	u32 zero = 0;
	struct piece *piece = bpf_map_lookup_elem(&pieces, &zero);
	u32 length = stream->wanted - stream->offset;

	if (!piece || stream->offset >= stream->wanted)
		return 1;
	if (length > PIECE_BYTES)
		length = PIECE_BYTES;
	piece->head.record.kind = FB_KIND_ARGV;
	piece->head.record.flags = 0;
	piece->head.record.at = stream->at;
	piece->head.pid = stream->pid;
	piece->head.offset = stream->offset;
	piece->head.length = length;
	piece->head.unused = 0;
	if (bpf_probe_read_user(piece->data, length, (void *)(stream->start + stream->offset))) {
		COUNT_LOSS(argv_unreadable);
		return 1;
	}
	if (bpf_ringbuf_output(&records, piece, sizeof(piece->head) + length, wake_flags())) {
		COUNT_LOSS(argv_pieces);
		return 1;
	}
	stream->offset += length;
	return 0;
}

/* Argument list: inline when it is small, else streamed ahead of the exec record. */
static __always_inline u32 append_argv(struct scratch *scratch, struct fb_exec *exec,
				       struct mm_struct *mm)
{
	u64 start = mm->arg_start;
	u64 total = mm->arg_end - start;
	u32 length = total;

	exec->argv_total = total;
	exec->argv_length = 0;
	if (total > ARGV_BYTES) {
		struct argv_stream stream = {
			.start = start,
			.at = exec->record.at,
			.wanted = total > settings.max_argv ? settings.max_argv : total,
			.pid = exec->process.pid,
		};

		bpf_loop(MAX_PIECES, send_piece, &stream, 0);
		return FB_ARGV_STREAMED;
	}
	if (length > ARGV_BYTES)
		length = ARGV_BYTES;
	if (length && bpf_probe_read_user(scratch->data, length, (void *)start)) {
		COUNT_LOSS(argv_unreadable);
		return 0;
	}
	exec->argv_length = length;
	scratch->used = length;
	return FB_ARGV_READ;
}

static __always_inline u32 fill_parent(struct scratch *scratch, struct fb_exec *exec,
				       struct task_struct *parent, struct fs_struct *own_fs)
{
	struct fs_struct *fs = parent->fs;
	struct mm_struct *mm = parent->mm;
	struct file *file = mm ? mm->exe_file : NULL;
	u32 flags = FB_PARENT;

	fill_state(&exec->parent_state, parent);
	fill_place(&exec->parent_place, parent);
	fill_comm(exec->parent_comm, parent);
	fill_key(&exec->grandparent, parent->real_parent);
	if (file) {
		fill_file(&exec->parent_file, file->f_inode);
		flags |= FB_PARENT_FILE;
	}
	if (!fs)
		return flags;
	if ((u64)fs->pwd.dentry == (u64)own_fs->pwd.dentry &&
	    (u64)fs->pwd.mnt == (u64)own_fs->pwd.mnt &&
	    (u64)fs->root.dentry == (u64)own_fs->root.dentry &&
	    (u64)fs->root.mnt == (u64)own_fs->root.mnt)
		return flags | FB_PARENT_CWD_SAME;
	exec->parent_cwd_length = append_path(scratch, &fs->pwd, fs);
	if (scratch->walk.done)
		flags |= FB_PARENT_CWD_WALKED;
	return flags;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct scratch *scratch = the_scratch(0);
	struct task_struct *parent = task->real_parent;
	struct mm_struct *mm = task->mm;
	struct fs_struct *fs = task->fs;
	struct fb_exec *exec;
	struct file *file;
	u32 flags, used;
	u64 cgroup, wake;
	u8 yes = 1;
	bool told;

	if (!scratch)
		return 0;
	exec = &scratch->record;
	scratch->used = 0;
	exec->record.kind = FB_KIND_EXEC;
	exec->record.at = bpf_ktime_get_boot_ns();
	fill_key(&exec->process, task);
	flags = append_argv(scratch, exec, mm);
	fill_key(&exec->parent, parent);
	fill_state(&exec->state, task);
	fill_place(&exec->place, task);

	exec->exe_length = 0;
	file = mm->exe_file;
	if (file)
		flags |= append_exe(scratch, &exec->exe, &exec->exe_length, file, fs);

	exec->cwd_length = append_path(scratch, &fs->pwd, fs);
	if (scratch->walk.done)
		flags |= FB_CWD_WALKED;

	exec->filename_length = append_string(scratch, bprm->filename, PATH_BYTES);
	if (exec->filename_length)
		flags |= FB_FILENAME_READ;
	/* The same pointer unless a script or binfmt_misc changed it. */
	exec->interpreter_length = 0;
	if ((u64)bprm->interp != (u64)bprm->filename)
		exec->interpreter_length = append_string(scratch, bprm->interp, PATH_BYTES);

	exec->parent_cwd_length = 0;
	exec->cgroup_length = 0;
	if (parent->tgid != 0)
		flags |= fill_parent(scratch, exec, parent, fs);
	cgroup = exec->place.cgroup;
	told = bpf_map_lookup_elem(&told_cgroups, &cgroup) != NULL;
	if (!told)
		exec->cgroup_length = append_cgroup(scratch, cgroup_of(task));
	if (exec->state.sid == exec->process.pid)
		fill_peer(&exec->peer, parent);
	else
		exec->peer.family = 0;
	exec->record.flags = flags;
	exec->unused = 0;

	used = scratch->used;
	/* In map memory and last: another way through all of the above would double the verifier's. */
	if (file && is_new_file(file->f_inode)) {
		exec->record.flags |= FB_EXE_NEW;
		wake = BPF_RB_FORCE_WAKEUP;
	} else {
		wake = wake_flags();
	}
	if (used > DATA_BYTES ||
	    bpf_ringbuf_output(&records, exec, sizeof(*exec) + used, wake))
		COUNT_LOSS(execs);
	else if (!told)
		bpf_map_update_elem(&told_cgroups, &cgroup, &yes, BPF_ANY);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *creator, struct task_struct *child)
{
	struct fb_fork *fork;

	if (child->pid != child->tgid)
		return 0;
	fork = bpf_ringbuf_reserve(&records, sizeof(*fork), 0);
	if (!fork) {
		COUNT_LOSS(forks);
		return 0;
	}
	fork->record.kind = FB_KIND_FORK;
	fork->record.flags = child->flags & PF_KTHREAD ? FB_KERNEL_THREAD : 0;
	fork->record.at = bpf_ktime_get_boot_ns();
	fill_key(&fork->creator, creator);
	fill_key(&fork->parent, child->real_parent);
	fill_key(&fork->child, child);
	fill_state(&fork->state, creator);
	fill_place(&fork->place, child);
	bpf_ringbuf_submit(fork, wake_flags());
	return 0;
}

/* The status that wait(2) returns: the group's if there is one, else the leader's own. */
static __always_inline void send_exit(struct task_struct *task)
{
	struct signal_struct *signal = task->signal;
	struct fb_exit *exit = bpf_ringbuf_reserve(&records, sizeof(*exit), 0);

	if (!exit) {
		COUNT_LOSS(exits);
		return;
	}
	exit->record.kind = FB_KIND_EXIT;
	exit->record.flags = 0;
	exit->record.at = bpf_ktime_get_boot_ns();
	fill_key(&exit->process, task);
	exit->status = signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code
							 : task->group_leader->exit_code;
	exit->unused = 0;
	bpf_ringbuf_submit(exit, wake_flags());
}

/* Since 6.16 the tracepoint says itself whether this was the last thread. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task, bool group_dead)
{
	if (group_dead)
		send_exit(task);
	return 0;
}

/*
 * Before, the count of living threads does. Two last threads that end at once may both find it
 * at zero; user space drops the second record.
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit_counting, struct task_struct *task)
{
	if (task->signal->live.counter == 0)
		send_exit(task);
	return 0;
}
