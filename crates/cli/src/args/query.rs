//! What was typed to ask recordings.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use forebear_archive::Environment;
use forebear_engine::{Limits, Place, Reach, Result};

use crate::args::{ReachArgs, SourceArgs};

/// `query`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  forebear query \"session_user = 'alice' and cmd_root IN 'wget,curl'\" s3://bucket/prefix
  forebear query \"cmd_exec_user = 'root'\" /var/lib/forebear/events --since yesterday --count
  forebear query --sql \"SELECT cmd_root, count(*) FROM commands GROUP BY 1 ORDER BY 2 DESC\" *.ndjson
  forebear query \"macro_fetching = 'true'\" --macros saved.toml s3://bucket/prefix
  zcat old.gz | forebear query \"cmd = '*password=*'\" - --format ndjson

Objects in folders called date=, hour= and host= are not opened if the query rules them out.
Lines that are no events are counted and told on standard error, and passed over.

Exit status: 0 if there are rows, 1 if there are none, 2 if the query or a place is wrong and nothing
was read, 3 if something cannot be reached, or Ctrl-C ended it: what was found until then is printed.")]
pub struct QueryArgs {
    /// What to ask, in CQL; with --sql in SQL.
    #[arg(value_name = "QUERY")]
    pub query: String,

    #[command(flatten)]
    pub(crate) places: PlacesArgs,

    /// Takes QUERY as SQL over the table events and the views commands, sessions, processes and
    /// hosts.
    #[arg(long)]
    pub sql: bool,

    /// Takes saved queries from this file, for macro_NAME = 'true' in QUERY.
    ///
    /// TOML: below `[macro]` lines such as fetching = "cmd_root IN 'curl,wget'", which may use each
    /// other.
    #[arg(long, value_name = "FILE", conflicts_with = "sql")]
    pub macros: Option<PathBuf>,

    /// How to print. Without it: `table` to a terminal, else `ndjson`.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<RowFormat>,

    /// Prints as many rows at most.
    #[arg(long, value_name = "ROWS")]
    pub limit: Option<usize>,

    /// Prints only how many rows there are.
    #[arg(long, conflicts_with_all = ["format", "explain"])]
    pub count: bool,

    /// Prints how the answer would be found: the query as SQL, and the plan. Places are listed,
    /// and nothing is opened.
    #[arg(long, conflicts_with = "format")]
    pub explain: bool,
}

/// `sessions`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  forebear sessions s3://bucket/prefix --since yesterday
  forebear sessions events.ndjson --all

Exit status: as of `forebear query`.")]
pub struct SessionsArgs {
    #[command(flatten)]
    pub(crate) places: PlacesArgs,

    /// Services too, not only who came in from outside.
    #[arg(long)]
    pub all: bool,

    /// How to print. Without it: `table` to a terminal, else `ndjson`.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<RowFormat>,
}

/// `tree`.
#[derive(Args, Debug)]
#[command(after_help = "\
Example: forebear tree c40d7a19 s3://bucket/prefix --since yesterday

The session's id is the first column of `forebear sessions`; its beginning is enough.
What a person typed is marked with >. What ran behind it stands below it.

Exit status: as of `forebear query`; 2 also if several sessions begin so.")]
pub struct TreeArgs {
    /// The id of the session, or its beginning.
    #[arg(value_name = "SESSION")]
    pub session: String,

    #[command(flatten)]
    pub(crate) places: PlacesArgs,
}

/// `compact`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  forebear compact s3://bucket/prefix s3://bucket/columns
  forebear compact /srv/events /srv/events

Objects of lines become Parquet objects of the same hour and host, sorted by time, whose columns are
read one by one: most questions are answered many times as fast. Each is read back and compared with
the lines before it counts. Every event keeps its line, so nothing is lost.
What was done before is left as it is: run it again when there is more.
Source and destination may be one place; questions then take each event once.

Exit status: 0 if everything is in columns, 1 if something was left alone, which is told, 3 if a place
cannot be reached, or the comparison failed.")]
pub struct CompactArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Where the columns go: as SOURCE; both are reached in the same way.
    #[arg(value_name = "DEST")]
    pub dest: String,

    /// Removes the objects of lines that are in columns, after the comparison. Their manifests
    /// stay, and `forebear verify` then misses the objects.
    #[arg(long)]
    pub remove_source: bool,
}

/// Places with events, and how much of them and of the machine is used.
#[derive(Args, Debug)]
pub struct PlacesArgs {
    /// Where the events are: files, folders, patterns in quotes, s3://bucket/prefix,
    /// gs://bucket/prefix, az://container/prefix, or - for standard input.
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,

    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// Only events from this time on, as CQL writes times: 2026-11-24, '2 hours ago', yesterday.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,

    /// Only events before this time.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,

    /// The zone of days and hours: a name such as Europe/Berlin, or an offset such as +09:00.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub zone: String,

    /// The memory for sorting, grouping and joining, in MiB; what does not fit goes to disk.
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(64..))]
    pub memory: u32,
}

impl PlacesArgs {
    /// The places, opened.
    pub(crate) fn open(&self, environment: &Environment) -> Result<Vec<Place>> {
        let reach = Reach {
            endpoint: self.reach.endpoint.clone(),
            region: self.reach.region.clone(),
            allow_http: self.reach.allow_http,
            anonymous: self.reach.anonymous,
        };
        self.sources.iter().map(|source| Place::open(source, &reach, environment)).collect()
    }

    pub(crate) fn limits(&self) -> Limits {
        let memory = usize::try_from(self.memory).unwrap_or(usize::MAX).saturating_mul(1 << 20);
        Limits { memory, ..Limits::default() }
    }
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// For people; events in few words.
    Table,
    /// One JSON object a line; events as they were written.
    Ndjson,
    /// Comma-separated values with a line of headings; events in few words.
    Csv,
    /// A Parquet file; events with all their columns. Not to a terminal.
    Parquet,
}
