//! Benchmarks of the agent on this machine; never tests.
//!
//! Each drives the release build of the agent as root and prints one row for docs/benchmarks.md.
//! Figures of the crates alone (model, decoder, writer) come from `cargo bench`, not from here.

mod agent;
mod bucket;
mod builtin;
mod cpu;
mod effect;
mod filter;
mod kernel;
mod living;
mod machine;
mod query;
mod ready;
mod recording;
mod rss;
mod service;
mod spawn;
mod spawner;

use anyhow::{Context, Result, bail};

use crate::command::run_openly;
use crate::workspace::cargo;

/// One benchmark.
struct Bench {
    name: &'static str,
    /// What it measures, as the row's first cell.
    what: &'static str,
    /// What is asked of the figure.
    bound: &'static str,
    run: fn() -> Result<String>,
}

const BENCHES: [Bench; 10] = [
    Bench {
        name: "cpu",
        what: "Userspace CPU of the agent per exec, 1,000 `/bin/true` a second, NDJSON to a file",
        bound: "< 20 µs",
        run: cpu::run,
    },
    Bench {
        name: "filter",
        what: "The same with `--filter` that is true of every program, and of none, against without in the same round",
        bound: "< 20 µs",
        run: filter::run,
    },
    Bench {
        name: "kernel",
        what: "In-kernel time of one process's fork, exec and exit",
        bound: "< 10 µs",
        run: kernel::run,
    },
    Bench {
        name: "spawn",
        what: "Spawn loop with the agent against without, paired rounds, median ratio",
        bound: "< 1.03",
        run: spawn::run,
    },
    Bench {
        name: "rss",
        what: "Peak resident memory of the agent with 10,000 living processes",
        bound: "< 48 MiB",
        run: rss::run,
    },
    Bench {
        name: "ready",
        what: "From start to the `ready` line with 1,000 living processes, median of 5",
        bound: "< 300 ms",
        run: ready::run,
    },
    Bench {
        name: "builtin",
        what: "A loop of one builtin in an attached bash against one that is not, paired rounds, median ratios",
        bound: "",
        run: builtin::run,
    },
    Bench {
        name: "effect",
        what: "A million reads and writes of one byte while somebody types at a shell without symbols, against nobody, paired rounds, median ratio",
        bound: "",
        run: effect::run,
    },
    Bench {
        name: "service",
        what: "CPU of the service per exec, spool and upload to S3 over HTTP included, against `record` in the same round",
        bound: "gzip < 2 x record",
        run: service::cpu,
    },
    Bench {
        name: "outage",
        what: "Events delivered a second after an outage of the destination, and the peak memory of the service throughout",
        bound: "> 50,000/s, < 96 MiB",
        run: service::outage,
    },
];

/// Runs the named ones, or all; without a name lists them.
pub(crate) fn run(names: &[&str]) -> Result<()> {
    if names.is_empty() {
        for bench in &BENCHES {
            println!("{:8} {} ({})", bench.name, bench.what, bench.bound);
        }
        println!(
            "{:8} The named questions over a made-up fleet, beside DuckDB, jq and grep",
            "query"
        );
        return Ok(());
    }
    if let ["query", arguments @ ..] = names {
        return query::run(arguments);
    }
    let chosen: Vec<&Bench> = if names == ["all"] {
        BENCHES.iter().collect()
    } else {
        names.iter().map(|name| find(name)).collect::<Result<_>>()?
    };
    run_openly(&mut cargo(&["build", "--locked", "--release", "--package", "forebear-agent"]))?;
    let machine = machine::describe()?;
    println!("| what | figure | asked | machine | command |");
    println!("|---|---|---|---|---|");
    for bench in chosen {
        let Bench { name, what, bound, run } = bench;
        let figure = run().with_context(|| format!("running the benchmark `{name}`"))?;
        println!("| {what} | {figure} | {bound} | {machine} | `cargo xtask bench {name}` |");
    }
    Ok(())
}

fn find(name: &str) -> Result<&'static Bench> {
    let Some(bench) = BENCHES.iter().find(|bench| bench.name == name) else {
        bail!("there is no benchmark `{name}`; `cargo xtask bench` lists them");
    };
    Ok(bench)
}
