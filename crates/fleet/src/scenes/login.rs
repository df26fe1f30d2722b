//! Logins by ssh: a person at a terminal, line by line, or a program that somebody sent.

use std::net::IpAddr;

use forebear_model::observation::TcpPeer;

use super::services::Services;
use super::{MS, typed};
use crate::kernel::{Id, Kernel, Program};
use crate::random::Random;
use crate::roster::Person;

/// Somebody at a terminal.
#[derive(Debug)]
pub(crate) struct Session {
    monitor: Id,
    unprivileged: Id,
    /// The login shell, and above it the programs and shells by which they became somebody else.
    shells: Vec<Id>,
    /// Lines that are still to be typed.
    left: u64,
    watched: bool,
    may_be_root: bool,
}

/// Who comes, and from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visitor<'a> {
    pub(crate) from: IpAddr,
    /// The Linux user who logs in.
    pub(crate) uid: u32,
    pub(crate) user: &'static str,
    /// The person, where persons are verified.
    pub(crate) person: Option<&'a Person>,
    pub(crate) may_be_root: bool,
}

impl Session {
    /// Logs in and starts the shell.
    pub(crate) fn begin(
        kernel: &mut Kernel,
        services: &Services,
        visitor: &Visitor<'_>,
        random: &mut Random,
    ) -> Self {
        let monitor = connect(kernel, services, visitor, random);
        let unprivileged = kernel.fork(monitor);
        kernel.become_user(unprivileged, visitor.uid);
        let shell = kernel.fork(unprivileged);
        kernel.accept(shell, None);
        kernel.setsid(shell);
        kernel.open_terminal(shell, random.below(40) as u32);
        kernel.chdir(shell, format!("/home/{}", visitor.user));
        let program =
            Program { filename: Some("/bin/bash"), ..Program::new("/usr/bin/bash", &["-bash"]) };
        kernel.exec(shell, &program);
        for (exe, argv) in [
            ("/usr/bin/id", ["id", "-u"]),
            ("/usr/bin/dircolors", ["dircolors", "-b"]),
            ("/usr/bin/lesspipe", ["lesspipe", "-s"]),
        ] {
            kernel.run(shell, exe, &argv, 2 * MS);
        }
        Self {
            monitor,
            unprivileged,
            shells: vec![shell],
            left: random.between(3, 40),
            watched: visitor.person.is_some(),
            may_be_root: visitor.may_be_root,
        }
    }

    /// Types one line; `false` after the last.
    pub(crate) fn step(&mut self, kernel: &mut Kernel, random: &mut Random) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        let is_root = self.shells.len() > 1;
        match random.below(100) {
            0..22 if self.watched => {
                let (line, status) = typed::builtin(random);
                self.builtin(kernel, &line, status);
            }
            22..32 => self.line(kernel, &typed::pipeline(random), random.below(900) * MS),
            32..40 if self.may_be_root && !is_root => {
                let command = typed::root_command(random);
                self.sudo(kernel, "0", &command);
            }
            40..43 if self.may_be_root && !is_root => self.become_root(kernel),
            43..48 if is_root => self.be_oneself_again(kernel),
            _ if is_root => self.line(kernel, &typed::root_command(random), 200 * MS),
            _ => self.line(kernel, &typed::command(random), random.below(3_000) * MS),
        }
        true
    }

    /// Types a line of programs.
    pub(crate) fn line(&self, kernel: &mut Kernel, line: &str, lasts: u64) {
        typed::line(kernel, self.shell(), self.watched, line, lasts);
    }

    /// Types `sudo` and a command of that user.
    pub(crate) fn sudo(&self, kernel: &mut Kernel, uid: &str, command: &str) {
        let line = match uid {
            "0" => format!("sudo {command}"),
            _ => format!("sudo -u #{uid} {command}"),
        };
        let sudo = typed::begin(kernel, self.shell(), None, &line);
        let child = kernel.fork(sudo);
        kernel.become_user(child, uid.parse().unwrap_or(0));
        let argv: Vec<&str> = command.split_whitespace().collect();
        let exe = format!("/usr/bin/{}", argv.first().copied().unwrap_or_default());
        kernel.exec(child, &Program::new(&exe, &argv));
        kernel.pass(150 * MS);
        kernel.exit(child);
        kernel.exit(sudo);
    }

    /// Types `sudo -i`.
    pub(crate) fn become_root(&mut self, kernel: &mut Kernel) {
        let sudo = typed::begin(kernel, self.shell(), None, "sudo -i");
        let shell = kernel.fork(sudo);
        kernel.become_user(shell, 0);
        kernel.chdir(shell, "/root");
        kernel.exec(shell, &Program::new("/usr/bin/bash", &["-bash"]));
        kernel.setpgid(shell, shell);
        self.shells.extend([sudo, shell]);
    }

    fn be_oneself_again(&mut self, kernel: &mut Kernel) {
        let roots = self.shells.split_off(1);
        roots.into_iter().rev().for_each(|id| kernel.exit(id));
    }

    fn builtin(&self, kernel: &mut Kernel, line: &str, status: i32) {
        let shell = self.shell();
        kernel.line(shell, Some(line));
        let argv: Vec<&str> = line.split_whitespace().collect();
        kernel.builtin(shell, &argv, status);
        if let (["cd", folder], 0) = (&*argv, status)
            && folder.starts_with('/')
        {
            kernel.chdir(shell, (*folder).to_owned());
        }
        kernel.line(shell, None);
    }

    /// Where lines are typed now.
    pub(crate) fn shell(&self) -> Id {
        self.shells.last().copied().unwrap_or(self.unprivileged)
    }

    /// Logs out.
    pub(crate) fn end(self, kernel: &mut Kernel) {
        let Self { monitor, unprivileged, shells, .. } = self;
        shells.into_iter().rev().chain([unprivileged, monitor]).for_each(|id| kernel.exit(id));
    }
}

/// What sshd does for a connection up to the login: the process that serves it.
fn connect(
    kernel: &mut Kernel,
    services: &Services,
    visitor: &Visitor<'_>,
    random: &mut Random,
) -> Id {
    let monitor = kernel.fork(services.sshd);
    kernel.setsid(monitor);
    let port = random.between(32_768, 60_999) as u16;
    kernel.accept(monitor, Some(TcpPeer { ip: visitor.from, port }));
    let argv = ["/usr/sbin/sshd", "-D", "-R"];
    kernel.exec(monitor, &Program::new("/usr/sbin/sshd", &argv));
    if let Some(person) = visitor.person {
        kernel.verify(monitor, person);
    }
    kernel.login(monitor, visitor.uid);
    let group = kernel.group(format!(
        "/user.slice/user-{}.slice/session-{}.scope",
        visitor.uid,
        random.between(1, 9_999)
    ));
    kernel.enter(monitor, &group);
    monitor
}

/// Somebody's program comes in without a terminal, as configuration management does.
pub(crate) fn automation(
    kernel: &mut Kernel,
    services: &Services,
    visitor: &Visitor<'_>,
    random: &mut Random,
) {
    let monitor = connect(kernel, services, visitor, random);
    let unprivileged = kernel.fork(monitor);
    kernel.become_user(unprivileged, visitor.uid);
    let shell = kernel.fork(unprivileged);
    kernel.accept(shell, None);
    kernel.setsid(shell);
    kernel.redirect(shell, 0, forebear_model::StreamKind::Pipe);
    kernel.redirect(shell, 1, forebear_model::StreamKind::Pipe);
    let folder = format!("/home/deploy/.ansible/tmp/ansible-tmp-{}", random.hex(12));
    let line = format!("/bin/sh -c 'sudo -H -S -n /usr/bin/python3 {folder}/AnsiballZ_stat.py'");
    kernel.exec(shell, &Program::new("/usr/bin/bash", &["bash", "-c", &line]));
    let sudo = kernel.fork(shell);
    kernel.set_user_id(sudo);
    let script = format!("{folder}/AnsiballZ_stat.py");
    let argv = ["sudo", "-H", "-S", "-n", "/usr/bin/python3", &script];
    kernel.exec(sudo, &Program::new("/usr/bin/sudo", &argv));
    let child = kernel.fork(sudo);
    kernel.become_user(child, 0);
    kernel.exec(child, &Program::new("/usr/bin/python3.11", &["/usr/bin/python3", &script]));
    kernel.pass(400 * MS);
    [child, sudo, shell, unprivileged, monitor].into_iter().for_each(|id| kernel.exit(id));
}
