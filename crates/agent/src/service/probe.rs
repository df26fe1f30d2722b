//! Trying the destinations: for `run --check` and `doctor`.

use std::fmt::Write as _;

use anyhow::Result;
use forebear_archive::{Access, Archive, Destination, Environment, Error, Probe};

use super::{identity, uploads};
use crate::config::Config;
use crate::exit::Exit;
use crate::talk;

/// Checks a configuration that could be read: opens the files of its provider, and tries its
/// destinations.
///
/// # Errors
/// If the provider's files cannot be used, or no runtime can be started.
pub fn check(config: &Config) -> Result<Exit> {
    if let (true, Some(oidc)) = (config.identity.enabled, &config.identity.oidc) {
        identity::provider::open(oidc)?;
    }
    let works = destinations(config)?;
    talk::print(if works { "\nThe configuration works.\n" } else { "" });
    Ok(if works { Exit::Done } else { Exit::CheckFailed })
}

/// Tries every destination at once and prints what comes of it; whether all of them work.
///
/// # Errors
/// If no runtime can be started.
pub fn destinations(config: &Config) -> Result<bool> {
    let runtime = uploads::runtime()?;
    let probes = config.destinations.iter().cloned().map(|destination| {
        let probe = runtime.spawn(probe(destination.clone()));
        (destination, probe)
    });
    let probes: Vec<_> = probes.collect();
    let mut works = true;
    for (destination, probe) in probes {
        let outcome = runtime.block_on(probe)?;
        works &= outcome.is_ok();
        talk::print(&told(&destination, &outcome));
    }
    Ok(works)
}

async fn probe(destination: Destination) -> Result<Probe, Error> {
    let archive = Archive::open(&destination, &Environment::of_process(), Access::Write)?;
    archive.probe().await
}

fn told(destination: &Destination, outcome: &Result<Probe, Error>) -> String {
    let Destination { name, url, .. } = destination;
    let mut text = String::new();
    match outcome {
        Ok(Probe { left_behind: None, .. }) => {
            let _ = writeln!(text, "ok        {name} ({url}): written, read back, deleted");
        }
        Ok(Probe { left_behind: Some(error), .. }) => {
            let _ = writeln!(
                text,
                "ok        {name} ({url}): written, read back; not deleted, which is fine: {}",
                error.detail()
            );
        }
        Err(error) => {
            let kind = error.kind().word().replace('_', " ");
            let _ = writeln!(text, "failed    {name} ({url}): {kind}: {}", error.detail());
            let _ =
                writeln!(text, "          why: cannot {} {}", error.operation(), error.subject());
            if let Some(remedy) = error.remedy() {
                let _ = writeln!(text, "          do:  {remedy}");
            }
        }
    }
    text
}
