//! The far end of a TCP connection that a process has accepted, as far as `/proc` shows it.
//!
//! The kernel's sign of an accepted socket is not visible here. Instead, a connection counts as
//! accepted when somebody listens on its local port in the same network namespace, which is so
//! as long as the server runs. proc(5), `/proc/net/tcp`.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use forebear_model::observation::TcpPeer;

use super::parse;

/// How many descriptors are looked at, as in the kernel's programs.
pub(super) const DESCRIPTORS: usize = 256;

const ESTABLISHED: u8 = 0x01;
const CLOSE_WAIT: u8 = 0x08;
const LISTEN: u8 = 0x0a;

/// The connections of one network namespace that somebody has accepted, by socket inode.
#[derive(Debug, Default)]
pub(super) struct Connections {
    accepted: HashMap<u64, TcpPeer>,
}

impl Connections {
    /// From `/proc/<pid>/net/tcp` and `tcp6`.
    pub(super) fn parse(tables: &[&[u8]]) -> Self {
        let rows: Vec<Row> = tables
            .iter()
            .flat_map(|table| table.split(|byte| *byte == b'\n'))
            .filter_map(row)
            .collect();
        let listening: HashSet<u16> =
            rows.iter().filter(|row| row.state == LISTEN).map(|row| row.local_port).collect();
        let accepted = rows
            .into_iter()
            .filter(|row| matches!(row.state, ESTABLISHED | CLOSE_WAIT))
            .filter(|row| listening.contains(&row.local_port))
            .map(|row| (row.inode, row.remote))
            .collect();
        Self { accepted }
    }

    /// The far end of an accepted connection.
    pub(super) fn peer(&self, inode: u64) -> Option<TcpPeer> {
        self.accepted.get(&inode).copied()
    }
}

/// The inode of a link such as `socket:[12345]`.
pub(super) fn socket_inode(link: &[u8]) -> Option<u64> {
    parse::number(link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?)
}

struct Row {
    local_port: u16,
    remote: TcpPeer,
    state: u8,
    inode: u64,
}

fn row(line: &[u8]) -> Option<Row> {
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace().skip(1);
    let local = address(words.next()?)?;
    let remote = address(words.next()?)?;
    let state = u8::from_str_radix(words.next()?, 16).ok()?;
    let inode = words.nth(5)?.parse().ok()?;
    Some(Row { local_port: local.port, remote, state, inode })
}

/// An address as the kernel prints it: words of 32 bits in the machine's byte order, and a port.
fn address(text: &str) -> Option<TcpPeer> {
    let (words, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = [0; 16];
    let mut count = 0;
    for (place, word) in bytes.chunks_exact_mut(4).zip(words.as_bytes().chunks(8)) {
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        place.copy_from_slice(&word.to_ne_bytes());
        count += 1;
    }
    let ip = match (count, bytes) {
        (1, [a, b, c, d, ..]) => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        (4, bytes) => IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical(),
        _ => return None,
    };
    Some(TcpPeer { ip, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &[u8] = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when \
        retrnsmt   uid  timeout inode\n   \
        0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1\n   \
        1: 0100007F:0016 0200007F:D431 01 00000000:00000000 02:00000000 00000000     0        0 12 2\n   \
        2: 0100007F:D432 0200007F:0016 01 00000000:00000000 02:00000000 00000000     0        0 13 2\n";

    const TCP6: &[u8] = b"   0: 0000000000000000FFFF00000100007F:0016 \
        0000000000000000FFFF00000300007F:D433 08 00000000:00000000 00:00000000 00000000 0 0 14 1\n";

    #[test]
    #[cfg(target_endian = "little")]
    fn only_connections_to_a_listening_port_are_accepted_ones() {
        let connections = Connections::parse(&[TCP, TCP6]);
        let peer = |ip: &str, port| Some(TcpPeer { ip: ip.parse().unwrap(), port });
        assert_eq!(connections.peer(11), None, "the listener itself");
        assert_eq!(connections.peer(12), peer("127.0.0.2", 0xd431));
        assert_eq!(connections.peer(13), None, "this side has connected");
        assert_eq!(connections.peer(14), peer("127.0.0.3", 0xd433));
    }

    #[test]
    fn sockets_are_numbers_in_brackets() {
        assert_eq!(socket_inode(b"socket:[12380]"), Some(12380));
        assert_eq!(socket_inode(b"pipe:[12380]"), None);
    }
}
