//! The private machine works without any agent: logins, copies, and nothing left behind.

use std::path::Path;
use std::process::Command;

use forebear_testkit::account::Account;
use forebear_testkit::means::{self, Means};
use forebear_testkit::scene::{pts_number, shell_path};
use forebear_testkit::sshd::{Options, SSHD, Sshd};
use forebear_testkit::sudo::SudoRule;
use forebear_testkit::{process, ssh, wait};

fn have_ssh() -> bool {
    let root = rustix::process::geteuid().is_root();
    assert!(root || !means::in_ci(), "these tests need root");
    root && means::available(&[
        Means::Path(SSHD),
        Means::Program("ssh"),
        Means::Program("useradd"),
        Means::Program("sudo"),
        Means::Program("zsh"),
    ])
}

#[test]
fn a_login_through_pam_is_on_a_terminal_and_has_a_login_uid() {
    if !have_ssh() {
        return;
    }
    let account = Account::new(&shell_path("bash"));
    let sshd = Sshd::start(&account, Options::default());
    let mut terminal = ssh::login(&sshd, &account);
    pts_number(&mut terminal);
    let shown = terminal.run("cat /proc/self/loginuid");
    assert!(shown.contains(&account.uid().to_string()), "{shown}");
    assert_eq!(sshd.client_ports().len(), 1);
    terminal.line("exit");
    assert!(terminal.ends().success());
}

#[test]
fn every_shell_shows_the_prompt_also_without_pam() {
    if !have_ssh() {
        return;
    }
    for shell in ["bash", "zsh", "dash"] {
        let account = Account::new(&shell_path(shell));
        let sshd = Sshd::start(&account, Options { pam: false, ..Options::default() });
        let mut terminal = ssh::login(&sshd, &account);
        let shown = terminal.run("echo $((40 + 2))");
        assert!(shown.contains("\n42"), "{shell} shows {shown:?}");
        terminal.hang_up();
    }
}

#[test]
fn commands_and_copies_need_no_terminal() {
    if !have_ssh() {
        return;
    }
    let account = Account::new(&shell_path("bash"));
    let sshd = Sshd::start(&account, Options::default());
    let output = ssh::command(&sshd, &account, "echo here; tty");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "here\nnot a tty\n");
    for old_protocol in [false, true] {
        let target = format!("copy-{old_protocol}");
        ssh::scp(&sshd, &account, Path::new("/etc/hostname"), &target, old_protocol);
        assert!(account.home().join(target).exists());
    }
    ssh::sftp(&sshd, &account, "mkdir made-by-sftp");
    assert!(account.home().join("made-by-sftp").is_dir());
}

#[test]
fn nothing_is_left_behind() {
    if !have_ssh() {
        return;
    }
    let account = Account::new(&shell_path("bash"));
    let rule = SudoRule::for_everything(&account);
    let sshd = Sshd::start(&account, Options::default());
    let (name, folder) = (account.name().to_owned(), account.folder().to_owned());
    let mut terminal = ssh::login(&sshd, &account);
    let shown = terminal.run("sudo -n id -u");
    assert!(shown.contains("\n0"), "{shown}");
    terminal.run("setsid sleep 1000 &");
    wait::until("the background job", || (account.pids().len() >= 3).then_some(()));
    // By their pids: another test may be given the same user id at once.
    let mut pids = account.pids();
    pids.push(sshd.pid());
    drop((terminal, sshd, rule, account));
    assert!(!folder.exists());
    assert!(!Path::new("/etc/sudoers.d").join(&name).exists());
    assert!(!Command::new("id").arg(&name).output().is_ok_and(|output| output.status.success()));
    pids.retain(|pid| process::lives(*pid));
    assert!(pids.is_empty(), "{pids:?} still live");
}
