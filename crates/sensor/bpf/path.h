/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Paths by walking directory entries, from the leaf to the process's root.
 *
 * bpf_d_path is not allowed in tracepoints, and /proc afterwards is too late for a process that
 * lives half a millisecond. Components are appended to the scratch record leaf first, each with
 * its NUL; user space turns them round. All state of a walk lives in map memory: the verifier
 * knows nothing about it, so one pass over the loop's body is enough for it.
 *
 * The including file defines RECORD (the fixed part), ARGV_BYTES (what comes before the paths),
 * SCRATCH_TYPE and SCRATCHES (the map's type and how many records it has).
 */
#ifndef FOREBEAR_PATH_H
#define FOREBEAR_PATH_H

#include "wire.h"
#include "pointer.h"
#include "task.h"

#define NAME_BYTES 256
/* PATH_MAX, and room for one last name. */
#define PATH_BYTES (4096 + NAME_BYTES)
#define DATA_BYTES (ARGV_BYTES + PATHS * PATH_BYTES)
#define MAX_STEPS 2048

struct walk {
	u64 node;	/* dentry, or kernfs node */
	u64 mount;	/* struct mount, not vfsmount */
	u64 root_node;
	u64 root_mount;
	u32 limit;	/* no further name begins beyond this offset */
	u32 done;
};

struct scratch {
	struct walk walk;
	u32 used;
	u32 slot; /* which of the map's records it is */
	RECORD record;
	u8 data[DATA_BYTES];
};

struct {
	__uint(type, SCRATCH_TYPE);
	__uint(max_entries, SCRATCHES);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline struct scratch *the_scratch(u32 slot)
{
	return bpf_map_lookup_elem(&scratches, &slot);
}

/* Appends a NUL-terminated kernel string; returns its bytes with the NUL, or 0. */
static __always_inline u32 append_string(struct scratch *scratch, const void *text, u32 bound)
{
	u32 used = scratch->used;
	long length;

	if (used > DATA_BYTES - PATH_BYTES)
		return 0;
	length = bpf_probe_read_kernel_str(scratch->data + used, bound, text);
	if (length <= 0)
		return 0;
	scratch->used = used + length;
	return length;
}

static __always_inline bool append_name(struct scratch *scratch, const void *name)
{
	u32 used = scratch->used;
	long length;

	if (used > DATA_BYTES - NAME_BYTES || used > scratch->walk.limit)
		return false;
	length = bpf_probe_read_kernel_str(scratch->data + used, NAME_BYTES, name);
	if (length <= 0)
		return false;
	scratch->used = used + length;
	return true;
}

static long path_step(u32 index, u32 *slot)
{
	struct scratch *scratch = the_scratch(*slot);
	struct dentry *dentry, *parent, *top;
	struct mount *mount;
	u64 node, at;

	if (!scratch)
		return 1;
	node = scratch->walk.node;
	at = scratch->walk.mount;
	if (node == scratch->walk.root_node && at == scratch->walk.root_mount) {
		scratch->walk.done = 1;
		return 1;
	}
	dentry = HOLD(struct dentry, node);
	mount = HOLD(struct mount, at);
	top = GET(mount, mnt.mnt_root);
	parent = GET(dentry, d_parent);
	if (node == (u64)top || node == (u64)parent) {
		u64 above = (u64)GET(mount, mnt_parent);

		if (above == at || node != (u64)top) {
			/* The root of everything, or a tree that is mounted nowhere. */
			scratch->walk.done = 1;
			return 1;
		}
		scratch->walk.node = (u64)GET(mount, mnt_mountpoint);
		scratch->walk.mount = above;
		return 0;
	}
	if (!append_name(scratch, GET(dentry, d_name.name)))
		return 1;
	scratch->walk.node = (u64)parent;
	return 0;
}

static __always_inline u64 mount_of(struct vfsmount *mnt)
{
	return (u64)((void *)mnt - bpf_core_field_offset(struct mount, mnt));
}

/* Appends a path; returns its length. `scratch->walk.done` then says whether it is whole. */
static __always_inline u32 append_path(struct scratch *scratch, struct path *path,
				       struct fs_struct *fs)
{
	u32 before = scratch->used, slot = scratch->slot;

	scratch->walk.node = (u64)path->dentry;
	scratch->walk.mount = mount_of(path->mnt);
	scratch->walk.root_node = (u64)fs->root.dentry;
	scratch->walk.root_mount = mount_of(fs->root.mnt);
	scratch->walk.limit = before + PATH_BYTES - NAME_BYTES;
	scratch->walk.done = 0;
	bpf_loop(MAX_STEPS, path_step, &slot, 0);
	return scratch->used - before;
}

static long cgroup_step(u32 index, u32 *slot)
{
	struct scratch *scratch = the_scratch(*slot);
	struct kernfs_node *node, *parent;

	if (!scratch)
		return 1;
	node = HOLD(struct kernfs_node, scratch->walk.node);
	if (bpf_core_field_exists(struct kernfs_node, __parent))
		parent = GET(node, __parent);
	else
		parent = GET((struct kernfs_node___parent *)node, parent);
	if (!parent) {
		scratch->walk.done = 1;
		return 1;
	}
	if (!append_name(scratch, GET(node, name)))
		return 1;
	scratch->walk.node = (u64)parent;
	return 0;
}

/* Appends a control group's path; returns its length, 0 for the root and where it was cut. */
static __always_inline u32 append_cgroup(struct scratch *scratch, struct cgroup *group)
{
	u32 before = scratch->used, slot = scratch->slot;

	scratch->walk.node = (u64)group->kn;
	scratch->walk.limit = before + PATH_BYTES - NAME_BYTES;
	scratch->walk.done = 0;
	bpf_loop(MAX_STEPS, cgroup_step, &slot, 0);
	if (!scratch->walk.done)
		scratch->used = before;
	return scratch->used - before;
}

/*
 * Fills in the executable: which file, and its path. A dentry that is its own parent and no
 * mount's root has a name but no place: memfd_create(2) makes such ones.
 */
static __always_inline u32 append_exe(struct scratch *scratch, struct fb_file *out, u32 *length,
				      struct file *file, struct fs_struct *fs)
{
	struct inode *inode = file->f_inode;
	struct dentry *dentry = file->f_path.dentry;
	u32 flags = FB_EXE_PRESENT;

	fill_file(out, inode);
	if (inode->i_nlink == 0)
		flags |= FB_EXE_DELETED;
	if (is_upper(inode))
		flags |= FB_EXE_UPPER;
	if ((u64)dentry == (u64)dentry->d_parent &&
	    (u64)dentry != (u64)file->f_path.mnt->mnt_root) {
		*length = append_string(scratch, dentry->d_name.name, NAME_BYTES);
		return flags | FB_EXE_LONE | FB_EXE_WALKED;
	}
	*length = append_path(scratch, &file->f_path, fs);
	if (scratch->walk.done)
		flags |= FB_EXE_WALKED;
	return flags;
}

#endif
