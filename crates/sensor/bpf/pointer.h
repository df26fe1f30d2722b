/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Following pointers that the verifier does not know the type of: those that come out of arrays
 * of pointers, `void *` fields, map memory or container_of.
 *
 * From 6.2 on `bpf_rdonly_cast` gives such an address its type back, and each field is then one
 * load instruction; before, each is a call of bpf_probe_read_kernel. The choice is a constant
 * when the program is loaded, so the verifier removes the other half. Both ways survive a bad
 * address: the load yields zero.
 */
#ifndef FOREBEAR_POINTER_H
#define FOREBEAR_POINTER_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

extern void *bpf_rdonly_cast(const void *address, u32 btf_id) __ksym __weak;

#define CAN_CAST bpf_ksym_exists(bpf_rdonly_cast)

/* An address as a pointer that GET may be used on. */
#define HOLD(type, address)                                                              \
	(CAN_CAST ? (type *)bpf_rdonly_cast((const void *)(address),                     \
					    bpf_core_type_id_kernel(type))               \
		  : (type *)(address))

/* A field of what HOLD returned, or of what another GET returned. */
#define GET(pointer, field) \
	(CAN_CAST ? (pointer)->field : BPF_CORE_READ(pointer, field))

#endif
