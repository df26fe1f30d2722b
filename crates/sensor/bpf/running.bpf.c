/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The processes that run now, one record each, through a task iterator.
 *
 * A record never exceeds what an iterator may write for one task (32 KiB), so a long argument
 * list is left to /proc, which also helps where memory cannot be read here.
 */
#include "wire.h"

#define RECORD struct fb_running
#define ARGV_BYTES 16384
#define PATHS 3
#define SCRATCH_TYPE BPF_MAP_TYPE_ARRAY
#define SCRATCHES 1

#include "path.h"
#include "peer.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void show(struct bpf_iter__task *ctx, bool can_read_argv)
{
	struct task_struct *task = ctx->task;
	struct task_struct *leader;
	struct scratch *scratch = the_scratch(0);
	struct fb_running *running;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct file *file;
	u32 flags = 0, used;

	if (!task || !scratch)
		return;
	leader = task->group_leader;
	mm = task->mm;
	if (task->pid != task->tgid) {
		/* A thread speaks for its process only when the leader has ended before it. */
		if (!mm || leader->mm)
			return;
	} else if (!mm && !(task->flags & PF_KTHREAD)) {
		return;
	}

	running = &scratch->record;
	scratch->used = 0;
	running->record.kind = FB_KIND_RUNNING;
	running->record.at = bpf_ktime_get_boot_ns();
	fill_key(&running->process, task);
	fill_key(&running->parent, task->real_parent);
	fill_state(&running->state, task);
	fill_place(&running->place, task);
	fill_comm(running->comm, task);
	running->argv_total = 0;
	running->argv_length = 0;
	running->exe_length = 0;
	running->cwd_length = 0;
	if (task->flags & PF_KTHREAD)
		flags |= FB_KERNEL_THREAD;
	if (mm && can_read_argv) {
		u64 start = mm->arg_start;
		u64 total = mm->arg_end - start;
		u32 length = total;

		running->argv_total = total;
		if (total <= ARGV_BYTES && length <= ARGV_BYTES &&
		    (!length || !bpf_copy_from_user_task(scratch->data, length, (void *)start,
							 task, 0))) {
			running->argv_length = length;
			scratch->used = length;
			flags |= FB_ARGV_READ;
		}
	}
	fs = task->fs;
	file = mm ? mm->exe_file : NULL;
	if (fs && file)
		flags |= append_exe(scratch, &running->exe, &running->exe_length, file, fs);
	if (fs) {
		running->cwd_length = append_path(scratch, &fs->pwd, fs);
		if (scratch->walk.done)
			flags |= FB_CWD_WALKED;
	}
	running->cgroup_length = append_cgroup(scratch, cgroup_of(task));
	if (running->state.sid == running->process.pid)
		fill_peer(&running->peer, task->real_parent);
	else
		running->peer.family = 0;
	running->record.flags = flags;

	used = scratch->used;
	if (used <= DATA_BYTES)
		bpf_seq_write(ctx->meta->seq, running, sizeof(*running) + used);
}

SEC("iter.s/task")
int show_sleepable(struct bpf_iter__task *ctx)
{
	show(ctx, true);
	return 0;
}

/* For kernels before 5.18, which cannot read another task's memory: /proc gives the argv. */
SEC("iter/task")
int show_plain(struct bpf_iter__task *ctx)
{
	show(ctx, false);
	return 0;
}
