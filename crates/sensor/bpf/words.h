/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Texts out of a shell's memory: words of a list, a line.
 *
 * Nothing is trusted: a list may be endless or circular, a text may have no end, a page may not
 * be there. Steps are bounded; what no longer fits is counted, so that the whole length is known.
 */
#ifndef FOREBEAR_WORDS_H
#define FOREBEAR_WORDS_H

#include "path.h"

/* How much is copied at once; a multiple of it is kept of one list. */
#define CHUNK_BYTES 1024
#define MAX_CHUNKS 65536

/* How a shell keeps a list of words. */
enum {
	/* bash: struct word_list { next; struct word_desc { char *word; } *word; } */
	LIST_OF_BASH = 1,
	/* zsh: struct linknode { next; prev; void *dat; }, below a root that begins alike */
	LIST_OF_ZSH = 2,
	/* zsh: struct asgment { next; prev; dat; char *name; int flags; char *value; }: name=value */
	ASSIGNMENTS_OF_ZSH = 3,
};

/* struct asgment's flags: the value is a list of its own. */
#define ASG_ARRAY 1

struct word_walk {
	u64 node;  /* the next element */
	u64 text;  /* where in the present word, 0 between two */
	u64 value; /* what follows the present word behind an equals sign, 0 if nothing does */
	u64 total; /* bytes so far, each word's end among them */
	u32 slot;
	u32 list;
	u32 full; /* nothing is kept any more */
	u32 bad;  /* some memory could not be read */
};

static __always_inline bool next_word(struct word_walk *walk)
{
	u64 element[6] = {}, word = 0;
	u32 size = walk->list == ASSIGNMENTS_OF_ZSH ? 48 : 24;

	if (!walk->node)
		return false;
	if (bpf_probe_read_user(element, size, (void *)walk->node)) {
		walk->bad = 1;
		return false;
	}
	walk->node = element[0];
	if (walk->list == LIST_OF_ZSH) {
		word = element[2];
	} else if (walk->list == ASSIGNMENTS_OF_ZSH) {
		word = element[3];
		if (!((u32)element[4] & ASG_ARRAY))
			walk->value = element[5];
		else
			walk->bad = 1; /* told without its value, and marked so */
	} else if (bpf_probe_read_user(&word, sizeof(word), (void *)element[1])) {
		walk->bad = 1;
		return false;
	}
	walk->text = word;
	return word != 0;
}

static long chunk_step(u32 index, struct word_walk *walk)
{
	struct scratch *scratch = the_scratch(walk->slot);
	u32 used;
	long length;
	u8 *to;

	if (!scratch)
		return 1;
	if (!walk->text && !next_word(walk))
		return 1;
	used = scratch->used;
	if (walk->full || used > ARGV_BYTES - CHUNK_BYTES) {
		/* The room of the path, which comes after. */
		walk->full = 1;
		to = scratch->data + ARGV_BYTES;
	} else {
		to = scratch->data + used;
	}
	length = bpf_probe_read_user_str(to, CHUNK_BYTES, (void *)walk->text);
	if (length <= 0) {
		walk->bad = 1;
		return 1;
	}
	if (length >= CHUNK_BYTES) {
		/* The NUL at the end is not the text's own. */
		length = CHUNK_BYTES - 1;
		walk->text += length;
	} else {
		/* The NUL becomes the equals sign. */
		if (walk->value && !walk->full)
			to[(length - 1) & (CHUNK_BYTES - 1)] = '=';
		walk->text = walk->value;
		walk->value = 0;
	}
	walk->total += length;
	if (!walk->full)
		scratch->used = used + length;
	return 0;
}

/* Appends the words of a list, each with a NUL behind it; returns how many bytes were kept. */
static __always_inline u32 append_words(struct scratch *scratch, struct word_walk *walk)
{
	u32 before = scratch->used;

	walk->slot = scratch->slot;
	bpf_loop(MAX_CHUNKS, chunk_step, walk, 0);
	return scratch->used - before;
}

#endif
