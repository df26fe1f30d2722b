//! Asking: places and a question in, rows out.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionConfig;
use forebear_query::Query;
use futures_util::StreamExt;

use crate::error::{Error, Result};
use crate::lower;
use crate::report::{Report, Tally};
use crate::scan::{Events, Order};
use crate::schema::LINE;
use crate::source::Place;
use crate::views;

/// How much of the machine is used.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes that sorting, grouping and joining may hold before they go to disk.
    pub memory: usize,
    /// Threads, and so objects that are read at once.
    pub threads: usize,
}

impl Default for Limits {
    /// 1 GiB, and as many threads as the machine can run.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { memory: 1 << 30, threads }
    }
}

/// A question.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    /// What is asked for.
    pub ask: Ask<'q>,
    /// The events that it is asked of: those for which this is true, all without it.
    pub within: Option<&'q Query>,
    /// As many rows at most.
    pub limit: Option<usize>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'q> {
    /// The events as they were written: one column, [`LINE`], in the order in which they lie.
    Lines,
    /// The events in few words, in that order.
    Overview,
    /// The events with all their columns.
    Columns,
    /// What a SQL query over `events` and the views gives.
    Sql(&'q str),
}

/// Some places with events, ready to be asked.
pub struct Engine {
    places: Arc<[Place]>,
    limits: Limits,
    tally: Arc<Tally>,
}

impl Engine {
    /// An engine over all events of these places. Nothing is read yet.
    pub fn new(places: Vec<Place>, limits: Limits) -> Self {
        Self { places: places.into(), limits, tally: Arc::default() }
    }

    /// The rows of an answer.
    ///
    /// # Errors
    /// What is wrong with SQL, and when a place cannot be listed.
    pub async fn ask(&self, question: &Question<'_>) -> Result<Rows> {
        let frame = self.frame(question).await?;
        let stream = frame.execute_stream().await;
        let stream = stream.map_err(|error| Error::of_engine("planning the query", error))?;
        Ok(Rows::new(stream))
    }

    /// How many rows an answer has.
    ///
    /// # Errors
    /// As [`Engine::ask`], and when something cannot be read.
    pub async fn count(&self, question: &Question<'_>) -> Result<u64> {
        // Rows have no order when they are only counted.
        let ask = match question.ask {
            Ask::Lines | Ask::Overview => Ask::Columns,
            ask => ask,
        };
        let frame = self.frame(&Question { ask, ..question.clone() }).await?;
        let counted = frame.count().await;
        Ok(counted.map_err(|error| Error::of_engine("counting rows", error))? as u64)
    }

    /// How an answer would be found: the plan, after places were listed; nothing is opened.
    ///
    /// # Errors
    /// As [`Engine::ask`].
    pub async fn explain(&self, question: &Question<'_>) -> Result<String> {
        let failed = |error| Error::of_engine("planning the query", error);
        let frame = self.frame(question).await?;
        let plan = frame.create_physical_plan().await.map_err(failed)?;
        let shown = datafusion::physical_plan::displayable(plan.as_ref()).indent(false);
        Ok(shown.to_string())
    }

    /// What was done so far.
    pub fn report(&self) -> Report {
        self.tally.report()
    }

    async fn frame(&self, question: &Question<'_>) -> Result<DataFrame> {
        let in_order = matches!(question.ask, Ask::Lines | Ask::Overview);
        let (order, partitions) = match in_order {
            true => (Order::AsStored { at_once: self.limits.threads * 2 }, 1),
            false => (Order::Any, self.limits.threads),
        };
        let session = self.session(question.within, order, partitions)?;
        let failed = |error| Error::of_engine("reading the query", error);
        views::register(&session).await.map_err(failed)?;
        let only_reading = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        let frame = match question.ask {
            Ask::Lines => {
                session.table("events").await.and_then(|events| events.select_columns(&[LINE]))
            }
            Ask::Overview => session.sql_with_options(views::OVERVIEW, only_reading).await,
            Ask::Columns => session.table("events").await,
            Ask::Sql(sql) => session.sql_with_options(sql, only_reading).await,
        };
        let frame = frame.map_err(failed)?;
        match question.limit {
            Some(limit) => frame.limit(0, Some(limit)).map_err(failed),
            None => Ok(frame),
        }
    }

    /// Rows of a batch. Whole events are kilobytes each, and merging what a sorter has spilled
    /// holds a few batches of each partition.
    fn rows_at_once(&self, partitions: usize) -> usize {
        (self.limits.memory / partitions.max(1) / (64 << 10)).clamp(256, 8192)
    }

    fn session(
        &self,
        question: Option<&Query>,
        order: Order,
        partitions: usize,
    ) -> Result<SessionContext> {
        let failed = |error| Error::of_engine("starting the engine", error);
        // What a sorter keeps for merging what it has spilled: a small part of what all have.
        let reserved = (self.limits.memory / 16 / partitions.max(1)).min(10 << 20);
        let config = SessionConfig::new()
            .with_target_partitions(partitions)
            .with_sort_spill_reservation_bytes(reserved)
            .with_batch_size(self.rows_at_once(partitions))
            .with_information_schema(true)
            .set_str("datafusion.sql_parser.recursion_limit", "400");
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::OsTmpDirectory);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(self.limits.memory)))
            .with_disk_manager_builder(disk);
        let runtime = runtime.build_arc().map_err(failed)?;
        let state = SessionStateBuilder::new_with_default_features()
            .with_config(config)
            .with_runtime_env(runtime)
            .with_optimizer_rules(lower::rules())
            .build();
        let session = SessionContext::new_with_state(state);
        crate::functions::register(&session);
        let question = question.cloned().map(Arc::new);
        let (places, tally) = (Arc::clone(&self.places), Arc::clone(&self.tally));
        let events = Events { places, question, order, tally };
        session.register_table("events", Arc::new(events)).map_err(failed)?;
        Ok(session)
    }
}

/// Rows on their way.
pub struct Rows {
    stream: SendableRecordBatchStream,
    schema: SchemaRef,
}

impl Rows {
    fn new(stream: SendableRecordBatchStream) -> Self {
        let schema = readable(&stream.schema());
        Self { stream, schema }
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Some more rows; `None` at the end. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    /// When the question cannot be answered on some value, or what holds the rows cannot be read.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let failed = |error| Error::of_engine("answering the query", error);
        let Some(batch) = self.stream.next().await.transpose().map_err(failed)? else {
            return Ok(None);
        };
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = batch.columns().to_vec();
        let named = RecordBatch::try_new_with_options(self.schema(), columns, &options);
        named.map(Some).map_err(|error| failed(error.into()))
    }
}

/// Columns without a name of their own as people write them: `events.self[name]` is `self.name`.
/// If two are then called alike, all stay as they are.
fn readable(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let name = match field.name().strip_prefix("events.") {
            Some(path) if path.ends_with(']') && !path.contains(['(', ' ']) => {
                path.replace('[', ".").replace(']', "")
            }
            _ => field.name().clone(),
        };
        field.as_ref().clone().with_name(name)
    });
    let fields: Vec<Field> = fields.collect();
    let names: HashSet<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    match names.len() == fields.len() {
        true => Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())),
        false => Arc::clone(schema),
    }
}
