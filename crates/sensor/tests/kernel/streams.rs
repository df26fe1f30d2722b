//! Standard streams and the controlling terminal.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use forebear_model::{Device, Stream, StreamKind, TerminalKind};

use crate::deeds::deed;
use crate::watch::Watch;

const NULL: Stream =
    Stream { device: Device { major: 1, minor: 3 }, kind: StreamKind::Char, is_ctty: false };

#[test]
fn redirections_are_told_by_kind_and_device() {
    let Some(mut watch) = Watch::attach() else { return };
    let file = tempfile::tempfile().unwrap();
    let dev = file.metadata().unwrap().dev();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let pid = watch.run(
        Command::new("/bin/true")
            .stdin(File::open("/dev/null").unwrap())
            .stdout(file)
            .stderr(std::os::fd::OwnedFd::from(theirs)),
    );
    drop(ours);
    let [stdin, stdout, stderr] = watch.exec_of(pid).state.streams.unwrap();
    assert_eq!(stdin, Some(NULL));
    let stdout = stdout.unwrap();
    assert_eq!(stdout.kind, StreamKind::File);
    let Device { major, minor } = stdout.device;
    assert_eq!((major, minor), (rustix::fs::major(dev), rustix::fs::minor(dev)));
    assert_eq!(stderr.unwrap().kind, StreamKind::Socket);
}

#[test]
fn pipes_directories_and_closed_descriptors_are_told_apart() {
    let Some(mut watch) = Watch::attach() else { return };
    let pid =
        watch.run(Command::new("/bin/true").stdin(Stdio::piped()).stdout(File::open("/").unwrap()));
    let streams = watch.exec_of(pid).state.streams.unwrap();
    assert_eq!(streams[0].unwrap().kind, StreamKind::Pipe);
    assert_eq!(streams[1].unwrap().kind, StreamKind::Directory);
    let pid = watch.run(&mut deed("on-closed"));
    let exec = watch.execs().filter(|exec| exec.process.pid.0 == pid).last().unwrap();
    assert_eq!(exec.state.streams.unwrap()[0], None);
}

#[test]
fn dev_tty_is_the_controlling_terminal_by_another_number() {
    let Some(mut watch) = Watch::attach() else { return };
    let pid = watch.run(&mut deed("on-terminal:/dev/tty"));
    let exec = watch.execs().filter(|exec| exec.process.pid.0 == pid).last().unwrap();
    let terminal = exec.state.tty.unwrap();
    assert_eq!(terminal.kind, TerminalKind::Pseudo);
    assert_eq!(terminal.device.major, 136);
    let [stdin, stdout, stderr] = exec.state.streams.unwrap();
    let tty = |device| Stream { device, kind: StreamKind::Tty, is_ctty: true };
    assert_eq!(stdin, Some(tty(Device::DEV_TTY)));
    assert_eq!(stdout, Some(tty(terminal.device)));
    assert_eq!(stderr, Some(NULL));
}

#[test]
fn the_other_end_of_a_terminal_is_not_the_controlling_one() {
    let Some(mut watch) = Watch::attach() else { return };
    // Opening it makes a new pair, so its number (5,2) belongs to a terminal of nobody here.
    let pid = watch.run(&mut deed("on-terminal:/dev/ptmx"));
    let exec = watch.execs().filter(|exec| exec.process.pid.0 == pid).last().unwrap();
    let stdin = exec.state.streams.unwrap()[0].unwrap();
    assert_eq!(stdin.device, Device { major: 5, minor: 2 });
    assert!(!stdin.is_ctty);
}

#[test]
fn a_terminal_of_another_devpts_instance_is_told_apart() {
    let Some(mut watch) = Watch::attach() else { return };
    let folder = tempfile::tempdir().unwrap();
    // Numbers of a new instance begin at 0 again.
    let script = "mount -t devpts -o newinstance,ptmxmode=666 none \"$1\" && \
                  FOREBEAR_TEST_DEED=on-twin-terminals:\"$1\" exec \"$2\"";
    let pid = watch.run(
        Command::new("unshare")
            .args(["--mount", "/bin/sh", "-c", script, "sh"])
            .arg(folder.path())
            .arg(std::env::current_exe().unwrap()),
    );
    let exec = watch.execs().filter(|exec| exec.process.pid.0 == pid).last().unwrap();
    assert_eq!(exec.filename, Ok(&b"/bin/true"[..]));
    let [stdin, stdout, _] = exec.state.streams.unwrap().map(Option::unwrap);
    assert_eq!(stdin.device, stdout.device);
    assert_eq!(stdin.kind, StreamKind::Tty);
    assert!(!stdin.is_ctty && stdout.is_ctty);
}
