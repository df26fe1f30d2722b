/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The far end of a TCP connection that a process has accepted.
 *
 * Looked for among the lowest descriptors only, and only when a session leader runs a program:
 * that is where a remote login shows. An accepted socket is told from a connected one by its
 * local port. connect(2) takes a port whose bind bucket nobody may share (`fastreuse` is -1);
 * an accepted socket inherits its listener's bucket, which bind(2) or listen(2) made (0 or 1).
 * A client that had bound its port by itself is marked so in the socket (SOCK_BINDPORT_LOCK),
 * and the mark is taken off a socket when it is accepted.
 */
#ifndef FOREBEAR_PEER_H
#define FOREBEAR_PEER_H

#include "wire.h"
#include "pointer.h"

#define PEER_DESCRIPTORS 256

struct peer_search {
	u64 table;
	u64 found; /* a struct sock */
	u32 family;
	u32 unused;
};

static long peer_step(u32 index, struct peer_search *search)
{
	u64 address = 0, private, held;
	struct file *file;
	struct inode *inode;
	struct socket *socket;
	struct sock *sock;
	struct inet_connection_sock *connection;
	struct inet_bind_bucket *bucket;
	u32 family, state;

	bpf_probe_read_kernel(&address, sizeof(address), (void *)(search->table + index * 8));
	if (!address)
		return 0;
	file = HOLD(struct file, address);
	inode = GET(file, f_inode);
	if ((GET(inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	private = (u64)GET(file, private_data);
	socket = HOLD(struct socket, private);
	held = (u64)GET(socket, sk);
	if (!held)
		return 0;
	sock = HOLD(struct sock, held);
	family = GET(sock, __sk_common.skc_family);
	if ((family != AF_INET && family != AF_INET6) ||
	    GET(sock, sk_protocol) != IPPROTO_TCP)
		return 0;
	state = GET(sock, __sk_common.skc_state);
	if (state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT)
		return 0;
	if (BPF_CORE_READ_BITFIELD_PROBED(sock, sk_userlocks) & SOCK_BINDPORT_LOCK)
		return 0;
	connection = HOLD(struct inet_connection_sock, held);
	bucket = GET(connection, icsk_bind_hash);
	if (!bucket || GET(bucket, fastreuse) < 0)
		return 0;
	search->found = held;
	search->family = family;
	return 1;
}

static __always_inline void fill_peer(struct fb_peer *peer, struct task_struct *task)
{
	struct files_struct *files = task->files;
	struct peer_search search = {};
	struct sock *sock;
	u32 places;

	__builtin_memset(peer, 0, sizeof(*peer));
	if (!files)
		return;
	search.table = (u64)files->fdt->fd;
	places = files->fdt->max_fds;
	if (places > PEER_DESCRIPTORS)
		places = PEER_DESCRIPTORS;
	bpf_loop(places, peer_step, &search, 0);
	if (!search.found)
		return;
	sock = (struct sock *)search.found;
	peer->family = search.family;
	BPF_CORE_READ_INTO(&peer->port, sock, __sk_common.skc_dport);
	if (search.family == AF_INET)
		bpf_core_read(peer->address, 4, &sock->__sk_common.skc_daddr);
	else
		bpf_core_read(peer->address, 16, &sock->__sk_common.skc_v6_daddr);
}

#endif
