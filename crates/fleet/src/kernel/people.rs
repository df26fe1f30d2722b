//! What people do on the machine that is more than running programs: lines at a shell, builtins,
//! and proving who they are.

use forebear_model::observation::{
    Argv, Bound, Builtin, BuiltinSource, Line, Shell, TypedText, Verification, VerificationMethod,
    VerificationOutcome,
};

use super::{BootTime, Id, Kernel, Observation, place};
use crate::roster::Person;

impl Kernel {
    /// A shell's editor hands over a line; `None`: it is about to ask for the next one.
    pub(crate) fn line(&mut self, shell: Id, text: Option<&str>) {
        let process = self.get(shell).key;
        let typed = text.map(|text| TypedText { bytes: text.as_bytes(), total: text.len() as u64 });
        let at = BootTime(self.now);
        self.observe(&Observation::Line(Line { at, process, text: typed, continues: false }));
    }

    /// A bash runs a builtin.
    pub(crate) fn builtin(&mut self, shell: Id, argv: &[&str], exit_status: i32) {
        self.now += 30_000;
        let mut bytes = argv.join("\0").into_bytes();
        bytes.push(0);
        let proc = self.get(shell).clone();
        self.observe(&Observation::Builtin(Box::new(Builtin {
            at: BootTime(self.now),
            process: proc.key,
            parent: proc.parent,
            state: proc.state.clone(),
            place: place(&proc, false),
            cwd: Ok(proc.cwd.as_bytes()),
            shell: Shell::Bash,
            source: BuiltinSource::Call,
            name: argv.first().copied().unwrap_or_default().as_bytes(),
            argv: Argv::whole(&bytes),
            exit_status: Some(exit_status),
        })));
    }

    /// A person proves in a process who they are, for the logins that come from it.
    pub(crate) fn verify(&mut self, asking: Id, person: &Person) {
        self.now += 8_000_000_000;
        let process = self.get(asking).key;
        let at = BootTime(self.now);
        let remote = person.address.to_string();
        self.observe(&Observation::Verification(Box::new(Verification {
            at,
            process,
            account: Some(&person.account),
            method: Some(VerificationMethod::Totp),
            outcome: VerificationOutcome::Verified,
            attempts: 1,
            service: "sshd",
            user: person.user,
            remote: Some(&remote),
        })));
        self.observe(&Observation::Bound(Bound {
            at,
            process,
            account: &person.account,
            roles: person.roles.to_vec(),
            until: None,
        }));
    }
}
