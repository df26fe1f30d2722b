/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a function of a program in user space has its arguments and its result: the part of
 * struct pt_regs that is the kernel's interface (asm/ptrace.h), so its layout is fixed.
 */
#ifndef FOREBEAR_REGISTERS_H
#define FOREBEAR_REGISTERS_H

#include "kernel.h"

#if defined(__TARGET_ARCH_x86)

struct pt_regs {
	unsigned long r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	unsigned long orig_rax, rip, cs, eflags, rsp, ss;
};

#define ARGUMENT_1(ctx) ((ctx)->rdi)
#define ARGUMENT_2(ctx) ((ctx)->rsi)
#define ARGUMENT_3(ctx) ((ctx)->rdx)
#define ARGUMENT_5(ctx) ((ctx)->r8)
#define RESULT(ctx) ((ctx)->rax)

/* Of a system call that has returned; those of 32-bit programs have numbers of their own. */
#define CALL_NUMBER(regs) ((u32)(regs)->orig_rax)
#define CALL_ARGUMENT_1(regs) ((regs)->rdi)
#define CALL_ARGUMENT_2(regs) ((regs)->rsi)
#define CALL_ARGUMENT_3(regs) ((regs)->rdx)
#define IS_64_BIT(regs) (*(volatile u16 *)&(regs)->cs == 0x33)

enum {
	CALL_KILL = 62,
	CALL_CHDIR = 80,
	CALL_FCHDIR = 81,
	CALL_UMASK = 95,
	CALL_SETRLIMIT = 160,
	CALL_PRLIMIT64 = 302,
};

#elif defined(__TARGET_ARCH_arm64)

/* The program type's context is called pt_regs; its beginning is struct user_pt_regs. */
struct pt_regs {
	unsigned long regs[31], sp, pc, pstate;
	/* Only where the kernel's own struct is at hand. */
	u64 orig_x0;
};

#define ARGUMENT_1(ctx) ((ctx)->regs[0])
#define ARGUMENT_2(ctx) ((ctx)->regs[1])
#define ARGUMENT_3(ctx) ((ctx)->regs[2])
#define ARGUMENT_5(ctx) ((ctx)->regs[4])
#define RESULT(ctx) ((ctx)->regs[0])

/* The result has taken the first argument's place. */
#define CALL_NUMBER(regs) ((u32)(regs)->regs[8])
#define CALL_ARGUMENT_1(regs) ((regs)->orig_x0)
#define CALL_ARGUMENT_2(regs) ((regs)->regs[1])
#define CALL_ARGUMENT_3(regs) ((regs)->regs[2])
#define IS_64_BIT(regs) (!((regs)->pstate & 0x10))

enum {
	CALL_CHDIR = 49,
	CALL_FCHDIR = 50,
	CALL_KILL = 129,
	CALL_SETRLIMIT = 164,
	CALL_UMASK = 166,
	CALL_PRLIMIT64 = 261,
};

#endif

#endif
