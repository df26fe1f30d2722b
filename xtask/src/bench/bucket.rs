//! An S3 server to upload to: the example program of forebear-testkit.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::command::run_openly;
use crate::workspace::{self, cargo};

/// The server, as a child process; it ends with its owner.
pub(super) struct Bucket {
    child: Child,
    pub(super) endpoint: String,
    pub(super) url: String,
    /// The credentials, as variables.
    pub(super) environment: Vec<(String, String)>,
}

impl Bucket {
    /// Builds and starts it.
    pub(super) fn start() -> Result<Self> {
        run_openly(&mut cargo(&[
            "build",
            "--release",
            "--locked",
            "--package",
            "forebear-testkit",
            "--features",
            "bucket",
            "--example",
            "bucket",
        ]))?;
        let program = workspace::built("release")?.join("examples/bucket");
        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let said = BufReader::new(child.stdout.take().context("taking the server's output")?);
        let mut bucket =
            Self { child, endpoint: String::new(), url: String::new(), environment: vec![] };
        for line in said.lines() {
            let line = line.context("reading what the server says")?;
            match line.split_once('=') {
                Some(("endpoint", value)) => bucket.endpoint = value.to_owned(),
                Some(("url", value)) => bucket.url = value.to_owned(),
                Some((name, value)) => bucket.environment.push((name.to_owned(), value.to_owned())),
                None => break,
            }
        }
        Ok(bucket)
    }

    /// Tells it something.
    pub(super) fn order(&mut self, order: &str) -> Result<()> {
        let input = self.child.stdin.as_mut().context("the server listens no more")?;
        writeln!(input, "{order}").with_context(|| format!("telling the server to go {order}"))
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
