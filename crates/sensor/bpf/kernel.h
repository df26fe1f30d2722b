/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few kernel types that the programs touch, kept by hand.
 *
 * Offsets and order do not matter: clang emits a relocation for every access, and the loader
 * resolves it by name against the running kernel's BTF. A name with a suffix of three
 * underscores is a second flavour of the same kernel type, for a field that a version renamed
 * or retyped; `bpf_core_field_exists` chooses.
 */
#ifndef FOREBEAR_KERNEL_H
#define FOREBEAR_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __s32 s32;
typedef __s64 s64;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef int pid_t;
typedef _Bool bool;

#define NULL ((void *)0)
#define true 1
#define false 0

enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};

/* include/uapi/linux/bpf.h: flags of bpf_ringbuf_output and of bpf_ringbuf_query. */
#define BPF_ANY 0
#define BPF_RB_NO_WAKEUP 1
#define BPF_RB_FORCE_WAKEUP 2
#define BPF_RB_AVAIL_DATA 0

#define PF_FORKNOEXEC 0x00000040u
#define PF_KTHREAD 0x00200000u
#define SIGNAL_GROUP_EXIT 0x00000004u
#define PIDTYPE_PGID 2
#define PIDTYPE_SID 3

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFBLK 0060000
#define S_IFCHR 0020000

#define OVERLAYFS_SUPER_MAGIC 0x794c7630

#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define TCP_ESTABLISHED 1
#define TCP_CLOSE_WAIT 8
#define SOCK_BINDPORT_LOCK 8

/* Values of the enum since 6.16; the loader puts in the running kernel's own. */
enum tty_driver_type {
	TTY_DRIVER_TYPE_CONSOLE = 1,
	TTY_DRIVER_TYPE_SERIAL = 2,
	TTY_DRIVER_TYPE_PTY = 3,
};

enum cgroup_subsys_id {
	memory_cgrp_id = 4,
	pids_cgrp_id = 11,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;
typedef struct {
	u32 val;
} kuid_t;
typedef struct {
	u32 val;
} kgid_t;

struct qstr {
	const unsigned char *name;
};
struct super_block {
	u32 s_dev;
	unsigned long s_magic;
};
struct inode {
	u16 i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	u32 i_nlink;
	u32 i_generation;
	u32 i_rdev;
};
struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};
struct ovl_inode {
	struct inode vfs_inode;
	struct dentry *__upperdentry;
};
struct vfsmount {
	struct dentry *mnt_root;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct file {
	void *private_data;
	struct inode *f_inode;
	struct path f_path;
};
struct fdtable {
	u32 max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};
struct fs_struct {
	struct path root;
	struct path pwd;
};
struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
	struct file *exe_file;
};

struct tty_driver {
	int major;
	int minor_start;
};
/* 6.16 made the type an enum with new values; before, it was a short. */
struct tty_driver___enum {
	enum tty_driver_type type;
};
struct tty_driver___short {
	short type;
};
struct tty_struct {
	struct tty_driver *driver;
	int index;
};
struct tty_file_private {
	struct tty_struct *tty;
};

struct ns_common {
	u32 inum;
};
struct pid_namespace {
	struct ns_common ns;
};
struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	u32 level;
	struct upid numbers[1];
};

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	u32 flags;
	struct pid *pids[4];
	struct tty_struct *tty;
};
struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t euid;
	kgid_t egid;
};

/* 6.15 renamed `parent` to `__parent`. */
struct kernfs_node {
	struct kernfs_node *__parent;
	const char *name;
	u64 id;
};
struct kernfs_node___parent {
	struct kernfs_node *parent;
};
struct cgroup {
	int level;
	struct kernfs_node *kn;
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
};
struct css_set {
	struct cgroup_subsys_state *subsys[1];
	struct cgroup *dfl_cgrp;
};

struct in6_addr {
	u8 bytes[16];
};
struct sock_common {
	__be32 skc_daddr;
	__be16 skc_dport;
	u16 skc_family;
	volatile u8 skc_state;
	struct in6_addr skc_v6_daddr;
};
struct sock {
	struct sock_common __sk_common;
	u8 sk_userlocks : 4;
	u16 sk_protocol;
};
struct socket {
	struct sock *sk;
};
struct inet_bind_bucket {
	signed char fastreuse;
};
struct inet_connection_sock {
	struct inet_bind_bucket *icsk_bind_hash;
};

struct linux_binprm {
	int argc;
	const char *filename;
	const char *interp;
};

struct task_struct {
	u32 flags;
	pid_t pid;
	pid_t tgid;
	int exit_code;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	u64 start_boottime;
	const struct cred *real_cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct mm_struct *mm;
	kuid_t loginuid;
	u32 sessionid;
	struct css_set *cgroups;
};

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#endif
