//! The process block, the exec and the builtin object as bytes, without the typed form in between.
//!
//! Invariant: what is written here is what `serde_json` makes of the typed event of [`crate::v1`];
//! tests compare the two for generated events. This writer exists for speed alone.
//! Deliberately not here: where the values come from (`assemble`).

use forebear_model::observation::Verification;
use forebear_model::{AuditSession, Credentials, ProcessUuid, Sid, Streams, Terminal, Uid};
use forebear_model::{Container, Inception, Person, Pgid, Pid, WallTime};

mod escape;

pub(crate) use escape::Json;

use crate::v1::Timestamp;

/// The fields that can be listed as unknown, in the order in which a map sorts them.
#[derive(Clone, Copy)]
pub(crate) enum Unknown {
    Argv,
    CreatorUuid,
    Cwd,
    Exe,
    Name,
    ParentUuid,
    Ppid,
    SessionLeaderUuid,
    Stderr,
    Stdin,
    Stdout,
}

/// Their names, in the same order.
pub(crate) const UNKNOWN_NAMES: [&str; 11] = [
    "argv",
    "creator_uuid",
    "cwd",
    "exe",
    "name",
    "parent_uuid",
    "ppid",
    "session_leader_uuid",
    "stderr",
    "stdin",
    "stdout",
];

/// For each field that can be unknown, the reason if it is.
pub(crate) type Reasons = [Option<&'static str>; UNKNOWN_NAMES.len()];

/// The values of a process block.
pub(crate) struct Block<'a> {
    pub(crate) uuid: ProcessUuid,
    pub(crate) pid: Pid,
    pub(crate) ppid: Option<Pid>,
    pub(crate) sid: Sid,
    pub(crate) pgid: Pgid,
    pub(crate) start_time: WallTime,
    pub(crate) parent_uuid: Option<ProcessUuid>,
    pub(crate) creator_uuid: Option<ProcessUuid>,
    pub(crate) session_leader_uuid: Option<ProcessUuid>,
    pub(crate) exec_count: u32,
    pub(crate) exe: Option<&'a [u8]>,
    pub(crate) deleted: bool,
    pub(crate) memfd: bool,
    pub(crate) upper_layer: bool,
    pub(crate) name: Option<&'a [u8]>,
    /// Each argument followed by a NUL byte.
    pub(crate) argv: Option<&'a [u8]>,
    pub(crate) argv_truncated: Option<u64>,
    pub(crate) cwd: Option<&'a [u8]>,
    pub(crate) credentials: Credentials,
    pub(crate) user: Option<&'a str>,
    pub(crate) effective_user: Option<&'a str>,
    pub(crate) login_uid: Option<Uid>,
    pub(crate) login_user: Option<&'a str>,
    pub(crate) audit_session: Option<AuditSession>,
    pub(crate) tty: Option<Terminal>,
    pub(crate) streams: Streams,
    pub(crate) user_entered: bool,
    pub(crate) container: Option<&'a Container>,
    pub(crate) pid_namespace: Option<u32>,
    pub(crate) unknown: Reasons,
}

/// How a program was run.
pub(crate) struct Execution<'a> {
    pub(crate) filename: Result<&'a [u8], &'static str>,
    pub(crate) interpreter: Option<&'a [u8]>,
    /// `None` for a process that was a thread of the kernel before.
    pub(crate) previous_exe: Option<Result<&'a [u8], &'static str>>,
    pub(crate) setuid: bool,
    pub(crate) setgid: bool,
    pub(crate) line: Option<TypedLine<'a>>,
}

/// A line that a person typed.
#[derive(Clone, Copy)]
pub(crate) struct TypedLine<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) truncated: Option<u64>,
}

/// What a shell did.
pub(crate) struct Call<'a> {
    pub(crate) shell: &'static str,
    pub(crate) source: &'static str,
    pub(crate) name: &'a [u8],
    /// Each argument followed by a NUL byte.
    pub(crate) argv: &'a [u8],
    pub(crate) argv_truncated: Option<u64>,
    pub(crate) exit_status: Option<i32>,
    pub(crate) line: Option<TypedLine<'a>>,
}

impl Block<'_> {
    /// Appends the block without its closing brace.
    pub(crate) fn write_open(&self, out: &mut Vec<u8>) {
        let mut json = Json::new(out);
        json.raw(b"{\"uuid\":").uuid(self.uuid.0);
        json.raw(b",\"pid\":").number(self.pid.0);
        json.optional_number(b",\"ppid\":", self.ppid.map(|pid| pid.0));
        json.raw(b",\"sid\":").number(self.sid.0);
        json.raw(b",\"pgid\":").number(self.pgid.0);
        json.raw(b",\"start_time\":").time(self.start_time);
        json.optional_uuid(b",\"parent_uuid\":", self.parent_uuid);
        json.optional_uuid(b",\"creator_uuid\":", self.creator_uuid);
        json.optional_uuid(b",\"session_leader_uuid\":", self.session_leader_uuid);
        json.raw(b",\"exec_count\":").number(self.exec_count);
        self.write_image(&mut json);
        self.write_users(&mut json);
        self.write_terminal(&mut json);
        json.raw(b",\"interactive\":").boolean(self.tty.is_some());
        json.raw(b",\"is_session_leader\":").boolean(self.pid.leads(self.sid));
        json.raw(b",\"user_entered\":").boolean(self.user_entered);
        if let Some(container) = self.container {
            json.raw(b",\"container\":{\"id\":").string(&container.id);
            json.optional_string(b",\"runtime\":", container.runtime);
            json.raw(b"}");
        }
        json.optional_number(b",\"pid_namespace\":", self.pid_namespace);
        json.reasons(UNKNOWN_NAMES.into_iter().zip(self.unknown));
    }

    fn write_image(&self, json: &mut Json<'_>) {
        json.optional_text(b",\"exe\":", b",\"exe_b64\":", self.exe);
        let flags =
            [(self.deleted, "deleted"), (self.memfd, "memfd"), (self.upper_layer, "upper_layer")];
        let mut before: &[u8] = b",\"exe_flags\":[";
        for (_, flag) in flags.into_iter().filter(|(is_set, _)| *is_set) {
            json.raw(before).string(flag);
            before = b",";
        }
        if before == b"," {
            json.raw(b"]");
        }
        json.optional_text(b",\"name\":", b",\"name_b64\":", self.name);
        if let Some(argv) = self.argv {
            let is_exact = json.raw(b",\"argv\":").arguments(argv);
            if !is_exact {
                json.raw(b",\"argv_b64\":").arguments_base64(argv);
            }
        }
        json.optional_number(b",\"argv_truncated\":", self.argv_truncated);
        json.optional_text(b",\"cwd\":", b",\"cwd_b64\":", self.cwd);
    }

    fn write_users(&self, json: &mut Json<'_>) {
        let Credentials { uid, euid, gid, egid } = self.credentials;
        json.raw(b",\"uid\":").number(uid.0);
        json.raw(b",\"euid\":").number(euid.0);
        json.raw(b",\"gid\":").number(gid.0);
        json.raw(b",\"egid\":").number(egid.0);
        json.optional_string(b",\"user\":", self.user);
        json.optional_string(b",\"effective_user\":", self.effective_user);
        json.optional_number(b",\"login_uid\":", self.login_uid.map(|uid| uid.0));
        json.optional_string(b",\"login_user\":", self.login_user);
        json.optional_number(b",\"audit_session\":", self.audit_session.map(|session| session.0));
    }

    fn write_terminal(&self, json: &mut Json<'_>) {
        if let Some(Terminal { device, kind }) = self.tty {
            json.raw(b",\"tty\":{\"major\":").number(device.major);
            json.raw(b",\"minor\":").number(device.minor);
            json.raw(b",\"kind\":\"").raw(kind.as_str().as_bytes()).raw(b"\"");
            json.optional_string(b",\"name\":", device.terminal_name().as_deref());
            json.raw(b"}");
        }
        let keys: [&[u8]; 3] = [b",\"stdin\":", b",\"stdout\":", b",\"stderr\":"];
        for (key, stream) in keys.into_iter().zip(self.streams) {
            let Some(stream) = stream else { continue };
            json.raw(key).raw(b"{\"major\":").number(stream.device.major);
            json.raw(b",\"minor\":").number(stream.device.minor);
            json.raw(b",\"kind\":\"").raw(stream.kind.as_str().as_bytes());
            json.raw(b"\",\"is_ctty\":").boolean(stream.is_ctty).raw(b"}");
        }
    }
}

/// Appends what an inception session has besides, after [`Block::write_open`]. `inferred` adds
/// that piece of evidence.
pub(crate) fn inception(inception: &Inception, inferred: bool, out: &mut Vec<u8>) {
    use forebear_model::Evidence::Inferred;

    let mut json = Json::new(out);
    json.raw(b",\"kind\":\"").raw(inception.kind.as_str().as_bytes());
    json.raw(b"\",\"entry\":\"").raw(inception.entry.as_str().as_bytes()).raw(b"\"");
    let besides = (inferred && !inception.evidence.contains(&Inferred)).then_some(&Inferred);
    let mut before: &[u8] = b",\"evidence\":[";
    for evidence in inception.evidence.iter().chain(besides) {
        json.raw(before).string(evidence.as_str());
        before = b",";
    }
    if before == b"," {
        json.raw(b"]");
    }
    if let Some(peer) = inception.source {
        json.raw(b",\"source\":{\"ip\":").string(&peer.ip.to_string());
        json.raw(b",\"port\":").number(peer.port).raw(b"}");
    }
}

impl Execution<'_> {
    /// Appends the object.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let start = out.len() + 1;
        let mut json = Json::new(out);
        json.raw(b"{");
        json.optional_text(b",\"filename\":", b",\"filename_b64\":", self.filename.ok());
        json.optional_text(b",\"interpreter\":", b",\"interpreter_b64\":", self.interpreter);
        let previous = self.previous_exe.and_then(Result::ok);
        json.optional_text(b",\"previous_exe\":", b",\"previous_exe_b64\":", previous);
        if self.setuid {
            json.raw(b",\"setuid\":true");
        }
        if self.setgid {
            json.raw(b",\"setgid\":true");
        }
        json.line(self.line);
        let reasons = [
            ("filename", self.filename.err()),
            ("previous_exe", self.previous_exe.and_then(Result::err)),
        ];
        json.reasons(reasons.into_iter());
        json.raw(b"}");
        if out.get(start) == Some(&b',') {
            out.remove(start);
        }
    }
}

impl Call<'_> {
    /// Appends the object.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut json = Json::new(out);
        json.raw(b"{\"shell\":").string(self.shell);
        json.raw(b",\"source\":").string(self.source);
        json.optional_text(b",\"name\":", b",\"name_b64\":", Some(self.name));
        let is_exact = json.raw(b",\"argv\":").arguments(self.argv);
        if !is_exact {
            json.raw(b",\"argv_b64\":").arguments_base64(self.argv);
        }
        json.optional_number(b",\"argv_truncated\":", self.argv_truncated);
        json.optional_number(b",\"exit_status\":", self.exit_status);
        json.line(self.line);
        json.raw(b"}");
    }
}

/// The person behind an event.
pub(crate) fn person(person: &Person, out: &mut Vec<u8>) {
    let mut json = Json::new(out);
    json.raw(b",\"cmd_user\":").string(&person.account);
    let mut before: &[u8] = b",\"cmd_roles\":[";
    for role in &person.roles {
        json.raw(before).string(role);
        before = b",";
    }
    if !person.roles.is_empty() {
        json.raw(b"]");
    }
}

/// What came of asking somebody who they are, under its key.
pub(crate) fn verification(verification: &Verification<'_>, out: &mut Vec<u8>) {
    let mut json = Json::new(out);
    json.raw(b",\"verification\":{");
    if let Some(account) = verification.account {
        json.raw(b"\"account\":").string(account).raw(b",");
    }
    if let Some(method) = verification.method {
        json.raw(b"\"method\":").string(method.as_str()).raw(b",");
    }
    json.raw(b"\"outcome\":").string(verification.outcome.as_str());
    json.raw(b",\"attempts\":").number(verification.attempts);
    json.raw(b",\"service\":").string(verification.service);
    json.raw(b",\"user\":").string(verification.user);
    json.optional_string(b",\"remote\":", verification.remote);
    json.raw(b"}");
}

impl Json<'_> {
    fn line(&mut self, line: Option<TypedLine<'_>>) {
        let Some(line) = line else { return };
        self.optional_text(b",\"line\":", b",\"line_b64\":", Some(line.bytes));
        self.optional_number(b",\"line_truncated\":", line.truncated);
    }

    /// A uuid in its usual form.
    #[inline]
    pub(crate) fn uuid(&mut self, uuid: [u8; 16]) -> &mut Self {
        let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
        let text = uuid::Uuid::from_bytes(uuid).hyphenated().encode_lower(&mut buffer);
        self.raw(b"\"").raw(text.as_bytes()).raw(b"\"")
    }

    #[inline]
    pub(crate) fn time(&mut self, wall: WallTime) -> &mut Self {
        self.raw(b"\"").raw(&Timestamp(wall.0).text()).raw(b"\"")
    }

    /// An object of the names that have a reason, under the key `unknown`; nothing if none has.
    fn reasons(&mut self, names: impl Iterator<Item = (&'static str, Option<&'static str>)>) {
        self.object_of_reasons(b",\"unknown\":{", names);
    }

    pub(crate) fn object_of_reasons(
        &mut self,
        opening: &[u8],
        names: impl Iterator<Item = (&'static str, Option<&'static str>)>,
    ) {
        let mut before = opening;
        for (name, reason) in names {
            let Some(reason) = reason else { continue };
            self.raw(before).string(name).raw(b":").string(reason);
            before = b",";
        }
        if before == b"," {
            self.raw(b"}");
        }
    }

    #[inline]
    fn optional_uuid(&mut self, key: &[u8], uuid: Option<ProcessUuid>) {
        if let Some(uuid) = uuid {
            self.raw(key).uuid(uuid.0);
        }
    }

    #[inline]
    fn optional_number(&mut self, key: &[u8], number: Option<impl itoa::Integer>) {
        if let Some(number) = number {
            self.raw(key).number(number);
        }
    }

    #[inline]
    fn optional_string(&mut self, key: &[u8], text: Option<&str>) {
        if let Some(text) = text {
            self.raw(key).string(text);
        }
    }

    /// Text that may not be UTF-8, and then its sibling.
    #[inline]
    fn optional_text(&mut self, key: &[u8], sibling: &[u8], text: Option<&[u8]>) {
        let Some(text) = text else { return };
        if let Some(exact) = self.raw(key).text(text) {
            self.raw(sibling).base64(exact);
        }
    }
}

#[cfg(test)]
mod tests {
    use forebear_model::{Entry, Evidence, InceptionKind};

    use super::*;

    #[test]
    fn an_inferred_inception_says_so_once() {
        let written = |evidence: Vec<Evidence>, inferred| {
            let (kind, entry) = (InceptionKind::External, Entry::Ssh);
            let mut out = Vec::new();
            inception(&Inception { kind, entry, evidence, source: None }, inferred, &mut out);
            String::from_utf8(out).unwrap()
        };
        let start = r#","kind":"external","entry":"ssh""#;
        let login = vec![Evidence::LoginUidSet];
        assert_eq!(
            written(login.clone(), false),
            format!(r#"{start},"evidence":["login_uid_set"]"#)
        );
        assert_eq!(
            written(login, true),
            format!(r#"{start},"evidence":["login_uid_set","inferred"]"#)
        );
        assert_eq!(
            written(vec![Evidence::Inferred], true),
            format!(r#"{start},"evidence":["inferred"]"#)
        );
        assert_eq!(written(Vec::new(), false), start);
    }

    #[test]
    fn an_exec_object_of_which_nothing_is_known_is_still_an_object() {
        let mut out = Vec::new();
        let (filename, previous_exe) = (Err("unreadable"), None);
        Execution {
            filename,
            interpreter: None,
            previous_exe,
            setuid: false,
            setgid: true,
            line: None,
        }
        .write(&mut out);
        let expected = r#"{"setgid":true,"unknown":{"filename":"unreadable"}}"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn the_fields_that_can_be_unknown_are_in_order() {
        assert!(UNKNOWN_NAMES.is_sorted());
        assert_eq!(UNKNOWN_NAMES[Unknown::Stdout as usize], "stdout");
    }
}
