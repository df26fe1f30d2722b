//! One who answers questions: a runner of `crates/fleet/engines` in a process of its own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use fs_err as fs;
use serde_json::{Value, json};

use crate::workspace;

/// How long an answer may take, in seconds.
pub(super) const AT_MOST: u64 = 900;

/// The question about few objects.
pub(super) const NARROW: &str = "one-hour-of-a-host";

/// One who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// Our tool, in CQL: the events that the question is about.
    Cql,
    /// Our tool, in SQL: the answer.
    Sql,
    /// DuckDB, in the same SQL.
    Duckdb,
    /// zstd or cat, and jq.
    Jq,
    /// zstd or cat, and grep.
    Grep,
}

/// What an ask took.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// It was answered.
    Given {
        /// How long it took.
        seconds: f64,
        /// Peak resident memory, in bytes.
        peak: u64,
        /// Objects that were opened, where that is known.
        opened: Option<u64>,
    },
    /// It was not done after [`AT_MOST`].
    Late,
}

impl Answer {
    pub(super) fn is_late(&self) -> bool {
        matches!(self, Self::Late)
    }
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cql => "forebear, CQL",
            Self::Sql => "forebear, SQL",
            Self::Duckdb => "DuckDB, SQL",
            Self::Jq => "jq",
            Self::Grep => "grep",
        })
    }
}

/// A runner's file.
pub(super) fn runner(name: &str) -> PathBuf {
    workspace::root().join(format!("crates/fleet/engines/{name}.py"))
}

impl Asker {
    /// Those who can read lines, or those who can read Parquet.
    pub(super) fn of(is_parquet: bool) -> Vec<Self> {
        let mut askers = vec![Self::Cql, Self::Sql, Self::Duckdb];
        if !is_parquet {
            askers.extend([Self::Jq, Self::Grep]);
        }
        askers
    }

    /// Asks; `None` if the question is not one for this asker. `asked` are its texts by language.
    pub(super) fn ask(
        self,
        tool: &Path,
        data: &Path,
        name: &str,
        asked: &Value,
    ) -> Result<Option<Answer>> {
        let (file, key) = match self {
            Self::Cql => ("tool", "cql"),
            Self::Sql => ("tool", "sql"),
            Self::Duckdb => ("duckdb", "sql"),
            Self::Jq => ("shell", "jq"),
            Self::Grep => ("shell", "grep"),
        };
        let Some(text) = asked.get(key) else { return Ok(None) };
        let question = match self {
            Self::Duckdb => json!({ name: text }),
            _ => json!({ name: { key: text } }),
        };
        let questions = std::env::temp_dir().join(format!("questions-{}", std::process::id()));
        fs::write(&questions, question.to_string())?;
        let mut command = Command::new("timeout");
        command.args([&AT_MOST.to_string(), "python3", "-B"]);
        command.arg(runner(&format!("ask_{file}")));
        match self {
            Self::Cql | Self::Sql => command.arg(tool),
            Self::Duckdb => command.arg(workspace::root().join("schema/ddl/duckdb.sql")),
            Self::Jq | Self::Grep => &mut command,
        };
        command.arg(data).arg(&questions);
        if self == Self::Duckdb && name == NARROW {
            command.args(["--files", name]);
        }
        let output = command.output().context("running timeout")?;
        fs::remove_file(&questions)?;
        match output.status.code() {
            Some(0) => read(&output.stdout).map(Some),
            Some(124) => Ok(Some(Answer::Late)),
            _ => bail!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr)),
        }
    }
}

/// The line that a runner prints.
fn read(line: &[u8]) -> Result<Answer> {
    let answer: Value = serde_json::from_slice(line).context("reading what the runner printed")?;
    let seconds = answer["seconds"].as_f64().context("the runner says no time")?;
    let peak = answer["peak_bytes"].as_u64().context("the runner says no memory")?;
    Ok(Answer::Given { seconds, peak, opened: answer["files"].as_u64() })
}
