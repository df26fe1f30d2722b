//! Many sleeping processes, for figures that depend on how many live.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// Sleeping children of ours; they end when this goes out of scope.
pub(super) struct Living(Vec<Child>);

impl Living {
    /// Starts `count` of them.
    pub(super) fn start(count: usize) -> Result<Self> {
        let mut living = Self(Vec::with_capacity(count));
        for _ in 0..count {
            let child = Command::new("/bin/sleep")
                .arg("3600")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .with_context(|| format!("starting sleeper {} of {count}", living.0.len() + 1))?;
            living.0.push(child);
        }
        Ok(living)
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        // A sleeper that has gone already is what is wanted.
        for child in &mut self.0 {
            child.kill().unwrap_or_default();
        }
        for child in &mut self.0 {
            child.wait().map(drop).unwrap_or_default();
        }
    }
}
