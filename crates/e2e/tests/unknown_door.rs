//! Programs that hand out a shell without being a known door, and one that only has a known
//! door's name.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use forebear_testkit::means::{DEED, Means, available};
use forebear_testkit::process::Owned;
use forebear_testkit::scene::{Stage, marker};
use forebear_testkit::{Expect, deed, wait};

/// "A bare process name is never enough evidence for `ssh`."
#[test]
fn a_program_that_is_merely_called_sshd_is_no_ssh() {
    if !available(DEED) {
        return;
    }
    let mut stage = Stage::new();
    let deed = deed::build("open_terminal", stage.folder());
    let sshd = stage.folder().join("sshd");
    fs_err::rename(deed, &sshd).unwrap();
    let marker = marker("fake-sshd");
    let script = format!("ls {marker}; :");
    let status = Command::new(&sshd).args(["sh", "-c", &script]).stdout(Stdio::null()).status();
    assert!(status.unwrap().success());
    let shell = stage.agent.wait_for_exec_of(&["sh", "-c", &script]);
    let ls = stage.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&shell, "the shell that the false sshd started")
        .is("parent.name", "sshd")
        .is("parent.exe", sshd.to_str())
        .is("self.is_session_leader", true)
        .is("self.interactive", true)
        .same("inception_session.uuid", "self.uuid")
        .is("inception_session.kind", "external")
        .is("inception_session.entry", "pty")
        .contains("inception_session.evidence", "controlling_terminal")
        .holds("no evidence of a broker", |event| {
            !event.at("inception_session.evidence").unwrap().to_string().contains("broker")
        })
        .absent("inception_session.source")
        .met();
    Expect::of(&ls, "ls in that shell")
        .same("inception_session.uuid", "parent.uuid")
        .is("inception_session.entry", "pty")
        .met();
    stage.finish();
}

/// socat connects to somebody who waits, and gives them a shell on a terminal.
#[test]
fn a_reverse_shell_is_an_inception_by_an_unknown_terminal() {
    if !available(&[Means::Recording, Means::Program("socat")]) {
        return;
    }
    let stage = Stage::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("TCP:{}", listener.local_addr().unwrap());
    let shell = "EXEC:sh,pty,setsid,ctty,stderr";
    let socat = Command::new("socat").args([&address, shell]).spawn().unwrap();
    let _socat = Owned::new("socat", socat);
    let (stranger, _) = listener.accept().unwrap();
    let marker = marker("reverse-shell");
    let ls = talk(stage, stranger, &marker);
    Expect::of(&ls, "ls in the reverse shell")
        .is("inception_session.kind", "external")
        .is("inception_session.entry", "pty")
        .is("inception_session.name", "sh")
        .same("inception_session.uuid", "parent.uuid")
        .is("inception_session.tty.kind", "pseudo")
        .met();
}

/// socat waits for somebody, and gives them a shell on a terminal: the socket was accepted, so
/// the far end is known.
#[test]
fn a_bind_shell_shows_who_is_at_the_other_end() {
    if !available(&[Means::Recording, Means::Program("socat")]) {
        return;
    }
    let stage = Stage::new();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let address = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr");
    let shell = "EXEC:sh,pty,setsid,ctty,stderr";
    let socat = Command::new("socat").args([&address, shell]).spawn().unwrap();
    let _socat = Owned::new("socat", socat);
    let stranger = wait::until("socat to listen", || TcpStream::connect(("127.0.0.1", port)).ok());
    let own_port = stranger.local_addr().unwrap().port();
    let marker = marker("bind-shell");
    let ls = talk(stage, stranger, &marker);
    Expect::of(&ls, "ls in the bind shell")
        .is("inception_session.kind", "external")
        .is("inception_session.entry", "pty")
        .contains("inception_session.evidence", "tcp_peer")
        .is("inception_session.source.ip", "127.0.0.1")
        .is("inception_session.source.port", own_port)
        .met();
}

/// Types `ls` into a shell at the other end of a connection, and gives its EXEC.
#[track_caller]
fn talk(mut stage: Stage, mut stranger: TcpStream, marker: &str) -> forebear_testkit::Event {
    stranger.write_all(format!("ls {marker}; exit\n").as_bytes()).unwrap();
    let ls = stage.agent.wait_for_exec_of(&["ls", marker]);
    let mut rest = Vec::new();
    let _ = stranger.read_to_end(&mut rest);
    stage.finish();
    ls
}
