//! The configuration of `run`: what it says, and everything that is wrong with it at once.
//!
//! Invariants:
//! - Every key has a default, but for the name and the address of a destination, and is declared
//!   once, in [`keys`]; the commented example is made of that.
//! - A wrong file is told whole: each problem with its line and with what would be right.
//!
//! Deliberately not here: credentials. They are found, never configured (`forebear-archive`), or in
//! a file that is named.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use forebear_archive::{AT_ONCE, BatchLimits, Destination};

use crate::failure::{self, Failure};
use crate::options::{Settings, hash_of};

pub mod example;
pub mod keys;
pub mod oidc;
mod problems;
mod reading;
pub mod rules;
mod table;
#[cfg(test)]
mod tests;

pub use problems::Problem;

/// Where the configuration is looked for.
pub const PATH: &str = "/etc/forebear/agent.toml";

/// Where the running service answers `status`.
pub const SOCKET: &str = "/run/forebear/status.sock";

/// Where logins ask who somebody is.
pub const IDENTITY_SOCKET: &str = "/run/forebear/identity.sock";

/// The program that asks where PAM does not.
pub const GATE: &str = "/usr/lib/forebear/forebear-gate";

/// Where accounts and what is known of sessions are kept.
pub const IDENTITY_DIR: &str = "/var/lib/forebear/identity";

/// Everything that the service was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long the end waits for uploads.
    pub shutdown_grace: Duration,
    /// What is recorded and how.
    pub record: Settings,
    /// Where events wait.
    pub spool: SpoolConfig,
    /// When a batch closes.
    pub batch: BatchLimits,
    /// Where events go.
    pub destinations: Vec<Destination>,
    /// Where metrics are served.
    pub metrics: Option<Listen>,
    /// The socket that `status` asks.
    pub socket: PathBuf,
    /// How people are verified.
    pub identity: IdentityConfig,
}

/// `[identity]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityConfig {
    /// Whether logins may ask who somebody is.
    pub enabled: bool,
    /// The socket at which they ask.
    pub socket: PathBuf,
    /// The program that asks where PAM does not.
    pub gate: PathBuf,
    /// The folder of accounts and of what is known of sessions.
    pub dir: PathBuf,
    /// How many answers one may try.
    pub attempts: u32,
    /// How long one may take to answer.
    pub timeout: Duration,
    /// How long a proof holds; `None`: as long as the session.
    pub valid_for: Option<Duration>,
    /// The provider at which people may sign in.
    pub oidc: Option<oidc::OidcConfig>,
    /// Who has to prove it; the first that holds counts.
    pub rules: Vec<rules::Rule>,
}

/// `[spool]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolConfig {
    /// Its folder.
    pub dir: PathBuf,
    /// The most that it takes on disk, in bytes.
    pub max_bytes: u64,
}

/// Where a server of this machine's own listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address on loopback.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            shutdown_grace: Duration::from_secs(10),
            record: Settings::default(),
            spool: SpoolConfig {
                dir: PathBuf::from("/var/lib/forebear/spool"),
                max_bytes: 2 << 30,
            },
            batch: BatchLimits::default(),
            destinations: Vec::new(),
            metrics: None,
            socket: PathBuf::from(SOCKET),
            identity: IdentityConfig {
                enabled: false,
                socket: PathBuf::from(IDENTITY_SOCKET),
                gate: PathBuf::from(GATE),
                dir: PathBuf::from(IDENTITY_DIR),
                attempts: 3,
                timeout: Duration::from_secs(120),
                valid_for: None,
                oidc: None,
                rules: Vec::new(),
            },
        }
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// A usage [`Failure`] with every problem.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs_err::read_to_string(path).map_err(|error| {
            // fs_err puts the path before the reason; here it is said already.
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let reason = match error.kind() {
                std::io::ErrorKind::InvalidData => "it is not text in UTF-8".to_owned(),
                _ => source.unwrap_or_else(|| failure::reason(&error)),
            };
            let reason = reason.split(" (os error").next().unwrap_or_default();
            Failure::usage(format!("cannot read the configuration {}: {reason}", path.display()))
                .remedy("`forebear-agent reference config` prints one with every option")
        })?;
        Self::parse(&text).map_err(|problems| {
            let count = problems.len();
            let word = if count == 1 { "problem" } else { "problems" };
            let mut lines = format!("{}: {count} {word}", path.display());
            for Problem { line, text } in &problems {
                let _ = write!(lines, "\n  {}:{line}: {text}", path.display());
            }
            Failure::usage(lines).into()
        })
    }

    /// Reads a text.
    ///
    /// # Errors
    /// Every problem, by line.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        reading::read(text)
    }

    /// The hash of what decides which events are recorded and where they go.
    pub fn hash(&self) -> String {
        let mut texts = self.record.texts();
        let mut add = |key: &str, value: String| texts.push((key.to_owned(), value));
        add("command", "run".to_owned());
        add("spool.dir", self.spool.dir.display().to_string());
        add("spool.max_bytes", self.spool.max_bytes.to_string());
        add("batch", format!("{:?}", self.batch));
        for destination in &self.destinations {
            add(&format!("destination.{}", destination.name), format!("{destination:?}"));
        }
        hash_of(texts)
    }

    /// When a batch closes, so that the spool has room for a few: what a destination may have
    /// already is never dropped, so fewer would leave no room for new events.
    pub fn fitting_batch(&self) -> BatchLimits {
        let kept = self.destinations.len().saturating_mul(AT_ONCE);
        let parts = u64::try_from(kept).unwrap_or(u64::MAX).saturating_add(3);
        let most = self.spool.max_bytes / parts;
        BatchLimits { max_bytes: self.batch.max_bytes.min(most), ..self.batch }
    }

    /// The tables of `other` that differ and that a reload cannot change.
    pub fn fixed_tables_changed(&self, other: &Self) -> Vec<&'static str> {
        let tables = [
            ("[record]", self.record == other.record),
            ("[spool]", self.spool == other.spool),
            ("[metrics]", self.metrics == other.metrics),
            ("[status]", self.socket == other.socket),
            ("[identity]", self.identity == other.identity),
        ];
        tables.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }
}
