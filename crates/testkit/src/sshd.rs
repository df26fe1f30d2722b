//! A private ssh server on a free loopback port, with keys and settings of its own.
//!
//! It is the machine's own `/usr/sbin/sshd`, so its PAM service is the machine's `sshd`
//! (pam_loginuid and all), unless it is to ask by PAM ([`crate::pam`]). It may print to the
//! machine's utmp and wtmp like every sshd.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::account::{Account, run};
use crate::must::Must;
use crate::pam::{self, Service};
use crate::process::Owned;
use crate::wait;

/// Where sshd is; a server must be started by its whole path, since it runs itself again.
pub const SSHD: &str = "/usr/sbin/sshd";

/// The folder without which sshd refuses to start (sshd(8)); a system's start-up makes it.
const PRIVILEGE_SEPARATION: &str = "/run/sshd";

/// How a server differs from the usual.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether a session is opened through PAM, and so gets a login uid and an audit session.
    pub pam: bool,
    /// Services that ask by PAM. `sshd` does before it lets anybody in, besides their key; others
    /// do where they are run in a login.
    pub asking: Vec<Service>,
    /// The command that is run in place of what a person has asked for.
    pub force: Option<String>,
    /// The server of files.
    pub sftp: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self { pam: true, asking: vec![], force: None, sftp: SFTP }
    }
}

/// The usual server of files.
const SFTP: &str = "/usr/lib/openssh/sftp-server";

/// A running server, stopped when dropped.
#[derive(Debug)]
pub struct Sshd {
    server: Owned,
    port: u16,
    folder: PathBuf,
}

impl Sshd {
    /// Starts a server that lets this user in with the key that it makes.
    pub fn start(account: &Account, options: Options) -> Self {
        make_privilege_separation_folder();
        let folder = account.folder().join("sshd");
        fs_err::create_dir(&folder).must("make the server's folder");
        for key in ["host_key", "user_key"] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "forebear-test", "-f"]);
            run(keygen.arg(folder.join(key)), "make a key");
        }
        fs_err::copy(folder.join("user_key.pub"), folder.join("authorized_keys"))
            .must("let the user's key in");
        // Another program may take the free port before sshd does; then it is tried again.
        for _ in 0..5 {
            let port = free_port();
            if let Some(server) = launch(&folder, port, &options) {
                return Self { server, port, folder };
            }
        }
        panic!("cannot start sshd, its log says:\n{}", log(&folder));
    }

    /// The server's pid.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The private key of the user.
    pub fn user_key(&self) -> PathBuf {
        self.folder.join("user_key")
    }

    /// The clients' ports of all accepted logins, in their order, as the server's log tells.
    pub fn client_ports(&self) -> Vec<u16> {
        let log = log(&self.folder);
        let accepted = log.lines().filter_map(|line| line.split_once("Accepted publickey for "));
        let port = |rest: &str| rest.split(" port ").nth(1)?.split(' ').next()?.parse().ok();
        accepted.filter_map(|(_, rest)| port(rest)).collect()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.server.signal(Signal::TERM);
        let _ = wait::for_at_most(wait::SOON, || self.server.ended());
        if std::thread::panicking() {
            // Captured by the test runner and shown with the failure.
            print_log(&self.folder);
        }
    }
}

#[expect(clippy::print_stderr, reason = "shown by the test runner with a failed test")]
fn print_log(folder: &Path) {
    eprintln!("the log of sshd:\n{}", log(folder));
}

fn log(folder: &Path) -> String {
    fs_err::read_to_string(folder.join("log")).unwrap_or_default()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).must("find a free port");
    listener.local_addr().must("find a free port").port()
}

/// Starts a server and waits until it listens; `None` if it has ended instead.
fn launch(folder: &Path, port: u16, options: &Options) -> Option<Owned> {
    let file = |name: &str| folder.join(name).display().to_string();
    let asks = options.asking.iter().any(|service| service.name == "sshd");
    let force = options.force.as_ref().map(|command| format!("ForceCommand {command}\n"));
    let settings = format!(
        "Port {port}\n\
         ListenAddress 127.0.0.1\n\
         HostKey {}\n\
         PidFile {}\n\
         AuthorizedKeysFile {}\n\
         StrictModes no\n\
         UsePAM {}\n\
         PasswordAuthentication no\n\
         KbdInteractiveAuthentication {}\n\
         AuthenticationMethods {}\n\
         PrintMotd no\n\
         PrintLastLog no\n\
         UseDNS no\n\
         LogLevel VERBOSE\n\
         Subsystem sftp {}\n{}",
        file("host_key"),
        file("pid"),
        file("authorized_keys"),
        if options.pam { "yes" } else { "no" },
        if asks { "yes" } else { "no" },
        if asks { "publickey,keyboard-interactive:pam" } else { "publickey" },
        options.sftp,
        force.unwrap_or_default(),
    );
    let config = folder.join("config");
    fs_err::write(&config, settings).must("write the server's settings");
    let log_file = fs_err::File::create(folder.join("log")).must("make the server's log");
    let mut words = match options.asking.as_slice() {
        [] => vec![],
        asking => pam::words(folder, asking),
    };
    words.push(SSHD.to_owned());
    let mut command = Command::new(words.remove(0));
    command.args(words);
    command.args(["-D", "-e", "-f"]).arg(&config);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log_file.into_parts().0);
    let mut server = Owned::new("sshd", command.spawn().must("start sshd"));
    wait::until("sshd to listen", || {
        if server.ended().is_some() {
            return Some(false);
        }
        log(folder).contains("Server listening").then_some(true)
    })
    .then_some(server)
}

fn make_privilege_separation_folder() {
    match fs_err::create_dir(PRIVILEGE_SEPARATION) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => {
            made.must("make sshd's folder for privilege separation");
            fs_err::set_permissions(PRIVILEGE_SEPARATION, PermissionsExt::from_mode(0o755))
                .must("protect sshd's folder");
        }
    }
}
