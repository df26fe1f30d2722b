//! The far end of an accepted connection.
//!
//! These tests are also the proof of the sign by which an accepted socket is told from a
//! connected one (`bpf/peer.h`): in the first two, one process holds both.

use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::process::Stdio;

use forebear_model::observation::TcpPeer;

use crate::deeds::deed;
use crate::watch::Watch;

#[track_caller]
fn accepted(address: &str, ip: &str) {
    let Some(mut watch) = Watch::attach() else { return };
    let mut child = deed(&format!("accepted:{address}")).stdout(Stdio::piped()).spawn().unwrap();
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    let pid = watch.finish(&mut child);
    let client: SocketAddr = printed.trim().parse().unwrap();
    let expected = TcpPeer { ip: ip.parse::<IpAddr>().unwrap(), port: client.port() };
    assert_eq!(watch.child_exec_of(pid).tcp_peer, Some(expected));
}

#[test]
fn an_accepted_connection_is_found_beside_the_connecting_end() {
    accepted("127.0.0.1:0", "127.0.0.1");
    accepted("[::1]:0", "::1");
}

#[test]
fn a_mapped_address_is_unmapped() {
    accepted("[::]:0", "127.0.0.1");
}

#[track_caller]
fn nothing_for(name: &str) {
    let Some(mut watch) = Watch::attach() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let pid = watch.run(&mut deed(&format!("{name}:{}", listener.local_addr().unwrap())));
    let exec = watch.child_exec_of(pid);
    assert_eq!(exec.state.sid.0, exec.process.pid.0, "it leads its session");
    assert_eq!(exec.tcp_peer, None);
}

#[test]
fn a_connection_that_the_parent_has_opened_itself_is_none() {
    nothing_for("connected");
}

#[test]
fn a_connection_from_a_bound_port_is_none_either() {
    nothing_for("connected-from-bound");
}
