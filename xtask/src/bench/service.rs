//! The service: what spool, compression and upload cost, and how fast it makes up for an outage.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;
use serde_json::Value;

use super::agent::{self, Agent};
use super::bucket::Bucket;
use super::cpu::{self, PER_SECOND, SECONDS};
use super::spawner;

/// What waits for the destination when it comes back.
const BACKLOG: u32 = 60_000;

/// Between two questions, where the moment matters.
const CLOSELY: Duration = Duration::from_millis(10);

/// Between two questions, where what they cost would be counted: each is a process that the
/// service records, and an answer that it makes.
const UNHURRIED: Duration = Duration::from_secs(1);

/// How long a delivery may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What it costs, as a table cell.
pub(super) fn cpu() -> Result<String> {
    let bucket = Bucket::start()?;
    let mut cells = vec![];
    for compression in ["gzip", "zstd"] {
        let (record, _) = cpu::measure()?;
        let service = Service::start(&bucket, compression)?;
        let before = service.agent.cpu_time()?;
        let (count, _) = spawner::run_paced(PER_SECOND, SECONDS)?;
        let delivered = service.delivered(count)?;
        let figure = (service.agent.cpu_time()? - before).as_secs_f64() * 1e6 / f64::from(count);
        service.stop()?;
        let stored = delivered.stored_bytes as f64 / delivered.events as f64;
        let plain = delivered.plain_bytes as f64 / delivered.events as f64;
        cells.push(format!(
            "{compression} {figure:.1} µs against {record:.1} (ratio {:.2}), {plain:.0} bytes an \
             event stored in {stored:.0}",
            figure / record
        ));
    }
    Ok(cells.join("; "))
}

/// How fast a backlog is delivered, as a table cell.
pub(super) fn outage() -> Result<String> {
    let mut bucket = Bucket::start()?;
    let service = Service::start(&bucket, "zstd")?;
    bucket.order("down")?;
    spawner::run(BACKLOG)?;
    let waiting = service.destination()?;
    ensure!(
        waiting.backlog > 0 && waiting.events < u64::from(BACKLOG) / 2,
        "the destination was to be down, but {} events are there",
        waiting.events
    );
    let during = service.agent.peak_memory()?;
    bucket.order("up")?;
    // It asks again after a while; what counts is from the first success on. The last batches are
    // closed by their age, not by what is uploaded.
    let goal = waiting.events + waiting.backlog * 9 / 10;
    let reached = |events: u64| {
        service.until(CLOSELY, |now| (now.events >= events).then(|| (Instant::now(), now.events)))
    };
    let (begun, from) = reached(waiting.events + 1)?;
    let (ended, to) = reached(goal)?;
    ensure!(to - from > waiting.backlog / 2, "most of it was there before the first look");
    let rate = (to - from) as f64 / (ended - begun).as_secs_f64();
    service.delivered(BACKLOG)?;
    let after = service.agent.peak_memory()?;
    service.stop()?;
    Ok(format!(
        "{rate:.0} a second, {during:.1} MiB in the outage, {after:.1} MiB with the catching up"
    ))
}

/// A running service with a folder of its own.
struct Service {
    agent: Agent,
    folder: PathBuf,
}

/// How far its one destination is.
struct Delivered {
    backlog: u64,
    events: u64,
    plain_bytes: u64,
    stored_bytes: u64,
}

impl Service {
    fn start(bucket: &Bucket, compression: &str) -> Result<Self> {
        let name = format!("forebear-bench-service-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder)?;
        let config = folder.join("agent.toml");
        let text = format!(
            "[spool]\ndir = {:?}\n[batch]\nmax_age = \"5s\"\n[status]\nsocket = {:?}\n\
             [[destination]]\nname = \"bucket\"\nurl = {:?}\nendpoint = {:?}\n\
             region = \"us-east-1\"\nallow_http = true\ncompression = {compression:?}\n",
            folder.join("spool"),
            folder.join("status.sock"),
            bucket.url,
            bucket.endpoint,
        );
        fs::write(&config, text)?;
        let agent = Agent::start(|command| {
            command
                .args(["run", "--config"])
                .arg(&config)
                .envs(bucket.environment.iter().map(|(name, value)| (name, value)))
        })?;
        Ok(Self { agent, folder })
    }

    fn destination(&self) -> Result<Delivered> {
        let mut ask = Command::new(agent::program()?);
        ask.args(["status", "--json", "--socket"]).arg(self.folder.join("status.sock"));
        // It exits with 1 while a destination does not work, and answers all the same.
        let answer = ask.output().context("asking the service how it goes")?;
        let status: Value =
            serde_json::from_slice(&answer.stdout).context("reading the service's status")?;
        let one = &status["destinations"][0];
        let number = |key: &str| one[key].as_u64().with_context(|| format!("{key} in the status"));
        Ok(Delivered {
            backlog: number("backlog_records")?,
            events: number("uploaded_events")?,
            plain_bytes: number("uploaded_plain_bytes")?,
            stored_bytes: number("uploaded_bytes")?,
        })
    }

    /// Waits until something can be made of how far it is, and asks at these intervals.
    fn until<T>(&self, pause: Duration, look: impl Fn(&Delivered) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(found) = look(&self.destination()?) {
                return Ok(found);
            }
            std::thread::sleep(pause);
        }
        bail!("the service has not delivered after {} s", PATIENCE.as_secs())
    }

    /// Waits until at least so many events are at the destination and none waits for it.
    fn delivered(&self, count: u32) -> Result<Delivered> {
        self.until(UNHURRIED, |now| {
            (now.backlog == 0 && now.events >= u64::from(count)).then_some(())
        })?;
        self.destination()
    }

    fn stop(self) -> Result<()> {
        self.agent.stop()?;
        Ok(fs::remove_dir_all(&self.folder)?)
    }
}
