//! The repository's rules that no compiler knows, as one task and one test.
//!
//! Every rule is a function from what is checked to a list of findings; a finding names the place
//! and what to do.
//! Whether Markdown has one sentence per line is left to the reader.

mod floors;
mod licences;
mod map;
mod sources;
mod tree;

use anyhow::{Result, bail};

use crate::workspace;

/// Checks every rule; all findings are shown, not only the first.
pub(crate) fn run() -> Result<()> {
    let findings = findings()?;
    if findings.is_empty() {
        return Ok(());
    }
    eprintln!();
    for finding in &findings {
        eprintln!("  {finding}");
    }
    bail!("{} finding(s) against the repository's rules", findings.len())
}

/// Everything that is against a rule.
fn findings() -> Result<Vec<String>> {
    let metadata = workspace::metadata()?;
    let files = tree::files(workspace::root())?;
    let mut findings = Vec::new();
    for file in &files {
        findings.extend(sources::check(file));
    }
    findings.extend(floors::check(&metadata));
    findings.extend(licences::check(&metadata));
    findings.extend(map::check(&files));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        let findings = super::findings().expect("the repository can be read");
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }
}
