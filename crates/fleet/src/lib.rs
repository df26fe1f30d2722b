//! Made-up recordings of a whole fleet: a folder with the layout and the bytes of the service.
//!
//! A made-up kernel tells the process model what a real one would ([`kernel`]), so the events are
//! those of the agent's own code; what happens is made up by scenes and by chance with a seed.
//!
//! # Conventions
//! - The same plan gives the same folder, byte for byte.
//! - Shares follow Zipf's law, as they do in real fleets: hosts, programs, people, services.
//! - A development program: it is not shipped, and nothing of the product depends on it.

#![forbid(unsafe_code)]

mod kernel;
mod plan;
mod random;
mod recording;
mod roster;
mod scenes;
mod stream;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, bail};
use fs_err as fs;

pub use plan::{BEGIN, Plan};
pub use stream::Written;

/// Makes a data set in a folder that does not exist or is empty, with so many threads.
///
/// # Errors
/// If the folder holds something already or cannot be written, or the plan is impossible.
pub fn generate(plan: &Plan, root: &Path, threads: usize) -> Result<Written> {
    let quotas = plan.quotas()?;
    fs::create_dir_all(root)?;
    if fs::read_dir(root)?.next().is_some() {
        bail!("cannot make a data set in {}: it is not empty; name a new folder", root.display());
    }
    let (fleet, people) = (roster::hosts(plan.hosts), roster::people());
    let next = AtomicUsize::new(0);
    let work = || -> Result<Written> {
        let mut written = Written::default();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let (Some(host), Some(quota)) = (fleet.get(place), quotas.get(place)) else {
                return Ok(written);
            };
            written.add(recording::record(plan, host, &fleet, &people, *quota, root)?);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mut written = Written::default();
        for worker in workers {
            match worker.join() {
                Ok(part) => written.add(part?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(written)
    })
}
