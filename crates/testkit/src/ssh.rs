//! Real ssh clients of a private server.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::account::Account;
use crate::must::Must;
use crate::sshd::Sshd;
use crate::terminal::Terminal;

/// Logs in on a terminal and waits for the shell's prompt.
#[track_caller]
pub fn login(sshd: &Sshd, account: &Account) -> Terminal {
    let mut terminal = dial(sshd, account);
    terminal.prompt();
    terminal
}

/// Starts a login on a terminal without waiting for anything.
pub fn dial(sshd: &Sshd, account: &Account) -> Terminal {
    let port = sshd.port().to_string();
    let mut arguments = settings(sshd);
    let address = address(account);
    // -tt: a terminal in any case; -e none: no escape character in what is typed.
    arguments.extend(["-tt", "-e", "none", "-p", &port, &address].map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Terminal::start("ssh", &arguments)
}

/// Begins a login on a terminal at a server that asks questions, which whoever calls answers.
pub fn dial_and_answer(sshd: &Sshd, account: &Account) -> Terminal {
    let port = sshd.port().to_string();
    let mut arguments = settings_to_answer(sshd);
    let address = address(account);
    arguments.extend(["-tt", "-e", "none", "-p", &port, &address].map(str::to_owned));
    start_to_answer("ssh", &arguments)
}

/// Begins to copy a file to a host that asks questions, which whoever calls answers.
pub fn scp_and_answer(sshd: &Sshd, account: &Account, file: &Path, target: &str) -> Terminal {
    let mut arguments = settings_to_answer(sshd);
    let (port, file) = (sshd.port().to_string(), file.display().to_string());
    let target = format!("{}:{target}", address(account));
    arguments.extend(["-P", &port, &file, &target].map(str::to_owned));
    start_to_answer("scp", &arguments)
}

/// Begins sftp at a host that asks questions, which whoever calls answers.
pub fn sftp_and_answer(sshd: &Sshd, account: &Account) -> Terminal {
    let mut arguments = settings_to_answer(sshd);
    arguments.extend(["-P", &sshd.port().to_string(), &address(account)].map(str::to_owned));
    start_to_answer("sftp", &arguments)
}

/// The first value of an option counts (ssh_config(5)). What a server says besides its questions
/// is shown from INFO on.
fn settings_to_answer(sshd: &Sshd) -> Vec<String> {
    let mut arguments = ["-o", "BatchMode=no", "-o", "LogLevel=INFO"].map(str::to_owned).to_vec();
    arguments.extend(settings(sshd));
    arguments
}

/// A client shows characters beyond ASCII only where the locale has them.
fn start_to_answer(program: &str, arguments: &[String]) -> Terminal {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Terminal::start_with(program, &arguments, &[("LC_ALL", "C.UTF-8")])
}

/// Runs `ssh host command` on a terminal, without waiting for anything.
pub fn command_on_terminal(sshd: &Sshd, account: &Account, command: &str) -> Terminal {
    let port = sshd.port().to_string();
    let mut arguments = settings(sshd);
    let address = address(account);
    arguments.extend(["-tt", "-e", "none", "-p", &port, &address, command].map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Terminal::start("ssh", &arguments)
}

/// Runs `ssh host command` without a terminal.
#[track_caller]
pub fn command(sshd: &Sshd, account: &Account, command: &str) -> Output {
    let mut ssh = Command::new("ssh");
    ssh.args(settings(sshd)).args(["-T", "-p", &sshd.port().to_string()]);
    ssh.arg(address(account)).arg(command).stdin(Stdio::null());
    ssh.output().must("run ssh")
}

/// Copies a file to the host with scp, by the sftp protocol or the old one.
#[track_caller]
pub fn scp(sshd: &Sshd, account: &Account, file: &Path, target: &str, old_protocol: bool) {
    let mut scp = Command::new("scp");
    scp.args(settings(sshd)).args(["-q", "-P", &sshd.port().to_string()]);
    if old_protocol {
        scp.arg("-O");
    }
    scp.arg(file).arg(format!("{}:{target}", address(account)));
    crate::account::run(&mut scp, "copy a file with scp");
}

/// Runs one line of sftp commands.
#[track_caller]
pub fn sftp(sshd: &Sshd, account: &Account, line: &str) -> Output {
    let batch = account.folder().join("sftp.batch");
    fs_err::write(&batch, format!("{line}\n")).must("write the sftp commands");
    let mut sftp = Command::new("sftp");
    sftp.args(settings(sshd)).args(["-q", "-P", &sshd.port().to_string(), "-b"]).arg(&batch);
    sftp.arg(address(account));
    crate::account::run(&mut sftp, "run sftp")
}

fn address(account: &Account) -> String {
    format!("{}@127.0.0.1", account.name())
}

/// The server's key is new each time, so it is not checked, and nothing of the person who runs
/// the tests is used: no settings, no keys, no agent.
fn settings(sshd: &Sshd) -> Vec<String> {
    let key = sshd.user_key().display().to_string();
    let mut settings: Vec<String> = ["-F", "none", "-i", &key].map(str::to_owned).to_vec();
    for option in [
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "BatchMode=yes",
        "ForwardAgent=no",
        "LogLevel=ERROR",
    ] {
        settings.extend(["-o".to_owned(), option.to_owned()]);
    }
    settings
}
