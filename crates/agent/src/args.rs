//! What was typed: the command line of `forebear-agent`.
//!
//! Doc comments here are the help texts and the generated reference; they are written for the
//! person at the terminal. What the program makes of them is in [`crate::options`].

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::args::builtins::{Builtins, ShellPaths};
use crate::args::label::Label;
use crate::quantity::{Size, Span};

pub mod builtins;
pub mod label;
#[cfg(feature = "service")]
pub mod users;

/// Records who did what on this machine: every program that runs, and the processes that stand
/// behind it.
#[derive(Debug, Parser)]
#[command(
    name = "forebear-agent",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "\
Example: sudo forebear-agent record

Exit status: 0 done, 2 wrong arguments, 3 this machine does not allow it, 4 not finished.
Standard output is data, standard error is talk. NO_COLOR is honoured."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Records until a signal: every program that runs, and what was already running.
    Record(RecordArgs),
    /// The service: records into a spool, and uploads from there to every destination.
    #[cfg(feature = "service")]
    Run(RunArgs),
    /// Asks the running service how it goes.
    #[cfg(feature = "service")]
    Status(StatusArgs),
    /// Who may log in as themselves: accounts, their roles, and what they prove it with.
    #[cfg(feature = "service")]
    Users(users::UsersArgs),
    /// Writes what runs now as BACKFILL events, and ends. Needs no privileges.
    Snapshot(SnapshotArgs),
    /// Tells what this kernel and these privileges allow, what is missing and how to get it.
    Doctor(DoctorArgs),
    /// Prints what the documentation is generated from.
    #[command(hide = true)]
    Reference(ReferenceArgs),
}

/// `record`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sudo forebear-agent record
  sudo forebear-agent record --output /var/log/forebear.ndjson --label project=shop
  sudo forebear-agent record --filter \"session_user = 'alice' and cmd_root IN 'wget,curl'\"

Needs root, or CAP_BPF and CAP_PERFMON; every capability is given up once recording has begun. A
line beginning with \"ready\" on standard error says when that is.

SIGINT, SIGTERM and SIGHUP end it: what has happened is still written, then a last AGENT event.
A second signal ends it at once. A reader that goes away ends it quietly. A reader that stops
reading, or a full disk, never blocks the machine: the kernel's buffer fills, what then no longer
fits is counted, and the count is in the stream. After kill -9 at most the last line is torn.")]
pub struct RecordArgs {
    /// Where to write.
    #[command(flatten)]
    pub write: WriteArgs,

    /// `audit` records programs; `control` records builtins of shells and the lines that people
    /// type at them too, by probes on the shells themselves, or builtins by their effects.
    #[arg(long, value_enum, default_value_t = ModeArg::Audit, value_name = "MODE")]
    pub mode: ModeArg,

    /// With mode `control`: `interactive` records the builtins of shells on a terminal, `all` those
    /// of every shell, and a list such as cd,export,source these of every shell. `interactive`
    /// leaves out `:`, `true` and `false` where a probe on them would make scripts slow.
    #[arg(long, default_value_t = Builtins::Interactive, value_name = "WHICH")]
    pub builtins: Builtins,

    /// With mode `control`: only shells whose file is one of these or lies below one, such as
    /// /usr/bin,/opt/bin/bash. Without it every shell.
    #[arg(long, value_name = "PATHS")]
    pub shells: Option<ShellPaths>,

    /// Where observations come from. `auto` takes the best that this machine has.
    #[arg(long, value_enum, default_value_t = SensorArg::Auto, value_name = "SENSOR")]
    pub sensor: SensorArg,

    /// Ends after this time, counted from when it is ready; for example 10s, 5m, 2h.
    #[arg(long, value_name = "TIME")]
    pub duration: Option<Span>,

    /// Leaves out the BACKFILL events. What runs is known all the same.
    #[arg(long)]
    pub no_backfill: bool,

    /// Writes only events for which this query is true, and AGENT events, which count the others
    /// as `filtered`. Words such as `yesterday` refer to the start, days and hours to UTC.
    #[arg(long, value_name = "CQL")]
    pub filter: Option<String>,

    /// The kernel's buffer for what has happened and is not yet read: a power of two.
    #[arg(long, value_name = "SIZE", default_value = "8MiB")]
    pub buffer_size: Size,

    /// How long an event may wait before it is written. Longer costs the machine less.
    #[arg(long, value_name = "TIME", default_value = "50ms")]
    pub max_delay: Span,

    /// How much of a program's arguments is recorded; if there is more, the event says so.
    #[arg(long, value_name = "SIZE", default_value = "128KiB")]
    pub argv_max: Size,

    /// How often an AGENT event tells the counters; 0 for only at start, loss and stop.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub status_interval: Span,

    /// The operator's own words for this host, in every event; may be given several times.
    #[arg(long = "label", value_name = "KEY=VALUE")]
    pub labels: Vec<Label>,

    /// Also writes every observation to FILE, for `forebear replay`. It is overwritten.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}

/// `run`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  forebear-agent run --config /etc/forebear/agent.toml --check
  sudo forebear-agent run

Events are on the local disk within max_delay, in a spool that outlives kill -9 and every outage of
a destination, and leave it only when every destination has them. Each is there once.

SIGHUP reads the configuration again: destinations and batches change at once, what else has
changed is said to need a restart. It also tries every destination again at once, with credentials
read anew. SIGINT and SIGTERM close the batch, upload for shutdown_grace, and leave the rest in the
spool. A second one ends it at once; nothing is lost by that either.")]
#[cfg(feature = "service")]
pub struct RunArgs {
    /// The configuration. The one that is installed has every option with its default.
    #[arg(long, value_name = "FILE", default_value = crate::config::PATH)]
    pub config: PathBuf,

    /// Only checks the configuration and tries every destination: writes, reads back and deletes
    /// a probe object.
    #[arg(long)]
    pub check: bool,
}

/// `status`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example: sudo forebear-agent status

Exit status: 0 if the service answers and every destination works, 1 if a destination does not, 3
if no service answers.")]
#[cfg(feature = "service")]
pub struct StatusArgs {
    /// As one JSON object.
    #[arg(long)]
    pub json: bool,

    /// The socket of the service, where its configuration names another one.
    #[arg(long, value_name = "PATH", default_value = crate::config::SOCKET)]
    pub socket: PathBuf,
}

/// `doctor`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sudo forebear-agent doctor
  sudo forebear-agent doctor --config /etc/forebear/agent.toml

Exit status: 0 if it would work, 3 if not.")]
pub struct DoctorArgs {
    /// Also checks this configuration of `run` and tries every destination: writes, reads back
    /// and deletes a probe object.
    #[cfg(feature = "service")]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `snapshot`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example: forebear-agent snapshot --format pretty

What other users' processes run and have open can be read by root only; without root their events
say so field by field.")]
pub struct SnapshotArgs {
    /// Where to write.
    #[command(flatten)]
    pub write: WriteArgs,

    /// The operator's own words for this host, in every event; may be given several times.
    #[arg(long = "label", value_name = "KEY=VALUE")]
    pub labels: Vec<Label>,
}

/// Where and how events are written.
#[derive(Args, Debug)]
pub struct WriteArgs {
    /// Where to write: a file, or - for standard output. A new file is readable by its owner
    /// only; an existing one is appended to.
    #[arg(long, value_name = "FILE", default_value = "-", hide_default_value = true)]
    pub output: PathBuf,

    /// How to write. Without it: `pretty` if standard output is a terminal and --output is not
    /// given, else `ndjson`.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<FormatArg>,
}

/// `reference`.
#[derive(Args, Debug)]
#[command(after_help = "Example: forebear-agent reference markdown")]
pub struct ReferenceArgs {
    /// Of what.
    #[cfg(feature = "service")]
    #[arg(long, value_enum, default_value_t = ReferenceOf::Agent)]
    pub of: ReferenceOf,
    /// Which product.
    #[command(subcommand)]
    pub product: ReferenceProduct,
}

/// What has a reference: the agent, and what asks it, which is too small to print its own.
#[cfg(feature = "service")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReferenceOf {
    /// This program.
    Agent,
    /// `forebear-gate`.
    Gate,
    /// `pam_forebear.so`.
    Module,
}

/// The products of `reference`.
#[derive(Debug, Subcommand)]
pub enum ReferenceProduct {
    /// All subcommands, arguments and exit codes in Markdown.
    Markdown,
    /// A man page in roff.
    Man {
        /// Of this subcommand instead of the whole program.
        subcommand: Option<String>,
    },
    /// A shell's completions.
    Completions {
        /// For this shell.
        shell: forebear_manual::Shell,
    },
    /// The names of the subcommands, one a line.
    Subcommands,
    /// The configuration of `run` with every option, its meaning and its default.
    #[cfg(feature = "service")]
    Config,
}

/// The renderings of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// One JSON object a line.
    Ndjson,
    /// One readable line an event, for people.
    Pretty,
}

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// Programs.
    Audit,
    /// Programs and shell builtins.
    Control,
}

/// Sources of observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SensorArg {
    /// The best that this machine has.
    Auto,
    /// Programs in the kernel.
    Ebpf,
}

#[cfg(test)]
mod tests;
