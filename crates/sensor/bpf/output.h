/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one ring buffer, and the counting of what did not fit.
 *
 * One buffer for all CPUs, so the order of the records is the order in which the kernel did
 * things. A record does not wake the reader by itself: waking costs more than everything else
 * that happens here. The reader looks by itself after its longest allowed delay, and is woken
 * early only when a good part of the buffer has filled.
 */
#ifndef FOREBEAR_OUTPUT_H
#define FOREBEAR_OUTPUT_H

#include "wire.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct fb_losses);
} losses SEC(".maps");

/* Set by the loader; the only read-only data, so the loader need not know where it lies. */
const volatile struct fb_settings settings = {
	.wake_bytes = 1 << 20,
	.max_argv = 128 << 10,
	.builtin_rate = 1000,
};

/* How far above the threshold records still wake, for the case that the first ones raced. */
#define WAKE_WINDOW (64 << 10)

static __always_inline u64 wake_flags(void)
{
	u64 unread = bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA);

	if (unread >= settings.wake_bytes && unread < settings.wake_bytes + WAKE_WINDOW)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

#define COUNT_LOSS(kind)                                                       \
	do {                                                                   \
		u32 zero__ = 0;                                                \
		struct fb_losses *lost__ = bpf_map_lookup_elem(&losses, &zero__); \
		if (lost__)                                                    \
			lost__->kind++;                                        \
	} while (0)

#endif
