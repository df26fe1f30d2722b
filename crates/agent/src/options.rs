//! What `record` needs, resolved and checked; and the hash that tells two configurations apart.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use forebear_query::{Moment, Query};
use sha2::{Digest, Sha256};

use crate::args::builtins::{Builtins, ShellPaths};
use crate::args::label::Label;
use crate::args::{FormatArg, ModeArg, RecordArgs, SensorArg, WriteArgs};
use crate::failure::Failure;
use crate::quantity::{Size, Span};

/// The smallest ring buffer: a page (`bpf_ringbuf` wants a power-of-two multiple of it).
const MIN_BUFFER: u64 = 4 << 10;
/// The largest ring buffer; more is certainly a slip of the hand.
const MAX_BUFFER: u64 = 1 << 30;
/// Bounds of how long an event may wait.
const MAX_DELAY: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(10);
/// The shortest status interval; each status is an event.
const MIN_STATUS: Duration = Duration::from_secs(1);

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// A file, appended to.
    File(PathBuf),
}

/// How events are rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// One readable line an event.
    Pretty {
        /// With colours.
        colour: bool,
    },
}

/// What is recorded and how: the same for `record` and `run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is recorded.
    pub mode: ModeArg,
    /// Which builtins of shells, in mode control.
    pub builtins: Builtins,
    /// Only shells whose file is one of these or lies below one; every shell if there are none.
    pub shells: ShellPaths,
    /// Where observations come from.
    pub sensor: SensorArg,
    /// Bytes of the kernel's buffer.
    pub buffer_bytes: u32,
    /// How long an event may wait.
    pub max_delay: Duration,
    /// Bytes of arguments recorded of each program.
    pub max_argv: u32,
    /// How often the counters are told.
    pub status_interval: Option<Duration>,
    /// The operator's labels.
    pub labels: BTreeMap<String, String>,
}

impl Default for Settings {
    /// What the command line says without arguments.
    fn default() -> Self {
        Self {
            mode: ModeArg::Audit,
            builtins: Builtins::default(),
            shells: ShellPaths::default(),
            sensor: SensorArg::Auto,
            buffer_bytes: 8 << 20,
            max_delay: Duration::from_millis(50),
            max_argv: 128 << 10,
            status_interval: Some(Duration::from_secs(60)),
            labels: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// The settings as text, for the hash.
    pub fn texts(&self) -> Vec<(String, String)> {
        let mut texts = vec![
            ("argv_max".to_owned(), self.max_argv.to_string()),
            ("builtins".to_owned(), self.builtins.to_string()),
            ("buffer_size".to_owned(), self.buffer_bytes.to_string()),
            ("max_delay_ms".to_owned(), self.max_delay.as_millis().to_string()),
            ("mode".to_owned(), format!("{:?}", self.mode).to_lowercase()),
            ("shells".to_owned(), self.shells.to_string()),
            ("sensor".to_owned(), format!("{:?}", self.sensor).to_lowercase()),
        ];
        if let Some(every) = self.status_interval {
            texts.push(("status_interval_ms".to_owned(), every.as_millis().to_string()));
        }
        texts
            .extend(self.labels.iter().map(|(key, value)| (format!("label.{key}"), value.clone())));
        texts
    }
}

/// Everything that `record` was asked for.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// Where events go.
    pub target: Target,
    /// How they are rendered.
    pub format: Format,
    /// What is recorded and how.
    pub settings: Settings,
    /// When to end by itself.
    pub duration: Option<Duration>,
    /// Whether BACKFILL events are written.
    pub backfill: bool,
    /// Which events are written; all, if there is none.
    pub filter: Option<Filter>,
    /// Where observations are written too.
    pub trace: Option<PathBuf>,
}

/// A query, and how it was written.
#[derive(Clone, Debug)]
pub struct Filter {
    /// As it was written.
    pub text: String,
    /// As it was understood.
    pub query: Query,
}

impl RecordOptions {
    /// Checks and resolves what was typed.
    ///
    /// # Errors
    /// A usage [`Failure`] that names the argument and the nearest right value.
    pub fn resolve(args: RecordArgs) -> Result<Self> {
        let (target, format) = resolve_write(&args.write);
        let settings = Settings {
            mode: args.mode,
            builtins: args.builtins,
            shells: args.shells.unwrap_or_default(),
            sensor: args.sensor,
            buffer_bytes: argument("--buffer-size", args.buffer_size, buffer_bytes)?,
            max_delay: argument("--max-delay", args.max_delay, max_delay)?,
            max_argv: argument("--argv-max", args.argv_max, max_argv)?,
            status_interval: argument("--status-interval", args.status_interval, status_interval)?,
            labels: resolve_labels(args.labels)?,
        };
        Ok(Self {
            target,
            format,
            settings,
            duration: args.duration.map(|span| span.0),
            backfill: !args.no_backfill,
            filter: args.filter.map(filter).transpose()?,
            trace: args.trace,
        })
    }

    /// The hash of what decides which events are recorded and how. Two agents with the same hash
    /// were asked for the same.
    pub fn config_hash(&self) -> String {
        let mut settings = self.settings.texts();
        settings.push(("backfill".to_owned(), self.backfill.to_string()));
        settings.push(("command".to_owned(), "record".to_owned()));
        if let Some(filter) = &self.filter {
            settings.push(("filter".to_owned(), filter.text.clone()));
        }
        hash_of(settings)
    }
}

/// SHA-256, in hexadecimal, over the canonical text of some settings: sorted lines `key=value`,
/// values quoted as Rust quotes strings, so that no two configurations have the same text.
pub fn hash_of(mut settings: Vec<(String, String)>) -> String {
    settings.sort();
    let mut text = String::from("forebear/config/1\n");
    for (key, value) in settings {
        let _ = writeln!(text, "{key}={value:?}");
    }
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Where to write and in which form, by what standard output is.
pub fn resolve_write(args: &WriteArgs) -> (Target, Format) {
    let target = match &args.output {
        dash if dash.as_os_str() == "-" => Target::Stdout,
        path => Target::File(path.clone()),
    };
    let stdout = std::io::stdout();
    let to_terminal = target == Target::Stdout && stdout.is_terminal();
    let format = match args.format {
        Some(FormatArg::Pretty) => true,
        Some(FormatArg::Ndjson) => false,
        None => to_terminal,
    };
    let colour = to_terminal && crate::talk::colour_on(&stdout);
    (target, if format { Format::Pretty { colour } } else { Format::Ndjson })
}

/// The labels by key.
///
/// # Errors
/// A usage [`Failure`] if a key is given twice.
pub fn resolve_labels(labels: Vec<Label>) -> Result<BTreeMap<String, String>> {
    let mut by_key = BTreeMap::new();
    for Label { key, value } in labels {
        if let Some(earlier) = by_key.get(&key) {
            return Err(Failure::usage(format!(
                "--label {key}={value}: {key} is already {earlier}; give each key once"
            ))
            .into());
        }
        by_key.insert(key, value);
    }
    Ok(by_key)
}

/// The query of a filter.
///
/// # Errors
/// A usage [`Failure`] with every mistake of it.
fn filter(text: String) -> Result<Filter> {
    let now = forebear_sensor::clock_pair().wall;
    match Query::compile(&text, Moment::utc(now.0)) {
        Ok(query) => Ok(Filter { text, query }),
        Err(problems) => {
            let problems = forebear_query::render(&text, &problems);
            let what = format!("the query of --filter is wrong\n{}", problems.trim_end());
            let remedy = "docs/reference/cql.md has the language";
            Err(Failure::usage(what).remedy(remedy).into())
        }
    }
}

/// A quantity of the command line, with the argument in front of what is wrong with it.
fn argument<Q: Copy + std::fmt::Display, T>(
    name: &str,
    quantity: Q,
    check: fn(Q) -> Result<T, String>,
) -> Result<T> {
    let named = |text| Failure::usage(format!("{name} {quantity}: {text}")).into();
    check(quantity).map_err(named)
}

/// The size of the kernel's buffer; the error says what would be right.
pub fn buffer_bytes(size: Size) -> Result<u32, String> {
    let Size(bytes) = size;
    let nearest = bytes.clamp(MIN_BUFFER, MAX_BUFFER);
    // The smaller power of two unless the larger one is nearer.
    let below = 1_u64 << nearest.ilog2();
    let nearest = if nearest - below > below / 2 { below * 2 } else { below };
    match u32::try_from(bytes) {
        Ok(small) if bytes == nearest => Ok(small),
        _ => Err(format!(
            "the kernel wants a power of two from {} to {}; the nearest is {}",
            Size(MIN_BUFFER),
            Size(MAX_BUFFER),
            Size(nearest)
        )),
    }
}

/// How much of a program's arguments is recorded; the error says what would be right.
pub fn max_argv(size: Size) -> Result<u32, String> {
    let most = forebear_sensor::live::MAX_ARGV;
    match u32::try_from(size.0) {
        Ok(bytes) if bytes <= most => Ok(bytes),
        _ => Err(format!(
            "use at most {}, which is all that execve takes with the usual stack limit",
            Size(most.into())
        )),
    }
}

/// How long an event may wait; the error says what would be right.
pub fn max_delay(span: Span) -> Result<Duration, String> {
    if MAX_DELAY.contains(&span.0) {
        return Ok(span.0);
    }
    let (least, most) = (Span(*MAX_DELAY.start()), Span(*MAX_DELAY.end()));
    Err(format!("use {least} to {most}"))
}

/// How often the counters are told; the error says what would be right.
pub fn status_interval(span: Span) -> Result<Option<Duration>, String> {
    match span.0 {
        Duration::ZERO => Ok(None),
        every if every >= MIN_STATUS => Ok(Some(every)),
        _ => Err(format!("use at least {}, or 0 for none", Span(MIN_STATUS))),
    }
}
