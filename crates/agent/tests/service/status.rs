//! What the service says of itself, and what it may do.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

use crate::service::{Place, can_record, run_many};

#[test]
fn the_status_is_there_for_people_and_for_programs() {
    if !can_record() {
        return;
    }
    let place = Place::new();
    place.configure("max_age = \"200ms\"", &place.folder());
    let service = place.start();
    run_many(5);
    service.wait_until_uploaded("folder");
    let socket = place.path("run/status.sock");
    let mode = fs_err::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let socket = socket.to_str().unwrap();
    let text = place.output(&["status", "--socket", socket]);
    let text = String::from_utf8(text.stdout).unwrap();
    for word in [&format!("(process {})", service.pid()), "recorded", "folder (file://", ": idle"] {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
    let json = place.output(&["status", "--json", "--socket", socket]);
    assert_eq!(json.status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["pid"], service.pid());
    assert_eq!(json["destinations"][0]["name"], "folder");
    service.stop();
    let none = place.output(&["status", "--socket", socket]);
    assert_eq!(none.status.code(), Some(3));
    assert!(String::from_utf8(none.stderr).unwrap().contains("is the service running"));
}

#[test]
fn clients_that_hold_on_to_the_socket_do_not_keep_others_out_for_long() {
    if !can_record() {
        return;
    }
    let place = Place::new();
    let socket = place.path("metrics.sock");
    let metrics = format!("[metrics]\nlisten = \"unix:{}\"\n", socket.display());
    place.configure("", &format!("{}{metrics}", place.folder()));
    let service = place.start();
    // Connected, and silent for ever.
    let idle: Vec<_> = (0..20).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    let mut client = UnixStream::connect(&socket).unwrap();
    client.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let mut page = String::new();
    client.read_to_string(&mut page).unwrap();
    assert!(page.contains("forebear_events_total "), "{page}");
    drop(idle);
    service.stop();
    assert!(!socket.exists());
}

#[test]
fn the_metrics_are_where_prometheus_looks_for_them() {
    if !can_record() {
        return;
    }
    let place = Place::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let metrics = format!("[metrics]\nlisten = \"127.0.0.1:{port}\"\n");
    place.configure("max_age = \"200ms\"", &format!("{}{metrics}", place.folder()));
    let service = place.start();
    run_many(5);
    service.wait_until_uploaded("folder");
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut page = String::new();
    client.read_to_string(&mut page).unwrap();
    let (head, body) = page.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    assert!(body.contains("forebear_destination_up{destination=\"folder\"} 1\n"), "{body}");
    let metrics = body.lines().filter(|line| !line.starts_with('#'));
    for line in metrics {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("forebear_") && value.parse::<u64>().is_ok(), "{line}");
    }
    service.stop();
}

#[test]
fn no_thread_has_a_capability_once_it_is_ready() {
    if !can_record() {
        return;
    }
    let place = Place::new();
    place.configure("max_age = \"200ms\"", &place.folder());
    let service = place.start();
    run_many(5);
    service.wait_until_uploaded("folder");
    let tasks = fs_err::read_dir(format!("/proc/{}/task", service.pid())).unwrap();
    let mut threads = 0;
    for task in tasks {
        let status = fs_err::read_to_string(task.unwrap().path().join("status")).unwrap();
        for line in status.lines().filter(|line| line.starts_with("CapEff:")) {
            assert_eq!(line, "CapEff:\t0000000000000000", "{status}");
            threads += 1;
        }
    }
    assert!(threads > 2, "{threads}");
    service.stop();
}
