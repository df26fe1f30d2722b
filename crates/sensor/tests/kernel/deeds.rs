//! What the children do: one deed each, run by this binary itself.
//!
//! A child is this test binary with the deed's name in its environment. The deed runs from the
//! binary's initialisers, on the main thread and before the test harness exists, so a deed can
//! end the main thread, be single-threaded, or execute something else. It never returns.

#![allow(unsafe_code, reason = "processes are made and ended in ways that std does not offer")]

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

const VARIABLE: &str = "FOREBEAR_TEST_DEED";

/// A command that does a deed; what follows a colon in the name is its argument.
pub(crate) fn deed(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(VARIABLE, name);
    command
}

#[used]
// SAFETY: the section holds pointers to functions of this signature, which the C library calls
// after its own initialisation.
#[unsafe(link_section = ".init_array")]
static INITIALISER: extern "C" fn() = do_deed;

extern "C" fn do_deed() {
    let Ok(deed) = std::env::var(VARIABLE) else { return };
    // SAFETY: no other thread exists yet.
    unsafe { std::env::remove_var(VARIABLE) };
    let (name, argument) = deed.split_once(':').unwrap_or((&deed, ""));
    match name {
        "exec-in-thread" => exec_in_thread(argument),
        "leader-ends" => leader_ends(),
        "clone-parent" => clone_parent(),
        "exec-memfd" => exec_memfd(),
        "exec-deleted" => exec_deleted(argument),
        "exec-without-argv" => exec_without_argv(),
        "on-terminal" => on_terminal(argument),
        "on-twin-terminals" => on_twin_terminals(argument),
        "on-closed" => on_closed(),
        "show-by-proc" => show_by_proc(argument),
        "accepted" => accepted(argument),
        "connected" => connected(argument, false),
        "connected-from-bound" => connected(argument, true),
        other => panic!("no deed is called {other}"),
    }
    std::process::exit(0);
}

fn execute(path: &str) -> ! {
    panic!("{}", Command::new(path).exec());
}

fn exec_in_thread(path: &str) {
    let path = path.to_owned();
    std::thread::spawn(move || execute(&path)).join().unwrap();
}

/// The main thread ends; another one says that it has seen that, waits for its standard input to
/// end, runs a program and ends the process.
fn leader_ends() {
    let leader = std::process::id();
    std::thread::spawn(move || {
        let stat = format!("/proc/{leader}/stat");
        while !fs::read_to_string(&stat).unwrap().contains(") Z ") {
            std::thread::yield_now();
        }
        std::io::stdout().write_all(b"ended\n").unwrap();
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        Command::new("/bin/true").status().unwrap();
        std::process::exit(7);
    });
    // SAFETY: the raw call ends this thread only and unwinds nothing.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
}

/// Makes a sibling, not a child; its exit signal goes to this process's parent.
fn clone_parent() {
    let flags = libc::CLONE_PARENT | libc::SIGCHLD;
    // SAFETY: without CLONE_VM the new process has its own copy of the memory, as after fork.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    assert!(pid >= 0);
}

fn exec_memfd() {
    // SAFETY: the name is a C string; no flags, so the descriptor stays open in the image.
    let memfd = unsafe { libc::memfd_create(c"deed".as_ptr(), 0) };
    let path = format!("/proc/self/fd/{memfd}");
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all(&fs::read("/bin/true").unwrap()).unwrap();
    drop(file);
    execute(&path);
}

fn exec_deleted(path: &str) {
    let file = File::open(path).unwrap();
    fs::remove_file(path).unwrap();
    // SAFETY: clears the descriptor's flags, so that it stays open.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFD, 0) };
    execute(&format!("/proc/self/fd/{}", file.as_raw_fd()));
}

fn exec_without_argv() {
    let path = CString::new("/bin/true").unwrap();
    let nothing = [std::ptr::null()];
    // SAFETY: both lists end with a null pointer, which is their first.
    unsafe { libc::execve(path.as_ptr(), nothing.as_ptr(), nothing.as_ptr()) };
}

/// Leads a session on a new terminal, with the given file as standard input, the terminal as
/// standard output and /dev/null as standard error, and runs a program.
fn on_terminal(stdin: &str) {
    // SAFETY: plain system calls on descriptors of this process; the buffer has its size told.
    unsafe {
        let main = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY);
        assert_eq!(libc::grantpt(main) | libc::unlockpt(main), 0);
        let mut name = [0; 64];
        assert_eq!(libc::ptsname_r(main, name.as_mut_ptr(), name.len()), 0);
        assert!(libc::setsid() > 0);
        let terminal = libc::open(name.as_ptr(), libc::O_RDWR);
        assert!(libc::ioctl(terminal, libc::TIOCSCTTY, 0) == 0);
        let stdin = CString::new(stdin).unwrap();
        let stdin = libc::open(stdin.as_ptr(), libc::O_RDONLY);
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        assert!(stdin >= 0 && null >= 0);
        libc::dup2(stdin, 0);
        libc::dup2(terminal, 1);
        libc::dup2(null, 2);
    }
    execute("/bin/true");
}

/// Leads a session on a terminal of the devpts instance in that folder, which is also its
/// standard output; its standard input is a terminal of the machine's instance with the same
/// number.
fn on_twin_terminals(folder: &str) {
    let other = CString::new(format!("{folder}/ptmx")).unwrap();
    // SAFETY: plain system calls; the numbers that are written to are this function's own.
    unsafe {
        let number_of = |main| {
            let mut number: libc::c_uint = 0;
            assert_eq!(libc::ioctl(main, libc::TIOCGPTN, &raw mut number), 0);
            let unlock: libc::c_int = 0;
            assert_eq!(libc::ioctl(main, libc::TIOCSPTLCK, &raw const unlock), 0);
            number
        };
        let open = |path: &CString| libc::open(path.as_ptr(), libc::O_RDWR | libc::O_NOCTTY);
        let number = number_of(open(&CString::new("/dev/ptmx").unwrap()));
        let stdin = open(&CString::new(format!("/dev/pts/{number}")).unwrap());
        while number_of(open(&other)) != number {}
        assert!(libc::setsid() > 0);
        let terminal = open(&CString::new(format!("{folder}/{number}")).unwrap());
        assert!(stdin >= 0 && terminal >= 0);
        assert_eq!(libc::ioctl(terminal, libc::TIOCSCTTY, 0), 0);
        libc::dup2(stdin, 0);
        libc::dup2(terminal, 1);
    }
    execute("/bin/true");
}

fn on_closed() {
    // SAFETY: nothing of this process uses its standard input.
    unsafe { libc::close(0) };
    execute("/bin/true");
}

/// Prints how `/proc` shows a process to this one.
fn show_by_proc(pid: &str) {
    let proc_fs = forebear_sensor::ProcFs::new(std::path::Path::new("/proc")).unwrap();
    proc_fs
        .snapshot(&mut |observation| {
            if let forebear_model::Observation::Running(running) = observation
                && running.process.pid.0.to_string() == pid
            {
                let exe = running.executable.as_ref().map(|file| file.path.is_ok());
                println!("{exe:?} {:?} {:?}", running.cwd, running.state.streams);
            }
        })
        .unwrap();
}

/// Runs a program that leads its own session.
fn run_leader() {
    let mut command = Command::new("/bin/true");
    // SAFETY: setsid(2) is safe between fork and exec.
    unsafe {
        command.pre_exec(|| match libc::setsid() {
            -1 => Err(std::io::Error::last_os_error()),
            _ => Ok(()),
        });
    }
    command.status().unwrap();
}

/// Holds both ends of a connection, and prints the address of the connecting one. The argument
/// is what to listen on.
fn accepted(address: &str) {
    let listener = TcpListener::bind(address).unwrap();
    let port = listener.local_addr().unwrap().port();
    let to = if address.contains("127.") { "127.0.0.1" } else { "[::1]" };
    let to = if address.starts_with("[::]") { "127.0.0.1" } else { to };
    let client = TcpStream::connect(format!("{to}:{port}")).unwrap();
    let (server, _) = listener.accept().unwrap();
    drop(listener);
    println!("{}", client.local_addr().unwrap());
    run_leader();
    drop((client, server));
}

/// Holds the connecting end only; with its own port bound, if wanted.
fn connected(address: &str, is_bound: bool) {
    let to: std::net::SocketAddrV4 = address.parse().unwrap();
    // SAFETY: plain system calls; the addresses are complete and their sizes told.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        let mut name: libc::sockaddr_in = std::mem::zeroed();
        let size = size_of::<libc::sockaddr_in>() as u32;
        name.sin_family = libc::AF_INET as u16;
        name.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
        if is_bound {
            // A port that nobody has: below the range that connect takes from.
            let is_free = (20_000u16..30_000).any(|port| {
                name.sin_port = port.to_be();
                libc::bind(socket, (&raw const name).cast(), size) == 0
            });
            assert!(is_free);
        }
        name.sin_port = to.port().to_be();
        assert_eq!(libc::connect(socket, (&raw const name).cast(), size), 0);
    }
    run_leader();
}
