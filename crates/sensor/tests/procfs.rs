//! The `/proc` reader on made-up folders and on the real one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use forebear_model::observation::{PidNamespace, Running};
use forebear_model::{
    AuditSession, Device, NamespaceId, Observation, Pgid, Pid, Sid, StreamKind, TerminalKind,
    Ticks, Uid, Why,
};
use forebear_sensor::{ProcFs, SnapshotReport};

/// A folder that looks like `/` to the reader.
struct Fake {
    root: tempfile::TempDir,
}

impl Fake {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("proc/tty")).unwrap();
        Self { root }
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, path: &str, target: impl AsRef<Path>) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    /// A shell on a terminal of that number.
    fn process(&self, pid: u32, ppid: u32, state: char, tty_nr: i32) {
        self.write(
            &format!("proc/{pid}/stat"),
            format!(
                "{pid} (sh) {state} {ppid} {pid} {pid} {tty_nr} -1 4194560 0 0 0 0 0 0 0 0 20 0 \
                 1 0 {} 0\n",
                pid * 10
            ),
        );
        self.write(
            &format!("proc/{pid}/status"),
            format!(
                "Name:\tsh\nUid:\t1000\t0\t0\t0\nGid:\t5\t5\t5\t5\nNStgid:\t{pid}\nNSpid:\t{pid}\n"
            ),
        );
        self.write(&format!("proc/{pid}/cmdline"), "sh\0-c\0\0");
        self.write(&format!("proc/{pid}/cgroup"), "0::/user.slice\n");
        self.link(&format!("proc/{pid}/root"), "/");
        self.link(&format!("proc/{pid}/cwd"), "/usr");
        self.link(&format!("proc/{pid}/exe"), "/bin/sh");
        self.link(&format!("proc/{pid}/fd/0"), "/dev/null");
    }

    fn snapshot<T>(&self, mut each: impl FnMut(&Running<'_>) -> T) -> (SnapshotReport, Vec<T>) {
        let mut seen = Vec::new();
        let report = ProcFs::new(self.root.path())
            .unwrap()
            .snapshot(&mut |observation| match observation {
                Observation::Running(running) => seen.push(each(running)),
                Observation::SnapshotBegin(_) => {}
                other => panic!("{other:?}"),
            })
            .unwrap();
        (report, seen)
    }

    fn only<T>(&self, each: impl FnMut(&Running<'_>) -> T) -> T {
        let (report, mut seen) = self.snapshot(each);
        assert_eq!((report.problems, seen.len()), (vec![], 1));
        seen.remove(0)
    }
}

#[test]
fn a_process_is_read_from_its_files() {
    let fake = Fake::new();
    fake.process(42, 0, 'S', 0);
    fake.write("proc/42/loginuid", "1001");
    fake.write("proc/42/sessionid", "3\n");
    let group = "sys/fs/cgroup/user.slice/cgroup.procs";
    fake.write("sys/fs/cgroup/cgroup.procs", "");
    fake.write(group, "");
    let inode = fs::metadata(fake.root.path().join(group).parent().unwrap()).unwrap().ino();
    fake.only(|running| {
        assert_eq!(running.process.pid, Pid(42));
        assert_eq!(running.process.start, Ticks(420).start());
        assert_eq!((running.state.sid, running.state.pgid), (Sid(42), Pgid(42)));
        assert_eq!(running.state.credentials.uid, Uid(1000));
        assert_eq!(running.state.credentials.euid, Uid(0));
        assert_eq!(running.state.login_uid, Some(Uid(1001)));
        assert_eq!(running.state.audit_session, Some(AuditSession(3)));
        assert_eq!(running.state.tty, None);
        assert_eq!(running.place.pid_namespace, None);
        assert_eq!(running.place.cgroup.0, inode);
        assert_eq!(running.place.cgroup_path, Some(&b"/user.slice"[..]));
        let argv = running.argv.unwrap();
        assert_eq!(argv.iter().collect::<Vec<_>>(), [&b"sh"[..], b"-c", b""]);
        assert!(!argv.is_cut());
        assert_eq!(running.cwd, Ok(&b"/usr"[..]));
        assert_eq!(running.comm, b"sh");
        let executable = running.executable.as_ref().unwrap();
        assert_eq!(executable.path, Ok(&b"/bin/sh"[..]));
        assert_eq!(executable.file.inode, fs::metadata("/bin/sh").unwrap().ino());
        let [stdin, stdout, _] = running.state.streams.unwrap();
        assert_eq!(stdin.unwrap().device, Device { major: 1, minor: 3 });
        assert_eq!(stdin.unwrap().kind, StreamKind::Char);
        assert_eq!(stdout, None);
    });
}

#[test]
fn unset_login_ids_are_absent() {
    let fake = Fake::new();
    fake.process(42, 0, 'S', 0);
    fake.write("proc/42/loginuid", "4294967295");
    fake.only(|running| {
        assert_eq!(running.state.login_uid, None);
        assert_eq!(running.state.audit_session, None);
    });
}

#[test]
fn a_terminal_of_an_unknown_number_is_named_by_its_driver() {
    let fake = Fake::new();
    fake.write("proc/tty/drivers", "usb serial  /dev/ttyX  241 0-255 serial\n");
    fake.process(42, 0, 'S', 241 << 8 | 3);
    let terminal = fake.only(|running| running.state.tty.unwrap());
    assert_eq!(terminal.device, Device { major: 241, minor: 3 });
    assert_eq!(terminal.kind, TerminalKind::Serial);
}

#[test]
fn a_terminal_device_is_the_controlling_one_only_if_it_is_the_same() {
    let fake = Fake::new();
    // /dev/tty is whatever the controlling terminal is; /dev/console only what it stands for.
    fake.process(42, 0, 'S', 4 << 8 | 64);
    fake.link("proc/42/fd/1", "/dev/tty");
    fake.link("proc/42/fd/2", "/dev/console");
    let streams = |fake: &Fake| fake.only(|running| running.state.streams.unwrap());
    let [stdin, stdout, stderr] = streams(&fake);
    assert!(!stdin.unwrap().is_ctty && stdout.unwrap().is_ctty && !stderr.unwrap().is_ctty);
    fake.write("sys/class/tty/console/active", "tty0 ttyS0\n");
    assert!(streams(&fake)[2].unwrap().is_ctty);
    fake.write("sys/class/tty/console/active", "ttyS0 tty0\n");
    assert!(!streams(&fake)[2].unwrap().is_ctty);
}

#[test]
fn an_inner_pid_namespace_is_told() {
    let fake = Fake::new();
    fake.process(42, 0, 'S', 0);
    fake.write("proc/42/status", "Uid:\t0\t0\nGid:\t0\t0\nNSpid:\t42\t7\t1\n");
    fake.link("proc/42/ns/pid", "pid:[4026532000]");
    let expected = PidNamespace { id: NamespaceId(4_026_532_000), level: 2, pid: Pid(1) };
    assert_eq!(fake.only(|running| running.place.pid_namespace), Some(expected));
}

#[test]
fn paths_begin_at_the_process_own_root() {
    let fake = Fake::new();
    fake.process(42, 0, 'S', 0);
    fs::remove_file(fake.root.path().join("proc/42/root")).unwrap();
    fake.link("proc/42/root", "/bin");
    fake.only(|running| {
        assert_eq!(running.executable.as_ref().unwrap().path, Ok(&b"/sh"[..]));
        assert_eq!(running.cwd, Ok(&b"/usr"[..]), "it lies outside");
    });
}

#[test]
fn parents_are_known_by_their_start() {
    let fake = Fake::new();
    fake.process(42, 99, 'S', 0);
    fake.process(99, 0, 'S', 0);
    let (_, keys) = fake.snapshot(|running| (running.process.pid.0, running.parent));
    assert_eq!(keys[0].1.start, Ticks(990).start());
    assert_eq!(keys[1].1.pid, Pid(0));
}

#[test]
fn a_session_leader_is_given_the_connection_that_its_parent_has_accepted() {
    let fake = Fake::new();
    fake.process(42, 99, 'S', 0);
    fake.process(99, 0, 'S', 0);
    fake.link("proc/99/fd/3", "pipe:[7]");
    fake.link("proc/99/fd/4", "socket:[12]");
    let row = |addresses: &str, inode: u32| {
        format!("   0: {addresses} 00000000:00000000 00:00000000 00000000 0 0 {inode} 1\n")
    };
    let listener = row("00000000:0016 00000000:0000 0A", 11);
    let accepted = row("7F00007F:0016 7F00007F:D431 01", 12);
    fake.write("proc/99/net/tcp", listener + &accepted);
    let (_, peers) = fake.snapshot(|running| running.tcp_peer.map(|peer| peer.port));
    assert_eq!(peers, [Some(0xd431), None]);
}

#[test]
fn what_has_ended_or_ends_meanwhile_is_left_out() {
    let fake = Fake::new();
    fake.process(42, 0, 'Z', 0);
    fs::create_dir_all(fake.root.path().join("proc/43")).unwrap();
    let (report, seen) = fake.snapshot(|_| ());
    assert_eq!((report.processes, report.problems.len(), seen.len()), (0, 0, 0));
}

#[test]
fn a_file_in_another_form_is_a_problem_and_stops_nothing() {
    let fake = Fake::new();
    fake.process(42, 0, 'S', 0);
    fake.write("proc/41/stat", "nonsense");
    let (report, seen) = fake.snapshot(|running| running.process.pid);
    assert_eq!(seen, [Pid(42)]);
    assert_eq!(report.problems, ["/proc/41/stat is not in the documented form"]);
}

#[test]
fn a_thread_speaks_for_a_leader_that_has_ended() {
    let fake = Fake::new();
    fake.process(42, 0, 'Z', 0);
    let stat = fs::read_to_string(fake.root.path().join("proc/42/stat")).unwrap();
    fake.write("proc/42/stat", stat.replace(" 20 0 1 0 ", " 20 0 2 0 "));
    let thread = |file: &str| format!("proc/42/task/44/{file}");
    fake.write(&thread("stat"), stat.replace(") Z ", ") S "));
    fake.write(&thread("status"), "Uid:\t7\t7\nGid:\t7\t7\nNSpid:\t44\n");
    fake.write(&thread("cmdline"), "x\0");
    fake.link(&thread("exe"), "/bin/sh");
    fake.link(&thread("cwd"), "/");
    fake.only(|running| {
        assert_eq!(running.process.pid, Pid(42));
        assert_eq!(running.state.credentials.uid, Uid(7));
        assert!(running.executable.is_some());
    });
}

#[test]
fn this_process_is_found_in_the_real_proc() {
    for root in ["/", "/proc"] {
        let mut found = 0;
        ProcFs::new(Path::new(root))
            .unwrap()
            .snapshot(&mut |observation| {
                let Observation::Running(running) = observation else { return };
                if running.process.pid != Pid(std::process::id()) {
                    return;
                }
                found += 1;
                let exe = std::env::current_exe().unwrap();
                let path = running.executable.as_ref().unwrap().path.unwrap();
                assert_eq!(path, exe.as_os_str().as_encoded_bytes());
                let cwd = std::env::current_dir().unwrap();
                assert_eq!(running.cwd.unwrap(), cwd.as_os_str().as_encoded_bytes());
                assert!(running.state.streams.is_ok());
                assert_ne!(running.state.streams, Err(Why::PermissionDenied));
            })
            .unwrap();
        assert_eq!(found, 1, "{root}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_it() {
    let error = ProcFs::new(Path::new("/nowhere/proc")).unwrap_err();
    assert_eq!(error.to_string(), "cannot list /nowhere/proc");
}
