//! Which release this is: the first entry of the package's changelog, held against the version
//! that the programs say.

use anyhow::{Context, Result, bail};
use fs_err as fs;

use crate::workspace;

/// The changelog, from the root of the repository.
pub(super) const PATH: &str = "etc/deb/changelog";

/// One release of the package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Release {
    /// The version of the package: that of the programs, a dash, and the package's own revision.
    pub(super) version: String,
    /// Who is responsible, with an address.
    pub(super) maintainer: String,
}

impl Release {
    /// The release that the workspace is at.
    pub(super) fn of_workspace() -> Result<Self> {
        let text = fs::read_to_string(workspace::root().join(PATH))?;
        let release = Self::parse(&text).with_context(|| format!("reading {PATH}"))?;
        let metadata = workspace::metadata()?;
        let packages = metadata.workspace_packages();
        let agent = packages.iter().find(|package| package.name.as_str() == "forebear-agent");
        let agent = agent.context("looking for forebear-agent in the workspace")?;
        let programs = agent.version.to_string();
        match release.version.rsplit_once('-') {
            Some((version, _)) if version == programs => Ok(release),
            _ => bail!(
                "{PATH} begins with version {}, and the programs are {programs}; begin it with an \
                 entry for {programs}-1",
                release.version
            ),
        }
    }

    /// The first entry of a Debian changelog (deb-changelog(5)).
    fn parse(text: &str) -> Result<Self> {
        let head = text.lines().next().unwrap_or_default();
        let version = head.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
        let (version, _) = version.context("its first line has no version in brackets")?;
        let maintainer = text.lines().find_map(|line| line.strip_prefix(" -- "));
        let maintainer = maintainer.and_then(|line| line.split_once("  "));
        let (maintainer, _) = maintainer.context("its first entry does not end with ` -- NAME`")?;
        Ok(Self { version: version.to_owned(), maintainer: maintainer.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_tells_the_release() {
        let text = "a (1.2-3) unstable; urgency=medium\n\n  * x\n\n -- M <m@x>  Tue, 24 Nov 2026\n";
        let release = Release { version: "1.2-3".to_owned(), maintainer: "M <m@x>".to_owned() };
        assert_eq!(Release::parse(text).expect("a changelog"), release);
        assert!(Release::parse("a 1.2\n").is_err());
    }

    #[test]
    fn the_changelog_is_at_the_version_of_the_programs() {
        Release::of_workspace().expect("the same version");
    }
}
