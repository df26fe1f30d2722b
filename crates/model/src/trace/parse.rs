//! Text to observations.

use std::str::FromStr;

use super::fields::{Field, Fields, Value};
use super::print::STREAMS;
use super::{Content, Error, Header, VERSION};
use crate::identity::{BootId, HostId};
use crate::ids::{AuditSession, CgroupId, Credentials, Gid, NamespaceId, Pgid, Pid, Sid, Uid};
use crate::known::{Known, Why};
use crate::observation::{
    Argv, Bound, Builtin, BuiltinSource, Exec, Executable, Exit, FileId, Fork, Line as Typed, Lost,
    Observation, ParentFacts, PidNamespace, Place, ProcessKey, Revoked, Running, Shell, State,
    TcpPeer, TypedText, Verification, VerificationMethod, VerificationOutcome,
};
use crate::time::{BootTime, ClockPair, WallTime};
use crate::tty::{Device, Stream, StreamKind, Streams, Terminal, TerminalKind};

/// One line of a trace, split; owns the bytes that its observation borrows.
#[derive(Clone, Debug)]
pub struct Line {
    word: String,
    fields: Fields,
}

/// Every word that a line may begin with.
const WORDS: [&str; 14] = [
    "trace",
    "clock",
    "fork",
    "exec",
    "exit",
    "builtin",
    "line",
    "bound",
    "revoked",
    "verification",
    "snapshot-begin",
    "running",
    "snapshot-end",
    "lost",
];

impl Line {
    /// Splits a line, without its line end.
    ///
    /// # Errors
    /// When the line's form is wrong.
    pub fn split(text: &str) -> Result<Self, Error> {
        if text.trim().is_empty() || text.starts_with('#') {
            return Ok(Self { word: String::new(), fields: Fields::default() });
        }
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let fields = Fields::split(rest, word.len() + 2)?;
        Ok(Self { word: word.to_owned(), fields })
    }

    /// What the line says.
    ///
    /// # Errors
    /// When a field is missing, unknown or has a wrong value.
    pub fn content(&self) -> Result<Content<'_>, Error> {
        let reader = Reader { fields: &self.fields, prefix: "" };
        let observation = match self.word.as_str() {
            "" => return Ok(Content::Nothing),
            "trace" => return header(&self.fields).map(Content::Header),
            "clock" => Observation::Clock(ClockPair {
                boot: BootTime(reader.number("boot")?),
                wall: WallTime(reader.number("wall")?),
            }),
            "fork" => Observation::Fork(reader.fork()?),
            "exec" => Observation::Exec(Box::new(reader.exec()?)),
            "exit" => Observation::Exit(Exit {
                at: BootTime(reader.number("at")?),
                process: reader.key("process")?,
                status: reader.number("status")?,
            }),
            "builtin" => Observation::Builtin(Box::new(reader.builtin()?)),
            "line" => Observation::Line(reader.typed()?),
            "bound" => Observation::Bound(reader.bound()?),
            "revoked" => Observation::Revoked(Revoked {
                at: BootTime(reader.number("at")?),
                account: reader.utf8("account")?,
            }),
            "verification" => Observation::Verification(Box::new(reader.verification()?)),
            "snapshot-begin" => Observation::SnapshotBegin(BootTime(reader.number("at")?)),
            "running" => Observation::Running(Box::new(reader.running()?)),
            "snapshot-end" => Observation::SnapshotEnd,
            "lost" => Observation::Lost(Lost {
                at: BootTime(reader.number("at")?),
                forks: reader.number("forks")?,
                execs: reader.number("execs")?,
                exits: reader.number("exits")?,
            }),
            other => {
                let problem =
                    format!("a line cannot begin with `{other}`; known are {}", WORDS.join(", "));
                return Err(Error { column: 1, problem });
            }
        };
        match self.fields.unused().next() {
            None => Ok(Content::Observation(observation)),
            Some(Field { name, column, .. }) => {
                let problem = format!("`{}` has no field `{name}`", self.word);
                Err(Error { column: *column, problem })
            }
        }
    }
}

fn header(fields: &Fields) -> Result<Header, Error> {
    let reader = Reader { fields, prefix: "" };
    let version = fields.need("version")?;
    if reader.number::<u64>("version")? != VERSION {
        return Err(version.wrong(&format!("{VERSION}, the only version this program reads")));
    }
    let (host, boot) = (HostId(reader.hex("host")?), BootId(reader.hex("boot")?));
    let mut about = Vec::new();
    for field in fields.unused() {
        let text = String::from_utf8(field.bytes()?.to_vec());
        about.push((field.name.clone(), text.map_err(|_| field.wrong("text in UTF-8"))?));
    }
    Ok(Header { host, boot, about })
}

struct Reader<'l> {
    fields: &'l Fields,
    prefix: &'static str,
}

impl<'l> Reader<'l> {
    fn fork(&self) -> Result<Fork<'l>, Error> {
        Ok(Fork {
            at: BootTime(self.number("at")?),
            creator: self.key("creator")?,
            parent: self.key("parent")?,
            child: self.key("child")?,
            state: self.state()?,
            place: self.place()?,
            kernel_thread: self.fields.flag("kernel_thread")?,
        })
    }

    fn exec(&self) -> Result<Exec<'l>, Error> {
        let parents = Reader { fields: self.fields, prefix: "parent." };
        Ok(Exec {
            at: BootTime(self.number("at")?),
            process: self.key("process")?,
            state: self.state()?,
            place: self.place()?,
            executable: self.executable()?,
            filename: self.known_bytes("filename")?,
            interpreter: self.get("interpreter").map(Field::bytes).transpose()?,
            argv: self.argv()?.map_err(|_| self.wrong("argv", "bytes in double quotes"))?,
            cwd: self.known_bytes("cwd")?,
            setuid: self.fields.flag("setuid")?,
            setgid: self.fields.flag("setgid")?,
            parent: self.key("parent")?,
            parent_facts: match self.fields.any_below("parent.") {
                true => Some(parents.parent_facts()?),
                false => None,
            },
            tcp_peer: self.peer()?,
        })
    }

    fn parent_facts(&self) -> Result<ParentFacts<'l>, Error> {
        Ok(ParentFacts {
            state: self.state()?,
            place: self.place()?,
            cwd: self.known_bytes("cwd")?,
            file: self.get("file").map(file).transpose()?,
            comm: self.need("comm")?.bytes()?,
            parent: self.key("parent")?,
        })
    }

    fn running(&self) -> Result<Running<'l>, Error> {
        Ok(Running {
            process: self.key("process")?,
            parent: self.key("parent")?,
            state: self.state()?,
            place: self.place()?,
            executable: match self.get("exe") {
                Some(_) => Some(self.executable()?),
                None => None,
            },
            comm: self.need("comm")?.bytes()?,
            argv: self.argv()?,
            cwd: self.known_bytes("cwd")?,
            tcp_peer: self.peer()?,
        })
    }

    fn builtin(&self) -> Result<Builtin<'l>, Error> {
        Ok(Builtin {
            at: BootTime(self.number("at")?),
            process: self.key("process")?,
            parent: self.key("parent")?,
            state: self.state()?,
            place: self.place()?,
            cwd: self.known_bytes("cwd")?,
            shell: self.named("shell", "a shell that is known", Shell::from_name)?,
            source: self.named("source", "`call` or `effect`", BuiltinSource::from_name)?,
            name: self.need("name")?.bytes()?,
            argv: self.argv()?.map_err(|_| self.wrong("argv", "bytes in double quotes"))?,
            exit_status: self.optional_number("exit_status")?,
        })
    }

    fn typed(&self) -> Result<Typed<'l>, Error> {
        let total = self.optional_number("text_total")?;
        let text = self.get("text").map(Field::bytes).transpose()?;
        Ok(Typed {
            at: BootTime(self.number("at")?),
            process: self.key("process")?,
            text: text.map(|bytes| TypedText { bytes, total: total.unwrap_or(bytes.len() as u64) }),
            continues: self.fields.flag("continues")?,
        })
    }

    fn bound(&self) -> Result<Bound<'l>, Error> {
        let roles = self.utf8("roles")?;
        if !(roles.is_empty() || roles.ends_with('\0')) {
            return Err(self.wrong("roles", "a NUL byte behind each role"));
        }
        Ok(Bound {
            at: BootTime(self.number("at")?),
            process: self.key("process")?,
            account: self.utf8("account")?,
            roles: roles.split_terminator('\0').collect(),
            until: self.optional_number("until")?.map(BootTime),
        })
    }

    fn verification(&self) -> Result<Verification<'l>, Error> {
        let methods = "`totp`, `backup_code` or `oidc`";
        let outcomes = "`verified`, `refused`, `abandoned` or `unbound`";
        Ok(Verification {
            at: BootTime(self.number("at")?),
            process: self.key("process")?,
            account: self.optional_utf8("account")?,
            method: match self.get("method") {
                Some(_) => Some(self.named("method", methods, VerificationMethod::from_name)?),
                None => None,
            },
            outcome: self.named("outcome", outcomes, VerificationOutcome::from_name)?,
            attempts: self.number("attempts")?,
            service: self.utf8("service")?,
            user: self.utf8("user")?,
            remote: self.optional_utf8("remote")?,
        })
    }

    fn utf8(&self, name: &str) -> Result<&'l str, Error> {
        let field = self.need(name)?;
        std::str::from_utf8(field.bytes()?).map_err(|_| field.wrong("text in UTF-8"))
    }

    fn optional_utf8(&self, name: &str) -> Result<Option<&'l str>, Error> {
        self.get(name).map(|_| self.utf8(name)).transpose()
    }

    fn named<T>(
        &self,
        name: &str,
        expected: &str,
        find: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Error> {
        let field = self.need(name)?;
        find(field.word(expected)?).ok_or_else(|| field.wrong(expected))
    }

    fn state(&self) -> Result<State, Error> {
        Ok(State {
            credentials: Credentials {
                uid: Uid(self.number("uid")?),
                euid: Uid(self.number("euid")?),
                gid: Gid(self.number("gid")?),
                egid: Gid(self.number("egid")?),
            },
            login_uid: self.optional_number("login_uid")?.map(Uid),
            audit_session: self.optional_number("audit_session")?.map(AuditSession),
            sid: Sid(self.number("sid")?),
            pgid: Pgid(self.number("pgid")?),
            tty: self.get("tty").map(terminal).transpose()?,
            streams: self.streams()?,
        })
    }

    fn streams(&self) -> Result<Known<Streams>, Error> {
        if let Some(field) = self.get("streams") {
            let expected = "`!` and a reason";
            return Ok(Err(why(field.word(expected)?).ok_or_else(|| field.wrong(expected))?));
        }
        let mut streams = [None; 3];
        for (stream, name) in streams.iter_mut().zip(STREAMS) {
            *stream = self.get(name).map(parse_stream).transpose()?;
        }
        Ok(Ok(streams))
    }

    fn place(&self) -> Result<Place<'l>, Error> {
        let expected = "inode/level/pid";
        let namespace = |field: &Field| {
            let mut parts = field.word(expected)?.split('/').map(str::parse::<u32>);
            match (parts.next(), parts.next(), parts.next(), parts.next()) {
                (Some(Ok(id)), Some(Ok(level)), Some(Ok(pid)), None) => {
                    Ok(PidNamespace { id: NamespaceId(id), level, pid: Pid(pid) })
                }
                _ => Err(field.wrong(expected)),
            }
        };
        Ok(Place {
            pid_namespace: self.get("pid_namespace").map(namespace).transpose()?,
            cgroup: CgroupId(self.number("cgroup")?),
            cgroup_path: self.get("cgroup_path").map(Field::bytes).transpose()?,
        })
    }

    fn executable(&self) -> Result<Executable<'l>, Error> {
        let mode = self.need("mode")?;
        let octal = u32::from_str_radix(mode.word("an octal number")?, 8);
        Ok(Executable {
            path: self.known_bytes("exe")?,
            file: file(self.need("file")?)?,
            owner: Uid(self.number("owner")?),
            group: Gid(self.number("group")?),
            mode: octal.map_err(|_| mode.wrong("an octal number"))?,
            deleted: self.fields.flag("deleted")?,
            memfd: self.fields.flag("memfd")?,
            upper_layer: self.fields.flag("upper_layer")?,
        })
    }

    fn argv(&self) -> Result<Known<Argv<'l>>, Error> {
        let total = self.optional_number("argv_total")?;
        let argv = self.known_bytes("argv")?;
        Ok(argv.map(|bytes| Argv { bytes, total: total.unwrap_or(bytes.len() as u64) }))
    }

    fn peer(&self) -> Result<Option<TcpPeer>, Error> {
        let expected = "address/port";
        let Some(field) = self.get("tcp_peer") else { return Ok(None) };
        let parts = field.word(expected)?.rsplit_once('/');
        let peer = parts.and_then(|(ip, port)| {
            Some(TcpPeer { ip: ip.parse().ok()?, port: port.parse().ok()? })
        });
        peer.map(Some).ok_or_else(|| field.wrong(expected))
    }

    fn get(&self, name: &str) -> Option<&'l Field> {
        match self.prefix {
            "" => self.fields.get(name),
            prefix => self.fields.get(&format!("{prefix}{name}")),
        }
    }

    fn need(&self, name: &str) -> Result<&'l Field, Error> {
        match self.prefix {
            "" => self.fields.need(name),
            prefix => self.fields.need(&format!("{prefix}{name}")),
        }
    }

    fn wrong(&self, name: &str, expected: &str) -> Error {
        match self.need(name) {
            Ok(field) => field.wrong(expected),
            Err(error) => error,
        }
    }

    fn number<N: FromStr>(&self, name: &str) -> Result<N, Error> {
        number(self.need(name)?)
    }

    fn optional_number<N: FromStr>(&self, name: &str) -> Result<Option<N>, Error> {
        self.get(name).map(number).transpose()
    }

    fn hex(&self, name: &str) -> Result<[u8; 16], Error> {
        let field = self.need(name)?;
        let expected = "32 hexadecimal digits";
        let word = field.word(expected)?;
        let value = u128::from_str_radix(word, 16).ok().filter(|_| word.len() == 32);
        value.map(u128::to_be_bytes).ok_or_else(|| field.wrong(expected))
    }

    fn key(&self, name: &str) -> Result<ProcessKey, Error> {
        let expected = "a process as pid@start";
        let field = self.need(name)?;
        let parts = field.word(expected)?.split_once('@');
        let key = parts.and_then(|(pid, start)| {
            let (pid, start) = (Pid(pid.parse().ok()?), BootTime(start.parse().ok()?));
            Some(ProcessKey { pid, start })
        });
        key.ok_or_else(|| field.wrong(expected))
    }

    fn known_bytes(&self, name: &str) -> Result<Known<&'l [u8]>, Error> {
        let field = self.need(name)?;
        match &field.value {
            Value::Word(word) => {
                why(word).map(Err).ok_or_else(|| field.wrong("bytes in double quotes or `!reason`"))
            }
            Value::Bytes(_) | Value::Yes => field.bytes().map(Ok),
        }
    }
}

fn number<N: FromStr>(field: &Field) -> Result<N, Error> {
    let expected = "a number in range";
    field.word(expected)?.parse().map_err(|_| field.wrong(expected))
}

fn why(word: &str) -> Option<Why> {
    word.strip_prefix('!').and_then(Why::from_name)
}

fn device(text: &str) -> Option<Device> {
    let (major, minor) = text.split_once(':')?;
    Some(Device { major: major.parse().ok()?, minor: minor.parse().ok()? })
}

fn file(field: &Field) -> Result<FileId, Error> {
    let expected = "major:minor/inode";
    let parts = field.word(expected)?.split_once('/');
    let file = parts
        .and_then(|(dev, inode)| Some(FileId { device: device(dev)?, inode: inode.parse().ok()? }));
    file.ok_or_else(|| field.wrong(expected))
}

fn terminal(field: &Field) -> Result<Terminal, Error> {
    let expected = "major:minor/kind";
    let parts = field.word(expected)?.split_once('/');
    let terminal = parts.and_then(|(dev, kind)| {
        Some(Terminal { device: device(dev)?, kind: TerminalKind::from_name(kind)? })
    });
    terminal.ok_or_else(|| field.wrong(expected))
}

fn parse_stream(field: &Field) -> Result<Stream, Error> {
    let expected = "major:minor/kind, with /ctty if it is the controlling terminal";
    let word = field.word(expected)?;
    let (rest, is_ctty) = match word.strip_suffix("/ctty") {
        Some(rest) => (rest, true),
        None => (word, false),
    };
    let stream = rest.split_once('/').and_then(|(dev, kind)| {
        Some(Stream { device: device(dev)?, kind: StreamKind::from_name(kind)?, is_ctty })
    });
    stream.ok_or_else(|| field.wrong(expected))
}
