//! Where people and services come in, and what stays with them.

use forebear_model::observation::TcpPeer;
use forebear_model::{Device, Entry, Evidence, InceptionKind};

use crate::world::{PTS, World};

const TTY1: Device = Device { major: 4, minor: 1 };
const TTYS0: Device = Device { major: 4, minor: 64 };

#[track_caller]
fn door(told: &crate::world::Told) -> (InceptionKind, Entry) {
    let door = told.door.as_ref().expect("the inception is known");
    (door.kind, door.entry)
}

#[test]
fn the_references_example_a_login_shell_and_its_ls() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    let login = world.last_told_of(shell).clone();
    let unprivileged = world.get(shell).creator.expect("somebody made it");
    let monitor = world.get(unprivileged).creator.expect("somebody made it");
    assert_eq!(login.inception, Ok(shell.pid.0), "the login shell is the inception");
    assert_eq!(login.parent, Ok(unprivileged.pid.0), "its parent is sshd");
    assert_eq!(login.session_leader, Ok(monitor.pid.0), "the leader is sshd's session leader");
    assert_eq!(login.last_user_entered, None);
    assert_eq!(door(&login), (InceptionKind::External, Entry::Ssh));
    let found = login.door.expect("the inception is known");
    assert_eq!(
        found.evidence,
        [
            Evidence::BrokerExecutable,
            Evidence::LoginUidSet,
            Evidence::AuditSessionSet,
            Evidence::TcpPeer,
            Evidence::ControllingTerminal
        ]
    );
    assert_eq!(found.source, Some(TcpPeer { ip: [10, 0, 0, 9].into(), port: 5022 }));

    let (ls, told) = world.type_at(shell, "/bin/ls");
    assert_eq!(told.pid, ls.pid.0);
    assert_eq!(told.parent, Ok(shell.pid.0));
    assert_eq!(told.session_leader, Ok(shell.pid.0));
    assert_eq!(told.inception, Ok(shell.pid.0));
    assert_eq!(told.last_user_entered, None);
    assert!(told.user_entered);
}

#[test]
fn a_command_over_ssh_without_a_terminal_is_an_inception_too() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let child = world.ssh_child(sshd, 8);
    let told = world.exec(child, "/bin/bash");
    assert_eq!(told.inception, Ok(child.pid.0));
    assert_eq!(door(&told), (InceptionKind::External, Entry::Ssh));
    let (_, told) = world.run_from(child, "/usr/lib/openssh/sftp-server");
    assert_eq!(told.inception, Ok(child.pid.0));
}

#[test]
fn the_brokers_own_processes_are_nobodys_external_inception() {
    let mut world = World::observed();
    let sshd = world.sshd();
    world.ssh_login(sshd, 3);
    let of_sshd: Vec<_> = world.told.iter().filter(|told| told.name == "sshd").collect();
    assert_eq!(of_sshd.len(), 2, "the listener and the monitor have run sshd");
    for told in of_sshd {
        assert_eq!(told.inception, Ok(sshd.pid.0));
        assert_eq!(door(told), (InceptionKind::Internal, Entry::Service));
    }
}

#[test]
fn a_program_merely_called_sshd_opens_an_unknown_door() {
    let mut world = World::observed();
    let init = world.init();
    let fake = world.fork(init);
    world.setsid(fake);
    world.exec(fake, "/tmp/sshd");
    let child = world.fork(fake);
    world.setsid(child);
    world.open_terminal(child, PTS(4));
    let told = world.exec(child, "/bin/bash");
    assert_eq!(door(&told), (InceptionKind::External, Entry::Pty));
}

#[test]
fn the_right_path_without_any_sign_of_a_login_is_not_ssh() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let child = world.fork(sshd);
    world.setsid(child);
    world.open_terminal(child, PTS(4));
    let told = world.exec(child, "/bin/bash");
    assert_eq!(door(&told), (InceptionKind::External, Entry::Pty));
}

#[test]
fn a_reverse_shell_shows_as_a_terminal_opened_by_an_unknown_program() {
    let mut world = World::observed();
    let init = world.init();
    let web = world.fork(init);
    world.setsid(web);
    world.exec(web, "/usr/sbin/nginx");
    let (exploit, _) = world.run_from(web, "/usr/bin/python3");
    let shell = world.fork(exploit);
    world.setsid(shell);
    world.open_terminal(shell, PTS(9));
    let told = world.exec(shell, "/bin/sh");
    assert_eq!(told.inception, Ok(shell.pid.0));
    assert_eq!(door(&told), (InceptionKind::External, Entry::Pty));
    assert_eq!(told.door.expect("known").evidence, [Evidence::ControllingTerminal]);
}

#[test]
fn a_login_on_a_console_and_on_a_serial_line() {
    for (device, entry) in [(TTY1, Entry::Login), (TTYS0, Entry::Serial)] {
        let mut world = World::observed();
        let init = world.init();
        let getty = world.fork(init);
        world.setsid(getty);
        world.open_terminal(getty, device);
        let waiting = world.exec(getty, "/sbin/agetty");
        assert_eq!(door(&waiting), (InceptionKind::Internal, Entry::Service));
        let asking = world.exec(getty, "/bin/login");
        assert_eq!(door(&asking), (InceptionKind::Internal, Entry::Service));
        world.login(getty, 1000, 4);
        // login(1) gives the terminal up before it makes the shell's process.
        world.get_mut(getty).state.tty = None;
        let shell = world.fork(getty);
        world.setsid(shell);
        world.open_terminal(shell, device);
        let told = world.exec(shell, "/bin/bash");
        assert_eq!(told.inception, Ok(shell.pid.0));
        assert_eq!(door(&told), (InceptionKind::External, entry));
    }
}

#[test]
fn a_login_that_leads_the_shells_session_itself_is_a_login_too() {
    let mut world = World::observed();
    let init = world.init();
    let login = world.fork(init);
    world.setsid(login);
    world.open_terminal(login, TTY1);
    world.exec(login, "/sbin/agetty");
    world.exec(login, "/bin/login");
    world.login(login, 1000, 4);
    let (_, told) = world.run_from(login, "/bin/run-parts");
    assert_eq!(door(&told), (InceptionKind::Internal, Entry::Service), "what PAM runs is no login");
    let shell = world.fork(login);
    world.become_user(shell, 1000);
    let told = world.exec_as(shell, "/bin/bash", b"-bash\0");
    assert_eq!(told.inception, Ok(shell.pid.0));
    assert_eq!(door(&told), (InceptionKind::External, Entry::Login));
    assert_eq!(told.session_leader, Ok(login.pid.0));
    let (_, told) = world.type_at(shell, "/bin/ls");
    assert_eq!((told.inception, told.session_leader), (Ok(shell.pid.0), Ok(login.pid.0)));
}

#[test]
fn an_exec_chain_from_init_becomes_a_login_when_it_runs_something_else() {
    let mut world = World::observed();
    let init = world.init();
    let line = world.fork(init);
    world.setsid(line);
    world.open_terminal(line, TTYS0);
    let waiting = world.exec(line, "/sbin/getty");
    assert_eq!(door(&waiting), (InceptionKind::Internal, Entry::Service));
    let told = world.exec(line, "/bin/ash");
    assert_eq!(told.inception, Ok(line.pid.0));
    assert_eq!(door(&told), (InceptionKind::External, Entry::Serial));
}

#[test]
fn a_service_is_its_own_inception_and_its_children_inherit_it() {
    let mut world = World::observed();
    let init = world.init();
    let cron = world.fork(init);
    world.setsid(cron);
    let told = world.exec(cron, "/usr/sbin/cron");
    assert_eq!(told.inception, Ok(cron.pid.0));
    assert_eq!(told.session_leader, Ok(1), "it came from PID 1's session");
    let (job, told) = world.run_from(cron, "/bin/sh");
    assert_eq!(told.inception, Ok(cron.pid.0));
    world.setsid(job);
    let (_, told) = world.run_from(job, "/usr/bin/updatedb");
    assert_eq!((told.inception, told.session_leader), (Ok(cron.pid.0), Ok(job.pid.0)));
    assert_eq!(door(&told), (InceptionKind::Internal, Entry::Service));
}

#[test]
fn sudo_and_su_change_the_user_and_nothing_else() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    let (sudo, told) = world.type_at(shell, "/usr/bin/sudo");
    assert_eq!(told.inception, Ok(shell.pid.0));
    world.become_user(sudo, 0);
    // sudo runs its command in a terminal and session of its own (use_pty).
    let inner = world.fork(sudo);
    world.setsid(inner);
    world.open_terminal(inner, PTS(12));
    let told = world.exec(inner, "/bin/bash");
    assert_eq!(told.inception, Ok(shell.pid.0));
    assert_eq!(told.session_leader, Ok(shell.pid.0));
    assert_eq!(told.last_user_entered, Some(Ok(sudo.pid.0)));
    let (_, told) = world.type_at(inner, "/usr/bin/id");
    assert_eq!((told.inception, told.session_leader), (Ok(shell.pid.0), Ok(inner.pid.0)));
}

#[test]
fn tmux_changes_the_session_leader_and_keeps_the_inception_also_after_logout() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    let (client, _) = world.type_at(shell, "/usr/bin/tmux");
    // The server is made by fork(2) and daemon(3), and never runs another program.
    let between = world.fork(client);
    let server = world.fork(between);
    world.exit(between);
    world.setsid(server);
    let pane = world.fork(server);
    world.setsid(pane);
    world.open_terminal(pane, PTS(7));
    let told = world.exec(pane, "/bin/bash");
    assert_eq!(told.session_leader, Ok(server.pid.0), "the pane's shell has the tmux server");
    assert_eq!(told.inception, Ok(shell.pid.0));
    assert_eq!(told.last_user_entered, Some(Ok(client.pid.0)));
    let (_, told) = world.type_at(pane, "/bin/ls");
    assert_eq!(told.session_leader, Ok(pane.pid.0), "the pane's ls has the pane's shell");

    world.exit(client);
    world.exit(shell);
    let (_, told) = world.type_at(pane, "/bin/ls");
    assert_eq!(told.inception, Ok(shell.pid.0), "logging out changes nothing");
    assert_eq!(door(&told), (InceptionKind::External, Entry::Ssh));
}

#[test]
fn a_double_fork_is_adopted_by_init_and_remembers_its_creator() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    let (first, _) = world.type_at(shell, "/bin/sh");
    let second = world.fork(first);
    world.exit(first);
    let told = world.exec(second, "/usr/bin/miner");
    assert_eq!(told.parent, Ok(1));
    assert!(told.differs_from_creator);
    assert_eq!(told.inception, Ok(shell.pid.0));
    assert_eq!(told.last_user_entered, Some(Ok(first.pid.0)));
}

#[test]
fn ssm_and_a_login_by_its_worker() {
    let mut world = World::observed();
    let init = world.init();
    let agent = world.fork(init);
    world.setsid(agent);
    world.exec(agent, "/usr/bin/amazon-ssm-agent");
    let (worker, _) = world.run_from(agent, "/usr/bin/ssm-session-worker");
    let shell = world.fork(worker);
    world.setsid(shell);
    world.open_terminal(shell, PTS(2));
    let told = world.exec(shell, "/bin/sh");
    assert_eq!(door(&told), (InceptionKind::External, Entry::Ssm));
}
