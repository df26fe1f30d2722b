//! From a text to a [`Config`], or to everything that is wrong with it.

use std::path::PathBuf;
use std::time::Duration;

use forebear_archive::Destination;
use toml::de::DeTable;

use super::keys;
use super::oidc;
use super::problems::Problems;
use super::rules;
use super::table::{self, Table};
use super::{Config, IdentityConfig, Listen, Problem};
use crate::args::ModeArg;
use crate::args::label::Label;
use crate::options;
use crate::quantity::{Size, Span};

/// Bounds of a batch, in bytes. The compressed batch is held in memory while it is uploaded.
const BATCH_BYTES: std::ops::RangeInclusive<u64> = 4 << 10..=256 << 20;
/// Bounds of a batch, in events.
const BATCH_EVENTS: std::ops::RangeInclusive<u64> = 1..=10_000_000;
/// Bounds of a batch's age.
const BATCH_AGE: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(3600);
/// The smallest spool that can work.
const SPOOL_BYTES: u64 = 256 << 10;
/// Bounds of one request.
const REQUEST_TIMEOUT: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(3600);
/// Bounds of the answers that one may try.
const IDENTITY_ATTEMPTS: std::ops::RangeInclusive<u64> = 1..=10;
/// Bounds of the time to answer.
const IDENTITY_TIMEOUT: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(10)..=Duration::from_secs(600);
/// Bounds of how long a proof holds.
const IDENTITY_VALID: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(30 * 24 * 3600);
/// The longest that the end waits.
const GRACE: std::ops::RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3600);
/// What the spool can tell apart.
const MAX_DESTINATIONS: usize = forebear_spool::MAX_CONSUMERS;

/// The default of `request_timeout`.
pub(super) fn request_timeout() -> Duration {
    Destination::new("", "").request_timeout
}

pub(super) fn read(text: &str) -> Result<Config, Vec<Problem>> {
    let mut problems = Problems::new(text);
    let (parsed, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let place = error.span().map_or(0, |span| span.start);
        let message = error.message();
        let hint = match message {
            // A section that the installed file has, written once more at its end.
            "duplicate key" => "; it stands further up already, so write it there",
            text if text.contains("quoted") && !text.contains("keys") => {
                "; texts, sizes and times stand in quotes"
            }
            _ => "",
        };
        problems.broken(place, format!("this is not TOML: {message}{hint}"));
    }
    let config = config(parsed.get_ref(), &mut problems);
    match problems.into_list() {
        list if list.is_empty() => Ok(config),
        list => Err(list),
    }
}

fn config<'t>(top: &DeTable<'t>, problems: &mut Problems<'t>) -> Config {
    let mut config = Config::default();
    let mut above = Table::new(&keys::TOP, Some(top), 0, problems);
    set(&mut config.shutdown_grace, above.parsed("shutdown_grace", |span| within(span, &GRACE)));

    let (entries, place) = table::inner(top, &keys::RECORD, problems);
    record(&mut Table::new(&keys::RECORD, entries, place, problems), &mut config);

    let (entries, place) = table::inner(top, &keys::SPOOL, problems);
    let mut spool = Table::new(&keys::SPOOL, entries, place, problems);
    set(&mut config.spool.dir, path(&mut spool, "dir"));
    set(&mut config.spool.max_bytes, spool.parsed("max_bytes", at_least));

    let (entries, place) = table::inner(top, &keys::BATCH, problems);
    let mut batch = Table::new(&keys::BATCH, entries, place, problems);
    set(&mut config.batch.max_bytes, batch.parsed("max_bytes", batch_bytes));
    set(&mut config.batch.max_events, batch.number("max_events", BATCH_EVENTS));
    set(&mut config.batch.max_age, batch.parsed("max_age", |span| within(span, &BATCH_AGE)));

    let (entries, place) = table::inner(top, &keys::METRICS, problems);
    let mut metrics = Table::new(&keys::METRICS, entries, place, problems);
    config.metrics = metrics.parsed("listen", Ok);

    let (entries, place) = table::inner(top, &keys::STATUS, problems);
    let mut status = Table::new(&keys::STATUS, entries, place, problems);
    set(&mut config.socket, path(&mut status, "socket"));

    let (entries, place) = table::inner(top, &keys::IDENTITY, problems);
    identity(&mut Table::new(&keys::IDENTITY, entries, place, problems), &mut config.identity);

    config.identity.oidc = oidc::read(top, problems);
    config.identity.rules = rules::read(top, problems);

    destinations(top, problems, &mut config);
    config
}

fn identity(table: &mut Table<'_, '_, '_>, identity: &mut IdentityConfig) {
    set(&mut identity.enabled, table.flag("enabled"));
    set(&mut identity.socket, path(table, "socket"));
    set(&mut identity.gate, path(table, "gate"));
    set(&mut identity.dir, path(table, "dir"));
    let attempts = table.number("attempts", IDENTITY_ATTEMPTS);
    set(&mut identity.attempts, attempts.and_then(|attempts| u32::try_from(attempts).ok()));
    set(&mut identity.timeout, table.parsed("timeout", |span| within(span, &IDENTITY_TIMEOUT)));
    identity.valid_for = table.parsed("valid_for", |span| within(span, &IDENTITY_VALID));
}

fn record(table: &mut Table<'_, '_, '_>, config: &mut Config) {
    let record = &mut config.record;
    let mode = |text: String| match &*text {
        "audit" => Ok(ModeArg::Audit),
        "control" => Ok(ModeArg::Control),
        _ => Err("write \"audit\" or \"control\"".to_owned()),
    };
    set(&mut record.mode, table.parsed("mode", mode));
    set(&mut record.builtins, table.parsed("builtins", Ok));
    set(&mut record.shells, table.parsed("shells", Ok));
    set(&mut record.buffer_bytes, table.parsed("buffer_size", options::buffer_bytes));
    set(&mut record.max_delay, table.parsed("max_delay", options::max_delay));
    set(&mut record.max_argv, table.parsed("argv_max", options::max_argv));
    set(&mut record.status_interval, table.parsed("status_interval", options::status_interval));
    for (key, value, place) in table.texts("labels") {
        match format!("{key}={value}").parse::<Label>() {
            Ok(label) => {
                record.labels.insert(label.key, label.value);
            }
            Err(error) => table.problems.at(place, format!("[record] labels.{key}: {error}")),
        }
    }
}

fn destinations<'t>(top: &DeTable<'t>, problems: &mut Problems<'t>, config: &mut Config) {
    let tables = table::several(top, &keys::DESTINATION, problems);
    if tables.is_empty() && !top.contains_key("destination") {
        let text = "there is no [[destination]], so events would go nowhere; add one with a name \
                    and a url";
        problems.missing(0, text.to_owned());
    }
    let mut names: Vec<(String, usize)> = vec![];
    for (entries, place) in tables {
        let table = &mut Table::new(&keys::DESTINATION, Some(entries), place, problems);
        let destination = destination(table);
        let line = table.problems.line(table.place_of("name"));
        let twin = names.iter().find(|(name, _)| *name == destination.name);
        match twin {
            Some((name, first)) if !name.is_empty() => {
                table.wrong(
                    "name",
                    format!("{name:?} is already the one in line {first}; give each its own"),
                );
            }
            _ => names.push((destination.name.clone(), line)),
        }
        config.destinations.push(destination);
    }
    if config.destinations.len() > MAX_DESTINATIONS {
        let text = format!(
            "there are {} destinations; at most {MAX_DESTINATIONS} are possible",
            config.destinations.len()
        );
        problems.at(0, text);
    }
}

fn destination(table: &mut Table<'_, '_, '_>) -> Destination {
    let has = |table: &mut Table<'_, '_, '_>, key| {
        let text = table.text(key).map(str::to_owned);
        if text.is_none() && table.place_of(key) == table.place {
            let example = keys::DESTINATION.example(key);
            let text = format!("[[destination]] has no {key}: add {key} = {example}");
            table.problems.missing(table.place, text);
        }
        text
    };
    let (name, url) = (has(table, "name"), has(table, "url"));
    let given = |key| match key {
        "name" => name.is_some(),
        "url" => url.is_some(),
        _ => true,
    };
    let mut destination =
        Destination::new(name.clone().unwrap_or_default(), url.clone().unwrap_or_default());
    set(&mut destination.compression, table.parsed("compression", Ok));
    destination.endpoint = table.text("endpoint").map(str::to_owned);
    destination.region = table.text("region").map(str::to_owned);
    set(&mut destination.allow_http, table.flag("allow_http"));
    set(&mut destination.anonymous, table.flag("anonymous"));
    let timeout = table.parsed("request_timeout", |span| within(span, &REQUEST_TIMEOUT));
    set(&mut destination.request_timeout, timeout);
    for problem in destination.problems() {
        if given(problem.key) {
            table.wrong(problem.key, problem.text);
        }
    }
    destination
}

fn set<T>(to: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *to = value;
    }
}

pub(super) fn path(table: &mut Table<'_, '_, '_>, key: &str) -> Option<PathBuf> {
    table.parsed(key, |path: PathBuf| match path.is_absolute() {
        true => Ok(path),
        false => Err("write a path that begins with /".to_owned()),
    })
}

fn at_least(size: Size) -> Result<u64, String> {
    match size.0 {
        bytes if bytes >= SPOOL_BYTES => Ok(bytes),
        _ => Err(format!("use at least {}", Size(SPOOL_BYTES))),
    }
}

fn batch_bytes(size: Size) -> Result<u64, String> {
    match size.0 {
        bytes if BATCH_BYTES.contains(&bytes) => Ok(bytes),
        _ => Err(format!("use {} to {}", Size(*BATCH_BYTES.start()), Size(*BATCH_BYTES.end()))),
    }
}

pub(super) fn within(
    span: Span,
    bounds: &std::ops::RangeInclusive<Duration>,
) -> Result<Duration, String> {
    match span.0 {
        span if bounds.contains(&span) => Ok(span),
        _ => Err(format!("use {} to {}", Span(*bounds.start()), Span(*bounds.end()))),
    }
}

impl std::str::FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "write 127.0.0.1:PORT, [::1]:PORT or unix:/PATH";
        if let Some(path) = text.strip_prefix("unix:") {
            return match path.starts_with('/') {
                true => Ok(Self::Unix(PathBuf::from(path))),
                false => Err(FORM.to_owned()),
            };
        }
        let address: std::net::SocketAddr = text.parse().map_err(|_| FORM.to_owned())?;
        match address.ip().is_loopback() {
            true => Ok(Self::Tcp(address)),
            false => Err(format!("this can be reached from other machines; {FORM}")),
        }
    }
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
