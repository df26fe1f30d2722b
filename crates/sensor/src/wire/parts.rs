//! The parts that several records share, turned into the model's vocabulary.
//!
//! Invariant: a value that the programs never write is an error, not a guess.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use forebear_model::observation::{FileId, PidNamespace, Place, ProcessKey, State, TcpPeer};
use forebear_model::{
    AuditSession, BootTime, CgroupId, Credentials, Device, Gid, NamespaceId, Pgid, Pid, Sid,
    Stream, StreamKind, Terminal, TerminalKind, Uid, Why,
};

use super::Malformed;
use super::layout;

/// What `loginuid` and `sessionid` hold before anybody has logged in.
const UNSET: u32 = u32::MAX;

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

pub(super) fn key(key: layout::Key) -> ProcessKey {
    ProcessKey { pid: Pid(key.pid), start: BootTime(key.start) }
}

pub(super) fn state(state: &layout::State) -> Result<State, Malformed> {
    let set = |value: u32| (value != UNSET).then_some(value);
    Ok(State {
        credentials: Credentials {
            uid: Uid(state.uid),
            euid: Uid(state.euid),
            gid: Gid(state.gid),
            egid: Gid(state.egid),
        },
        login_uid: set(state.login_uid).map(Uid),
        audit_session: set(state.audit_session).map(AuditSession),
        sid: Sid(state.sid),
        pgid: Pgid(state.pgid),
        tty: terminal(state.tty_kind, state.tty_device)?,
        // Descriptors go first when a process ends, so one without them is on its way out.
        streams: match state.streams_known {
            0 => Err(Why::ExitedBeforeCapture),
            1 => Ok(state.streams.map(stream)),
            _ => return Err(Malformed::Value("streams_known")),
        },
    })
}

/// The number decides where it can; the driver's own statement refines the rest.
fn terminal(kind: u8, device: u32) -> Result<Option<Terminal>, Malformed> {
    let by_driver = match kind {
        layout::TTY_NONE => return Ok(None),
        layout::TTY_OTHER => TerminalKind::Other,
        layout::TTY_CONSOLE => TerminalKind::Console,
        layout::TTY_SERIAL => TerminalKind::Serial,
        layout::TTY_PTY => TerminalKind::Pseudo,
        _ => return Err(Malformed::Value("tty_kind")),
    };
    let mut terminal = Terminal::new(Device::from_kernel(device));
    if terminal.kind == TerminalKind::Other {
        terminal.kind = by_driver;
    }
    Ok(Some(terminal))
}

fn stream(stream: layout::Stream) -> Option<Stream> {
    if stream.flags & layout::STREAM_OPEN == 0 {
        return None;
    }
    let device = Device::from_kernel(stream.device);
    let is_ctty = stream.flags & layout::STREAM_CTTY != 0;
    let kind = if is_ctty {
        // Also a terminal whose driver's number is not a fixed one.
        StreamKind::Tty
    } else {
        StreamKind::from_mode(u32::from(stream.mode), device)
    };
    Some(Stream { device, kind, is_ctty })
}

pub(super) fn place(place: layout::Place) -> Place<'static> {
    Place {
        pid_namespace: (place.level > 0).then_some(PidNamespace {
            id: NamespaceId(place.namespace_id),
            level: place.level,
            pid: Pid(place.pid),
        }),
        cgroup: CgroupId(place.cgroup),
        cgroup_path: None,
    }
}

pub(super) fn file(file: layout::File) -> FileId {
    FileId { device: Device::from_kernel(file.device), inode: file.inode }
}

pub(super) fn peer(peer: &layout::Peer) -> Result<Option<TcpPeer>, Malformed> {
    let ip = match (peer.family, peer.address) {
        (0, _) => return Ok(None),
        (AF_INET, [a, b, c, d, ..]) => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        (AF_INET6, address) => IpAddr::V6(Ipv6Addr::from(address)).to_canonical(),
        _ => return Err(Malformed::Value("family")),
    };
    Ok(Some(TcpPeer { ip, port: u16::from_be_bytes(peer.port) }))
}

/// The command name at that offset of a record, up to its NUL.
pub(super) fn comm(record: &[u8], offset: usize) -> &[u8] {
    let bytes = record.get(offset..).unwrap_or_default();
    let bytes = bytes.get(..16).unwrap_or(bytes);
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}
