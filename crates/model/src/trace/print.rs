//! Observations to text.

use std::io::Write as _;

use super::fields::quote;
use super::{Header, VERSION};
use crate::known::Known;
use crate::observation::{
    Argv, Bound, Builtin, Exec, Executable, Exit, Fork, Line, Lost, Observation, ParentFacts,
    Place, ProcessKey, Revoked, Running, State, TcpPeer, Verification,
};
use crate::tty::{Stream, Terminal};

/// The names of the standard streams' fields.
pub(super) const STREAMS: [&str; 3] = ["stdin", "stdout", "stderr"];

/// Appends the header line of a trace.
pub fn print_header(header: &Header, out: &mut Vec<u8>) {
    let mut line = Printer { out, prefix: "" };
    line.out.extend(b"trace");
    line.text("version", VERSION);
    line.hex("host", header.host.0);
    line.hex("boot", header.boot.0);
    for (name, value) in &header.about {
        line.bytes(name, value.as_bytes());
    }
    line.out.push(b'\n');
}

/// Appends the line of one observation.
pub fn print(observation: &Observation<'_>, out: &mut Vec<u8>) {
    let mut line = Printer { out, prefix: "" };
    match observation {
        Observation::Clock(pair) => {
            line.out.extend(b"clock");
            line.text("boot", pair.boot.0);
            line.text("wall", pair.wall.0);
        }
        Observation::Fork(fork) => line.fork(fork),
        Observation::Exec(exec) => line.exec(exec),
        Observation::Exit(Exit { at, process, status }) => {
            line.out.extend(b"exit");
            line.text("at", at.0);
            line.key("process", *process);
            line.text("status", status);
        }
        Observation::Builtin(builtin) => line.builtin(builtin),
        Observation::Line(typed) => line.typed(typed),
        Observation::Bound(bound) => line.bound(bound),
        Observation::Revoked(Revoked { at, account }) => {
            line.out.extend(b"revoked");
            line.text("at", at.0);
            line.bytes("account", account.as_bytes());
        }
        Observation::Verification(verification) => line.verification(verification),
        Observation::SnapshotBegin(at) => {
            line.out.extend(b"snapshot-begin");
            line.text("at", at.0);
        }
        Observation::Running(running) => line.running(running),
        Observation::SnapshotEnd => line.out.extend(b"snapshot-end"),
        Observation::Lost(Lost { at, forks, execs, exits }) => {
            line.out.extend(b"lost");
            line.text("at", at.0);
            line.text("forks", forks);
            line.text("execs", execs);
            line.text("exits", exits);
        }
    }
    line.out.push(b'\n');
}

struct Printer<'o> {
    out: &'o mut Vec<u8>,
    prefix: &'static str,
}

impl Printer<'_> {
    fn fork(&mut self, fork: &Fork<'_>) {
        self.out.extend(b"fork");
        self.text("at", fork.at.0);
        self.key("creator", fork.creator);
        self.key("parent", fork.parent);
        self.key("child", fork.child);
        self.state(&fork.state);
        self.place(&fork.place);
        self.flag("kernel_thread", fork.kernel_thread);
    }

    fn exec(&mut self, exec: &Exec<'_>) {
        self.out.extend(b"exec");
        self.text("at", exec.at.0);
        self.key("process", exec.process);
        self.key("parent", exec.parent);
        self.state(&exec.state);
        self.place(&exec.place);
        self.executable(&exec.executable);
        self.known_bytes("filename", exec.filename);
        if let Some(interpreter) = exec.interpreter {
            self.bytes("interpreter", interpreter);
        }
        self.argv(Ok(exec.argv));
        self.known_bytes("cwd", exec.cwd);
        self.flag("setuid", exec.setuid);
        self.flag("setgid", exec.setgid);
        self.peer(exec.tcp_peer);
        if let Some(facts) = &exec.parent_facts {
            self.prefix = "parent.";
            self.parent(facts);
            self.prefix = "";
        }
    }

    fn parent(&mut self, facts: &ParentFacts<'_>) {
        self.key("parent", facts.parent);
        self.state(&facts.state);
        self.place(&facts.place);
        self.known_bytes("cwd", facts.cwd);
        if let Some(file) = facts.file {
            self.text("file", format_args!("{}/{}", file.device, file.inode));
        }
        self.bytes("comm", facts.comm);
    }

    fn running(&mut self, running: &Running<'_>) {
        self.out.extend(b"running");
        self.key("process", running.process);
        self.key("parent", running.parent);
        self.state(&running.state);
        self.place(&running.place);
        if let Some(executable) = &running.executable {
            self.executable(executable);
        }
        self.bytes("comm", running.comm);
        self.argv(running.argv);
        self.known_bytes("cwd", running.cwd);
        self.peer(running.tcp_peer);
    }

    fn builtin(&mut self, builtin: &Builtin<'_>) {
        self.out.extend(b"builtin");
        self.text("at", builtin.at.0);
        self.key("process", builtin.process);
        self.key("parent", builtin.parent);
        self.state(&builtin.state);
        self.place(&builtin.place);
        self.known_bytes("cwd", builtin.cwd);
        self.text("shell", builtin.shell.as_str());
        self.text("source", builtin.source.as_str());
        self.bytes("name", builtin.name);
        self.argv(Ok(builtin.argv));
        if let Some(status) = builtin.exit_status {
            self.text("exit_status", status);
        }
    }

    fn typed(&mut self, line: &Line<'_>) {
        self.out.extend(b"line");
        self.text("at", line.at.0);
        self.key("process", line.process);
        if let Some(text) = line.text {
            self.bytes("text", text.bytes);
            if text.total != text.bytes.len() as u64 {
                self.text("text_total", text.total);
            }
        }
        self.flag("continues", line.continues);
    }

    fn bound(&mut self, bound: &Bound<'_>) {
        self.out.extend(b"bound");
        self.text("at", bound.at.0);
        self.key("process", bound.process);
        self.bytes("account", bound.account.as_bytes());
        let roles: Vec<u8> = bound.roles.iter().flat_map(|role| role.bytes().chain([0])).collect();
        self.bytes("roles", &roles);
        if let Some(until) = bound.until {
            self.text("until", until.0);
        }
    }

    fn verification(&mut self, verification: &Verification<'_>) {
        self.out.extend(b"verification");
        self.text("at", verification.at.0);
        self.key("process", verification.process);
        if let Some(account) = verification.account {
            self.bytes("account", account.as_bytes());
        }
        if let Some(method) = verification.method {
            self.text("method", method.as_str());
        }
        self.text("outcome", verification.outcome.as_str());
        self.text("attempts", verification.attempts);
        self.bytes("service", verification.service.as_bytes());
        self.bytes("user", verification.user.as_bytes());
        if let Some(remote) = verification.remote {
            self.bytes("remote", remote.as_bytes());
        }
    }

    fn state(&mut self, state: &State) {
        let ids = state.credentials;
        self.text("uid", ids.uid);
        self.text("euid", ids.euid);
        self.text("gid", ids.gid);
        self.text("egid", ids.egid);
        if let Some(login_uid) = state.login_uid {
            self.text("login_uid", login_uid);
        }
        if let Some(audit_session) = state.audit_session {
            self.text("audit_session", audit_session);
        }
        self.text("sid", state.sid);
        self.text("pgid", state.pgid);
        if let Some(Terminal { device, kind }) = state.tty {
            self.text("tty", format_args!("{device}/{}", kind.as_str()));
        }
        match &state.streams {
            Ok(streams) => {
                for (name, stream) in STREAMS.into_iter().zip(streams) {
                    if let Some(Stream { device, kind, is_ctty }) = stream {
                        let ctty = if *is_ctty { "/ctty" } else { "" };
                        self.text(name, format_args!("{device}/{}{ctty}", kind.as_str()));
                    }
                }
            }
            Err(why) => self.text("streams", format_args!("!{why}")),
        }
    }

    fn place(&mut self, place: &Place<'_>) {
        if let Some(ns) = place.pid_namespace {
            self.text("pid_namespace", format_args!("{}/{}/{}", ns.id, ns.level, ns.pid));
        }
        self.text("cgroup", place.cgroup);
        if let Some(path) = place.cgroup_path {
            self.bytes("cgroup_path", path);
        }
    }

    fn executable(&mut self, executable: &Executable<'_>) {
        self.known_bytes("exe", executable.path);
        let file = executable.file;
        self.text("file", format_args!("{}/{}", file.device, file.inode));
        self.text("owner", executable.owner);
        self.text("group", executable.group);
        self.text("mode", format_args!("{:o}", executable.mode));
        self.flag("deleted", executable.deleted);
        self.flag("memfd", executable.memfd);
        self.flag("upper_layer", executable.upper_layer);
    }

    fn argv(&mut self, argv: Known<Argv<'_>>) {
        self.known_bytes("argv", argv.map(|argv| argv.bytes));
        if let Ok(argv) = argv
            && argv.is_cut()
        {
            self.text("argv_total", argv.total);
        }
    }

    fn peer(&mut self, peer: Option<TcpPeer>) {
        if let Some(TcpPeer { ip, port }) = peer {
            self.text("tcp_peer", format_args!("{ip}/{port}"));
        }
    }

    fn key(&mut self, name: &str, key: ProcessKey) {
        self.text(name, format_args!("{}@{}", key.pid, key.start.0));
    }

    fn flag(&mut self, name: &str, holds: bool) {
        if holds {
            self.name(name);
        }
    }

    fn known_bytes(&mut self, name: &str, value: Known<&[u8]>) {
        match value {
            Ok(bytes) => self.bytes(name, bytes),
            Err(why) => self.text(name, format_args!("!{why}")),
        }
    }

    fn bytes(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.out.push(b'=');
        quote(value, self.out);
    }

    fn hex(&mut self, name: &str, value: [u8; 16]) {
        self.text(name, format_args!("{:032x}", u128::from_be_bytes(value)));
    }

    fn text(&mut self, name: &str, value: impl std::fmt::Display) {
        self.name(name);
        // Writing to a vector does not fail.
        let _ = write!(self.out, "={value}");
    }

    fn name(&mut self, name: &str) {
        self.out.push(b' ');
        self.out.extend(self.prefix.bytes());
        self.out.extend(name.bytes());
    }
}
