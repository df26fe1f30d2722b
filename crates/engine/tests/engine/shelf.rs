//! A folder of recordings, and what the engine says of it.

use std::path::Path;

use forebear_archive::Environment;
use forebear_engine::arrow::array::{Array, AsArray};
use forebear_engine::arrow::util::display::{ArrayFormatter, FormatOptions};
use forebear_engine::parquet::Writer;
use forebear_engine::{Ask, Engine, Limits, Place, Question, Reach, Report};
use forebear_query::{Moment, Query};
use jiff::tz::TimeZone;
use tempfile::TempDir;

/// A folder for recordings.
pub(crate) struct Shelf(TempDir);

impl Shelf {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    /// An engine over the whole folder.
    pub(crate) fn engine(&self) -> Engine {
        over(self.path().to_str().unwrap())
    }

    /// Everything on it as one Parquet file on another.
    pub(crate) fn as_columns(&self) -> Self {
        let columns = Self::new();
        columns.put("events.parquet", parquet(&self.engine()));
        columns
    }

    /// The lines for which a query is true, and the report.
    pub(crate) fn lines(&self, query: &str) -> (Vec<String>, Report) {
        let engine = self.engine();
        (lines(&engine, &compile(query)), engine.report())
    }
}

/// All events as a Parquet file.
pub(crate) fn parquet(engine: &Engine) -> Vec<u8> {
    run(async {
        let question =
            Question { ask: Ask::Sql("SELECT * FROM events"), within: None, limit: None };
        let mut rows = engine.ask(&question).await.unwrap();
        let mut writer = Writer::new(rows.schema(), Vec::new()).unwrap();
        while let Some(batch) = rows.next().await.unwrap() {
            writer.write(&batch).unwrap();
        }
        writer.finish().unwrap()
    })
}

pub(crate) fn over(word: &str) -> Engine {
    with(word, Limits { threads: 3, ..Limits::default() })
}

pub(crate) fn with(word: &str, limits: Limits) -> Engine {
    let place = Place::open(word, &Reach::default(), &Environment::default()).unwrap();
    Engine::new(vec![place], limits)
}

pub(crate) fn moment() -> Moment {
    Moment { now: "2026-11-24T12:00:00Z".parse().unwrap(), zone: TimeZone::UTC }
}

pub(crate) fn compile(query: &str) -> Query {
    Query::compile(query, moment()).unwrap_or_else(|problems| panic!("{query}: {problems:?}"))
}

pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().unwrap().block_on(work)
}

pub(crate) fn lines(engine: &Engine, query: &Query) -> Vec<String> {
    run(async {
        let question = Question { ask: Ask::Lines, within: Some(query), limit: None };
        let mut rows = engine.ask(&question).await.unwrap();
        let mut lines = Vec::new();
        while let Some(batch) = rows.next().await.unwrap() {
            let column = batch.column(0).as_string::<i32>();
            lines.extend(column.iter().map(|line| line.unwrap().to_owned()));
        }
        lines
    })
}

/// The rows of a SQL query, their values joined by bars; NULL is a hyphen.
pub(crate) fn rows(engine: &Engine, sql: &str) -> Result<Vec<String>, String> {
    let text = |error: forebear_engine::Error| error.to_string();
    run(async {
        let question = Question { ask: Ask::Sql(sql), within: None, limit: None };
        let mut rows = engine.ask(&question).await.map_err(text)?;
        let mut shown = Vec::new();
        let options = FormatOptions::default().with_null("-");
        while let Some(batch) = rows.next().await.map_err(text)? {
            let columns: Vec<ArrayFormatter<'_>> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                let values = columns.iter().map(|column| column.value(row).to_string());
                shown.push(values.collect::<Vec<_>>().join("|"));
            }
            assert!(batch.columns().iter().all(|column| column.len() == batch.num_rows()));
        }
        Ok(shown)
    })
}
