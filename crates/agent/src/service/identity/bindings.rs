//! Which process stands for which person, on disk, so that it outlives a restart of the agent.
//!
//! The file is small and is written whole, so that it is the old one or the new one (rename(2)).
//! What belongs to another boot, or to a process that is no more, is dropped.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use forebear_model::{BootId, BootTime, Pid, ProcessKey};
use fs_err::os::unix::fs::OpenOptionsExt as _;
use serde::{Deserialize, Serialize};

use crate::verdict::Person;

const FILE: &str = "sessions.json";
const UNFINISHED: &str = "sessions.json.new";

/// More are not kept; the oldest is forgotten first. Its session then has no person after a
/// restart, which errs on the side of not knowing.
const MAX: usize = 4096;

/// What a file of bindings may have at most, in bytes.
const MAX_BYTES: u64 = 4 << 20;

/// Everything that is bound.
#[derive(Debug)]
pub(super) struct Bindings {
    path: PathBuf,
    boot: String,
    list: Vec<Kept>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    pid: u32,
    start_ns: u64,
    account: String,
    roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until_ns: Option<u64>,
    /// Whether only the provider knows the account, so that it need not be in the store.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    only_at_provider: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    boot_id: String,
    sessions: Vec<Kept>,
}

impl Bindings {
    /// What was bound in this boot. The text says why something that is there could not be read.
    pub(super) fn read(dir: &Path, boot: BootId) -> (Self, Option<String>) {
        let boot = uuid::Uuid::from_bytes(boot.0).to_string();
        let mut bindings = Self { path: dir.join(FILE), boot, list: vec![] };
        let problem = match bindings.load() {
            Ok(list) => {
                bindings.list = list;
                None
            }
            Err(error) => Some(format!("{}: {error}", bindings.path.display())),
        };
        (bindings, problem)
    }

    fn load(&self) -> io::Result<Vec<Kept>> {
        let length = match fs_err::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            other => other?.len(),
        };
        if length > MAX_BYTES {
            return Err(io::Error::other(format!("it has more than {MAX_BYTES} bytes")));
        }
        let file: File = serde_json::from_slice(&fs_err::read(&self.path)?)?;
        Ok(if file.boot_id == self.boot { file.sessions } else { vec![] })
    }

    /// Every process with its person.
    pub(super) fn all(&self) -> impl Iterator<Item = (ProcessKey, Person)> {
        self.list.iter().map(|kept| {
            let process = ProcessKey { pid: Pid(kept.pid), start: BootTime(kept.start_ns) };
            let person = Person {
                account: kept.account.clone(),
                roles: kept.roles.clone(),
                until: kept.until_ns.map(BootTime),
            };
            (process, person)
        })
    }

    /// Every account that is bound to something, and whether it has to be in the store.
    pub(super) fn accounts(&self) -> impl Iterator<Item = (&str, bool)> {
        self.list.iter().map(|kept| (kept.account.as_str(), !kept.only_at_provider))
    }

    /// Binds a person, durably; `has_account`: whether they are in the store.
    pub(super) fn add(
        &mut self,
        process: ProcessKey,
        person: &Person,
        has_account: bool,
        lives: impl Fn(u32) -> bool,
    ) -> io::Result<()> {
        let mut list: Vec<Kept> =
            self.list.iter().filter(|kept| lives(kept.pid)).cloned().collect();
        list.retain(|kept| (kept.pid, kept.start_ns) != (process.pid.0, process.start.0));
        list.push(Kept {
            pid: process.pid.0,
            start_ns: process.start.0,
            account: person.account.clone(),
            roles: person.roles.clone(),
            until_ns: person.until.map(|until| until.0),
            only_at_provider: !has_account,
        });
        let surplus = list.len().saturating_sub(MAX);
        list.drain(..surplus);
        self.replace(list)
    }

    /// Unbinds an account, durably.
    pub(super) fn revoke(&mut self, account: &str) -> io::Result<()> {
        let list = self.list.iter().filter(|kept| kept.account != account).cloned().collect();
        self.replace(list)
    }

    fn replace(&mut self, list: Vec<Kept>) -> io::Result<()> {
        let file = File { boot_id: self.boot.clone(), sessions: list };
        let unfinished = self.path.with_file_name(UNFINISHED);
        let mut options = fs_err::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut out = options.open(&unfinished)?;
        out.write_all(&serde_json::to_vec(&file)?)?;
        out.sync_all()?;
        fs_err::rename(&unfinished, &self.path)?;
        if let Some(dir) = self.path.parent() {
            fs_err::File::open(dir)?.sync_all()?;
        }
        self.list = file.sessions;
        Ok(())
    }
}
