/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What shells do without running a program, and the lines that they read from a terminal.
 *
 * Probes on functions of the shells themselves. User space says by each probe's cookie what it
 * needs to know about the function. Unlike the programs on tracepoints these may be preempted.
 */
#include "wire.h"

#define RECORD struct fb_builtin
#define NAME_ROOM 256
#define ARGV_BYTES (NAME_ROOM + (16 << 10))
#define PATHS 1
#define SCRATCH_TYPE BPF_MAP_TYPE_ARRAY
#define SCRATCHES 64

#include "registers.h"
#include "output.h"
#include "borrow.h"
#include "words.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * The cookie of a function that is a builtin, or that runs them: its number (16 bits), flags
 * (8 bits), and in the upper half how far from it lies the pointer to the name it is called as.
 */
#define COOKIE_FUNCTION(cookie) ((cookie) & 0xffff)
#define COOKIE_DISTANCE(cookie) ((s64)(cookie) >> 32)
#define COOKIE_INTERACTIVE (1u << 16) /* only of shells that are interactive */
#define COOKIE_RETURNS (1u << 17)     /* the return is probed too */

/* How far from bash's readline() lie the count of a command's lines, and of builtins that run. */
#define COOKIE_LINES(cookie) ((s64)(cookie) >> 32)
#define COOKIE_NESTING(cookie) ((s64)((cookie) << 32) >> 32)

/* zsh's zleentry(): what it is called for, and for which kind of line (Src/zsh.h). */
#define ZLE_CMD_READ 1
#define ZLCON_LINE_START 0
#define ZLCON_LINE_CONT 1

enum {
	ASKS_NOT = 0,
	ASKS_FIRST = 1, /* for the first line of a command */
	ASKS_MORE = 2,	/* for a further line of it */
};

/* A process in which a shell has been seen to do something. */
struct shell {
	u64 start;
	u64 second; /* of the boot clock, about */
	u32 calls;  /* builtins in it */
	u32 open;   /* builtins that were told and have not returned, at most */
	u8 interactive;
	u8 asks;
	u8 unused[6];
	/* No bytes: only types that maps reach are in the object's BTF, where tests read them. */
	struct fb_return return_type[0];
	struct fb_line line_type[0];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32);
	__type(value, struct shell);
} shells SEC(".maps");

/*
 * Builtins by name, for a shell that has one function for all of them: what the cookies' flags
 * say of a function. A name is cut to fit, and NUL behind it.
 */
#define SHORT_NAME 16

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, u8[SHORT_NAME]);
	__type(value, u32);
} names SEC(".maps");

static __always_inline struct shell *known_shell(struct task_struct *task)
{
	u32 pid = task->tgid;
	struct shell *shell = bpf_map_lookup_elem(&shells, &pid);

	return shell && shell->start == task->group_leader->start_boottime ? shell : NULL;
}

/* A child that runs no program of its own is as interactive as the shell that made it. */
#define MAX_SUBSHELLS 4

static __always_inline bool is_of_interactive(struct task_struct *task)
{
	struct shell *shell;
	u32 depth;

	for (depth = 0; depth < MAX_SUBSHELLS; depth++) {
		if (!(task->flags & PF_FORKNOEXEC))
			return false;
		task = task->real_parent;
		shell = known_shell(task);
		if (shell)
			return shell->interactive;
	}
	return false;
}

/* The entry of the process, made if need be; NULL only if there is no memory for it. */
static __always_inline struct shell *the_shell(struct task_struct *task)
{
	struct shell *shell = known_shell(task);
	struct shell fresh = {};
	u32 pid = task->tgid;

	if (shell)
		return shell;
	fresh.start = task->group_leader->start_boottime;
	fresh.interactive = is_on_terminal(task) || is_of_interactive(task);
	bpf_map_update_elem(&shells, &pid, &fresh, BPF_ANY);
	return known_shell(task);
}

/* The shell that calls a builtin, if it is to be told. */
static __always_inline struct shell *caller(struct task_struct *task, u64 cookie)
{
	struct shell *shell = the_shell(task);
	u64 second = bpf_ktime_get_boot_ns() >> 30;

	if (!shell)
		return NULL;
	/* The first builtin may have been one whose own streams were redirected. */
	if ((cookie & COOKIE_INTERACTIVE) && !shell->interactive) {
		if (!(cookie & COOKIE_RETURNS) || !is_on_terminal(task))
			return NULL;
		shell->interactive = 1;
	}
	if (shell->second != second) {
		shell->second = second;
		shell->calls = 0;
	}
	if (shell->calls >= settings.builtin_rate) {
		COUNT_LOSS(builtins_suppressed);
		return NULL;
	}
	shell->calls++;
	return shell;
}

static __always_inline void tell_builtin(struct task_struct *task, struct shell *shell,
					 u64 cookie, u64 name, u64 list, u32 kind,
					 u64 assignments)
{
	struct scratch *scratch = take_scratch();
	struct word_walk walk = { .node = list, .list = kind };
	struct fs_struct *fs = task->fs;
	struct fb_builtin *builtin;
	u32 flags = cookie & COOKIE_RETURNS ? FB_RETURNS : 0;
	u32 used;
	long length;

	if (!scratch) {
		COUNT_LOSS(builtins);
		return;
	}
	builtin = &scratch->record;
	builtin->record.kind = FB_KIND_BUILTIN;
	builtin->record.at = bpf_ktime_get_boot_ns();
	builtin->function = COOKIE_FUNCTION(cookie);
	fill_key(&builtin->process, task);
	fill_key(&builtin->parent, task->real_parent);
	fill_state(&builtin->state, task);
	fill_place(&builtin->place, task);

	builtin->name_length = 0;
	length = name ? bpf_probe_read_user_str(scratch->data, NAME_ROOM, (void *)name) : 0;
	if (length > 0 && length <= NAME_ROOM) {
		builtin->name_length = length;
		scratch->used = length;
		flags |= FB_NAME_READ;
	}
	builtin->argv_length = append_words(scratch, &walk);
	if (assignments) {
		walk.node = assignments;
		walk.list = ASSIGNMENTS_OF_ZSH;
		builtin->argv_length += append_words(scratch, &walk);
	}
	builtin->argv_total = walk.total;
	if (!walk.bad)
		flags |= FB_ARGV_READ;
	else
		COUNT_LOSS(argv_unreadable);

	builtin->cwd_length = 0;
	if (fs) {
		builtin->cwd_length = append_path(scratch, &fs->pwd, fs);
		if (scratch->walk.done)
			flags |= FB_CWD_WALKED;
	}
	builtin->record.flags = flags;

	used = scratch->used;
	if (used > DATA_BYTES ||
	    bpf_ringbuf_output(&records, builtin, sizeof(*builtin) + used, wake_flags()))
		COUNT_LOSS(builtins);
	else if (flags & FB_RETURNS)
		shell->open++;
	give_back(scratch);
}

/* int <name>_builtin(WORD_LIST *list): the words behind the name. */
SEC("uprobe.multi")
int on_bash_builtin(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 cookie = bpf_get_attach_cookie(ctx);
	struct shell *shell = caller(task, cookie);
	u64 name = 0;

	if (!shell)
		return 0;
	if (COOKIE_DISTANCE(cookie))
		bpf_probe_read_user(&name, sizeof(name),
				    (void *)(bpf_get_func_ip(ctx) + COOKIE_DISTANCE(cookie)));
	tell_builtin(task, shell, cookie, name, ARGUMENT_1(ctx), LIST_OF_BASH, 0);
	return 0;
}

/* int execbuiltin(LinkList args, LinkList assigns, Builtin bn): the words with the name. */
SEC("uprobe.multi")
int on_zsh_builtin(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 cookie = bpf_get_attach_cookie(ctx);
	u64 name = 0, first = 0, assignments = 0;
	u8 key[SHORT_NAME] = {};
	struct shell *shell;
	u32 *flags;

	/* struct builtin begins with struct hashnode { next; char *nam; ... }. */
	bpf_probe_read_user(&name, sizeof(name), (void *)(ARGUMENT_3(ctx) + 8));
	bpf_probe_read_user_str(key, sizeof(key), (void *)name);
	flags = bpf_map_lookup_elem(&names, key);
	if (settings.only_named && !flags)
		return 0;
	if (flags)
		cookie = COOKIE_FUNCTION(cookie) | *flags;
	shell = caller(task, cookie);
	if (!shell)
		return 0;
	bpf_probe_read_user(&first, sizeof(first), (void *)ARGUMENT_1(ctx));
	if (ARGUMENT_2(ctx))
		bpf_probe_read_user(&assignments, sizeof(assignments), (void *)ARGUMENT_2(ctx));
	tell_builtin(task, shell, cookie, name, first, LIST_OF_ZSH, assignments);
	return 0;
}

SEC("uprobe.multi")
int on_builtin_return(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 cookie = bpf_get_attach_cookie(ctx);
	struct shell *shell = known_shell(task);
	struct fb_return *record;

	/* One that was left by a jump (an error, exit) is counted too many; that costs a record. */
	if (!shell || !shell->open)
		return 0;
	shell->open--;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record)
		return 0;
	record->record.kind = FB_KIND_RETURN;
	record->record.flags = 0;
	record->record.at = bpf_ktime_get_boot_ns();
	fill_key(&record->process, task);
	record->status = RESULT(ctx);
	record->function = COOKIE_FUNCTION(cookie);
	bpf_ringbuf_submit(record, wake_flags());
	return 0;
}

/* `text` is what was read; 0 says that the line before has been carried out. */
static __always_inline void tell_line(struct task_struct *task, u64 text, u32 editor, u32 flags)
{
	struct scratch *scratch = take_scratch();
	struct word_walk walk = { .text = text };
	struct fb_line *line;
	u32 length = 0;

	if (!scratch) {
		COUNT_LOSS(builtins);
		return;
	}
	if (text)
		length = append_words(scratch, &walk);
	/* Right before the bytes. */
	line = (void *)scratch->data - sizeof(*line);
	line->record.kind = FB_KIND_LINE;
	line->record.flags = flags;
	line->record.at = bpf_ktime_get_boot_ns();
	fill_key(&line->process, task);
	line->total = walk.total;
	line->length = length;
	line->editor = editor;
	if (length > ARGV_BYTES ||
	    bpf_ringbuf_output(&records, line, sizeof(*line) + length, wake_flags()))
		COUNT_LOSS(builtins);
	give_back(scratch);
}

static __always_inline void begin_line(struct task_struct *task, u32 editor, u8 asks)
{
	struct shell *shell = the_shell(task);

	if (!shell)
		return;
	/* Whoever lets a line be edited has a terminal, whatever is redirected just now. */
	shell->interactive = 1;
	shell->asks = asks;
	if (asks == ASKS_FIRST)
		tell_line(task, 0, editor, 0);
}

static __always_inline void end_line(struct task_struct *task, u32 editor, u64 text)
{
	struct shell *shell = known_shell(task);
	u32 flags = FB_LINE_TEXT;

	if (!shell || shell->asks == ASKS_NOT)
		return;
	if (shell->asks == ASKS_MORE)
		flags |= FB_LINE_CONTINUES;
	shell->asks = ASKS_NOT;
	/* NULL: the end of the input. */
	if (text)
		tell_line(task, text, editor, flags);
}

/* char *readline(const char *prompt) */
SEC("uprobe.multi")
int on_bash_asks(struct pt_regs *ctx)
{
	u64 cookie = bpf_get_attach_cookie(ctx);
	u64 function = bpf_get_func_ip(ctx);
	s32 lines = 0, nesting = 0;

	if (COOKIE_NESTING(cookie))
		bpf_probe_read_user(&nesting, sizeof(nesting),
				    (void *)(function + COOKIE_NESTING(cookie)));
	/* read -e is no command line. */
	if (nesting > 0)
		return 0;
	if (COOKIE_LINES(cookie))
		bpf_probe_read_user(&lines, sizeof(lines),
				    (void *)(function + COOKIE_LINES(cookie)));
	begin_line(bpf_get_current_task_btf(), FB_LINE_OF_BASH,
		   lines > 0 ? ASKS_MORE : ASKS_FIRST);
	return 0;
}

SEC("uprobe.multi")
int on_bash_line(struct pt_regs *ctx)
{
	end_line(bpf_get_current_task_btf(), FB_LINE_OF_BASH, RESULT(ctx));
	return 0;
}

/* char *zleentry(int cmd, char **lp, char **rp, int flags, int context, ...) */
SEC("uprobe.multi")
int on_zsh_asks(struct pt_regs *ctx)
{
	u32 context = ARGUMENT_5(ctx);

	if ((u32)ARGUMENT_1(ctx) != ZLE_CMD_READ)
		return 0;
	if (context == ZLCON_LINE_START)
		begin_line(bpf_get_current_task_btf(), FB_LINE_OF_ZSH, ASKS_FIRST);
	else if (context == ZLCON_LINE_CONT)
		begin_line(bpf_get_current_task_btf(), FB_LINE_OF_ZSH, ASKS_MORE);
	return 0;
}

SEC("uprobe.multi")
int on_zsh_line(struct pt_regs *ctx)
{
	end_line(bpf_get_current_task_btf(), FB_LINE_OF_ZSH, RESULT(ctx));
	return 0;
}

/* What bash runs before it asks (PROMPT_COMMAND) was not typed. */
SEC("uprobe.multi")
int on_bash_prompt(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (known_shell(task))
		tell_line(task, 0, FB_LINE_OF_BASH, 0);
	return 0;
}
