/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Scratch records for programs that may be preempted: one belongs to whoever has taken it, not to
 * a CPU.
 */
#ifndef FOREBEAR_BORROW_H
#define FOREBEAR_BORROW_H

#include "path.h"

#define SCRATCHES_A_CPU 4

/* Which scratch records are in use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SCRATCHES);
	__type(key, u32);
	__type(value, u32);
} taken SEC(".maps");

static __always_inline struct scratch *take_scratch(void)
{
	u32 first = bpf_get_smp_processor_id() * SCRATCHES_A_CPU;
	u32 attempt;

	for (attempt = 0; attempt < SCRATCHES_A_CPU; attempt++) {
		u32 slot = (first + attempt) % SCRATCHES;
		u32 *mark = bpf_map_lookup_elem(&taken, &slot);
		struct scratch *scratch = the_scratch(slot);

		if (mark && scratch && __sync_val_compare_and_swap(mark, 0, 1) == 0) {
			scratch->slot = slot;
			scratch->used = 0;
			return scratch;
		}
	}
	return NULL;
}

static __always_inline void give_back(struct scratch *scratch)
{
	u32 slot = scratch->slot;
	u32 *mark = bpf_map_lookup_elem(&taken, &slot);

	if (mark)
		__sync_val_compare_and_swap(mark, 1, 0);
}

#endif
