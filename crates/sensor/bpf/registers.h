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

#elif defined(__TARGET_ARCH_arm64)

/* The program type's context is called pt_regs; its beginning is struct user_pt_regs. */
struct pt_regs {
	unsigned long regs[31], sp, pc, pstate;
};

#define ARGUMENT_1(ctx) ((ctx)->regs[0])
#define ARGUMENT_2(ctx) ((ctx)->regs[1])
#define ARGUMENT_3(ctx) ((ctx)->regs[2])
#define ARGUMENT_5(ctx) ((ctx)->regs[4])
#define RESULT(ctx) ((ctx)->regs[0])

#endif

#endif
