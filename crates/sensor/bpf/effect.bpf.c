/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What interactive shells do to themselves and to others, for shells whose functions cannot be
 * probed: seen by the system calls, once they have succeeded.
 *
 * User space says which processes are such shells. The program on system calls is attached only
 * while there is one, since it runs after every system call of the machine.
 */
#include "wire.h"

#define RECORD struct fb_effect
#define ARGV_BYTES PATH_BYTES
#define PATHS 1
#define SCRATCH_TYPE BPF_MAP_TYPE_ARRAY
#define SCRATCHES 64

#include "registers.h"
#include "output.h"
#include "borrow.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Shells at which people type. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct fb_watched);
} people SEC(".maps");

/* Files of such shells, whose next run user space wants to hear of at once. */
struct watched_file {
	u64 inode;
	u32 device;
	u32 unused;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct watched_file);
	__type(value, u8); /* with more arguments it is hardly one that asks a person */
} files SEC(".maps");

/* Its children may run no program of their own: subshells, pipelines. */
#define MAX_SUBSHELLS 4

static __always_inline struct fb_watched *watched_of(struct task_struct *task, u32 *flags)
{
	struct fb_watched *watched;
	u32 depth, pid;

	for (depth = 0; depth < MAX_SUBSHELLS; depth++) {
		pid = task->tgid;
		watched = bpf_map_lookup_elem(&people, &pid);
		if (watched && watched->start == task->group_leader->start_boottime) {
			*flags = depth ? FB_SUBSHELL : 0;
			return watched;
		}
		if (!(task->flags & PF_FORKNOEXEC))
			return NULL;
		task = task->real_parent;
	}
	return NULL;
}

static __always_inline u32 effect_of(u32 call)
{
	switch (call) {
	case CALL_CHDIR:
		return FB_EFFECT_CHDIR;
	case CALL_FCHDIR:
		return FB_EFFECT_FCHDIR;
	case CALL_UMASK:
		return FB_EFFECT_UMASK;
	case CALL_KILL:
		return FB_EFFECT_KILL;
	case CALL_SETRLIMIT:
	case CALL_PRLIMIT64:
		return FB_EFFECT_LIMIT;
	}
	return 0;
}

/* The arguments; false if nothing was changed by the call. */
static __always_inline bool fill_values(struct fb_effect *effect, struct pt_regs *regs, long result)
{
	u64 limit[2] = {}, at;

	effect->values[0] = CALL_ARGUMENT_1(regs);
	effect->values[1] = CALL_ARGUMENT_2(regs);
	effect->values[2] = 0;
	if (effect->effect == FB_EFFECT_UMASK) {
		effect->values[0] &= 0777;
		effect->values[1] = result;
		return effect->values[0] != effect->values[1];
	}
	if (effect->effect == FB_EFFECT_LIMIT) {
		at = effect->values[1];
		if (CALL_NUMBER(regs) == CALL_PRLIMIT64) {
			/* Of another process, which no shell does. */
			if ((u32)effect->values[0])
				return false;
			effect->values[0] = effect->values[1];
			at = CALL_ARGUMENT_3(regs);
		}
		if (!at || bpf_probe_read_user(limit, sizeof(limit), (void *)at))
			return false;
		effect->values[0] = (u32)effect->values[0];
		effect->values[1] = limit[0];
		effect->values[2] = limit[1];
	}
	return true;
}

static __always_inline bool is_too_many(struct fb_watched *watched)
{
	u64 second = bpf_ktime_get_boot_ns() >> 30;

	if (watched->second != second) {
		watched->second = second;
		watched->calls = 0;
	}
	if (watched->calls >= settings.builtin_rate)
		return true;
	watched->calls++;
	return false;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_effect, struct pt_regs *regs, long result)
{
	u32 kind = effect_of(CALL_NUMBER(regs));
	struct task_struct *task;
	struct fb_watched *watched;
	struct scratch *scratch;
	struct fb_effect *effect;
	struct fs_struct *fs;
	u32 flags = 0, used;
	long length;

	if (!kind || result < 0 || !IS_64_BIT(regs))
		return 0;
	task = bpf_get_current_task_btf();
	watched = watched_of(task, &flags);
	if (!watched || !(watched->effects & kind))
		return 0;
	scratch = take_scratch();
	if (!scratch) {
		COUNT_LOSS(builtins);
		return 0;
	}
	effect = &scratch->record;
	effect->effect = kind;
	if (!fill_values(effect, regs, result))
		goto done;
	if (is_too_many(watched)) {
		COUNT_LOSS(builtins_suppressed);
		goto done;
	}
	effect->record.kind = FB_KIND_EFFECT;
	effect->record.at = bpf_ktime_get_boot_ns();
	effect->shell = watched->shell;
	fill_key(&effect->process, task);
	fill_key(&effect->parent, task->real_parent);
	fill_state(&effect->state, task);
	fill_place(&effect->place, task);

	effect->path_length = 0;
	if (kind == FB_EFFECT_CHDIR) {
		length = bpf_probe_read_user_str(scratch->data, 4096,
						 (void *)effect->values[0]);
		if (length > 0 && length <= 4096) {
			effect->path_length = length;
			scratch->used = length;
			flags |= FB_PATH_READ;
		}
	}
	effect->cwd_length = 0;
	fs = task->fs;
	if (fs) {
		effect->cwd_length = append_path(scratch, &fs->pwd, fs);
		if (scratch->walk.done)
			flags |= FB_CWD_WALKED;
	}
	effect->record.flags = flags;

	used = scratch->used;
	if (used > DATA_BYTES ||
	    bpf_ringbuf_output(&records, effect, sizeof(*effect) + used, wake_flags()))
		COUNT_LOSS(builtins);
done:
	give_back(scratch);
	return 0;
}

/*
 * Somebody runs such a file, perhaps at a terminal: user space is woken to find out, since the
 * first effects follow soon. The record of the run is in the buffer already.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_watched_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct file *file = task->mm->exe_file;
	struct watched_file id = {};
	u32 pid = task->tgid;
	u8 *arguments;
	void *nothing;

	bpf_map_delete_elem(&people, &pid);
	if (!file)
		return 0;
	id.inode = file->f_inode->i_ino;
	id.device = file->f_inode->i_sb->s_dev;
	arguments = bpf_map_lookup_elem(&files, &id);
	if (!arguments || bprm->argc > *arguments || !is_on_terminal(task))
		return 0;
	nothing = bpf_ringbuf_reserve(&records, 8, 0);
	if (nothing)
		bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
	return 0;
}
