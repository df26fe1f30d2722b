//! What was typed: the command line of `forebear`.
//!
//! Doc comments here are the help texts and the generated reference; they are written for the
//! person at the terminal.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use forebear_archive::Destination;
use forebear_events::ddl::Engine;
use forebear_events::v1::Timestamp;

/// Reads what forebear-agent recorded: who did what, and the processes that stand behind it.
#[derive(Debug, Parser)]
#[command(
    name = "forebear",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "\
Example: forebear replay trace.txt --format pretty

Exit status: 0 done, 1 nothing matched or a check failed, 2 wrong arguments or input, 3 the
environment does not allow it, 4 internal.
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
    /// Runs a recorded trace of observations through the process model again.
    Replay(ReplayArgs),
    /// Prints the JSON Schema of the events, or another description of their fields.
    Schema(SchemaArgs),
    /// Walks what is in a bucket or folder, and says what is missing, altered, doubled or out of
    /// order.
    Verify(VerifyArgs),
    /// Asks recordings: who ran what, where, when, behind whom.
    Query(QueryArgs),
    /// Lists the sessions: who came in, how, from where, and how much they ran.
    Sessions(SessionsArgs),
    /// Draws what ran in one session as a tree.
    Tree(TreeArgs),
    /// Makes columns of recordings, which are asked faster.
    Compact(CompactArgs),
    /// Prints a shell's completions.
    #[command(after_help = "Example: forebear completions bash > /etc/bash_completion.d/forebear")]
    Completions {
        /// For this shell.
        shell: forebear_manual::Shell,
    },
    /// Prints what the documentation is generated from.
    #[command(hide = true)]
    Reference(ReferenceArgs),
}

/// `replay`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sudo forebear-agent record --trace trace.txt --output events.ndjson
  forebear replay trace.txt

The same trace gives the same events with the same ids, as far as the kernel told them: users'
names and the agent's own counters are not in a trace.")]
pub struct ReplayArgs {
    /// The trace, as `forebear-agent record --trace` writes it; - for standard input.
    #[arg(value_name = "TRACE")]
    pub trace: PathBuf,

    /// Where to write: a file, which is overwritten, or - for standard output.
    #[arg(long, value_name = "FILE", default_value = "-", hide_default_value = true)]
    pub output: PathBuf,

    /// How to write. Without it: `pretty` to a terminal, else `ndjson`.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<FormatArg>,
}

/// `verify`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  forebear verify s3://bucket/prefix
  forebear verify /var/lib/forebear/events --json

Every object is compared with its manifest, and the objects of a host with each other: each names
the one before it. The chain value at the end covers everything before it: keep it elsewhere to
prove later that nothing was rewritten.

Exit status: 0 if nothing is wrong, 1 if something is or nothing is there, 3 if the place cannot be
reached.")]
pub struct VerifyArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Only objects with events from this time on, such as 2026-11-24T00:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<Timestamp>,

    /// Only objects with events before this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<Timestamp>,

    /// Only this host, by its id; may be given several times.
    #[arg(long = "host", value_name = "ID")]
    pub hosts: Vec<uuid::Uuid>,

    /// Does not read the objects, only their manifests, names and sizes.
    #[arg(long)]
    pub no_contents: bool,

    /// As one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// A place with events, and how it is reached.
#[derive(Args, Debug)]
pub struct SourceArgs {
    /// Where the events are: s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or a
    /// folder.
    #[arg(value_name = "SOURCE")]
    pub source: String,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// How a bucket is reached.
#[derive(Args, Debug)]
pub struct ReachArgs {
    /// Where the service answers, if not at its cloud's usual address.
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,

    /// The region of the bucket (S3).
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,

    /// Accepts an endpoint without TLS.
    #[arg(long)]
    pub allow_http: bool,

    /// Sends no credentials.
    #[arg(long)]
    pub anonymous: bool,
}

impl ReachArgs {
    /// A place that is reached so, as the archive takes it.
    pub(crate) fn of(&self, place: &str) -> Destination {
        Destination {
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            allow_http: self.allow_http,
            anonymous: self.anonymous,
            ..Destination::of_source(place)
        }
    }
}

impl SourceArgs {
    /// The place as the archive takes it.
    pub(crate) fn destination(&self) -> Destination {
        self.reach.of(&self.source)
    }
}

/// A time as events write it.
fn time(text: &str) -> Result<Timestamp, String> {
    let quoted = serde_json::Value::from(text);
    serde_json::from_value(quoted).map_err(|error| error.to_string())
}

/// The renderings of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// One JSON object a line.
    Ndjson,
    /// One readable line an event, for people.
    Pretty,
}

/// `schema`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  forebear schema > event.v1.schema.json
  forebear schema --fields | column -ts $'\\t'
  forebear schema --ddl duckdb | sed 's#bucket/prefix#acme-events/prod#' > events.sql")]
pub struct SchemaArgs {
    #[command(flatten)]
    pub(crate) product: SchemaProduct,
}

/// Which description; the JSON Schema if none is named.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub struct SchemaProduct {
    /// Every field in a line: path, type, since which version, meaning; separated by tabs.
    #[arg(long)]
    pub fields: bool,

    /// One sample event of each type and for each notable case, one a line.
    #[arg(long)]
    pub samples: bool,

    /// The field reference in Markdown.
    #[arg(long)]
    pub markdown: bool,

    /// Tables and views over a bucket, for an engine.
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub ddl: Option<EngineArg>,
}

/// The engines that tables are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineArg {
    /// DuckDB.
    Duckdb,
    /// ClickHouse.
    Clickhouse,
    /// Apache Spark.
    Spark,
    /// Amazon Athena.
    Athena,
    /// Google BigQuery.
    Bigquery,
}

impl From<EngineArg> for Engine {
    fn from(engine: EngineArg) -> Self {
        match engine {
            EngineArg::Duckdb => Self::Duckdb,
            EngineArg::Clickhouse => Self::Clickhouse,
            EngineArg::Spark => Self::Spark,
            EngineArg::Athena => Self::Athena,
            EngineArg::Bigquery => Self::Bigquery,
        }
    }
}

/// `reference`.
#[derive(Args, Debug)]
#[command(after_help = "Example: forebear reference markdown")]
pub struct ReferenceArgs {
    /// Which product.
    #[command(subcommand)]
    pub product: ReferenceProduct,
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
}

mod query;

pub use query::{CompactArgs, PlacesArgs, QueryArgs, RowFormat, SessionsArgs, TreeArgs};

#[cfg(test)]
mod tests;
