//! Events as a source of rows: an execution plan over pieces of objects.
//!
//! A plan is the pieces, the question and conditions that lines have to pass, and the columns that
//! come out; nothing in it is tied to a process but the clients of buckets.
//!
//! Without an order every partition reads its own pieces. With one there is a single partition,
//! whose pieces are read ahead on several threads and handed on in their order.

mod blocks;
mod columns;
mod parquet;
mod paths;
mod pieces;
mod sieve;
mod table;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::mpsc;

use crate::report::Tally;
use crate::schema::schema;
use crate::source::{Format, Object};

pub use blocks::MAX_LINE;
pub(crate) use table::{Events, Order};

use self::blocks::{Blocks, Piece};
use self::sieve::{Sieve, Wanted};

/// How many objects of a partition are fetched at once.
const FETCHED: usize = 4;
/// Batches that a piece may be ahead of its reader.
const AHEAD: usize = 2;

/// Reads events.
#[derive(Debug)]
pub(crate) struct ScanExec {
    /// By partition.
    pieces: Vec<Arc<[Piece]>>,
    wanted: Wanted,
    /// What is made of the columns that come out, if anything.
    made: Option<ProjectionExprs>,
    /// How many pieces are read at once to be handed on in their order; without it there is none.
    in_order: Option<usize>,
    tally: Arc<Tally>,
    properties: Arc<PlanProperties>,
}

impl ScanExec {
    fn new(
        pieces: Vec<Arc<[Piece]>>,
        wanted: Wanted,
        made: Option<ProjectionExprs>,
        in_order: Option<usize>,
        tally: Arc<Tally>,
    ) -> Result<Self> {
        let schema = match &made {
            Some(made) => Arc::new(made.project_schema(&wanted.columns)?),
            None => Arc::clone(&wanted.columns),
        };
        let partitioning = Partitioning::UnknownPartitioning(pieces.len());
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(schema),
            partitioning,
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Ok(Self { pieces, wanted, made, in_order, tally, properties })
    }

    /// The batches of one partition, whose pieces are read one after the other.
    fn read_on(&self, pieces: Arc<[Piece]>) -> SendableRecordBatchStream {
        let mut stream =
            RecordBatchReceiverStream::builder(Arc::clone(&self.wanted.columns), AHEAD);
        let (to, tally) = (stream.tx(), Arc::clone(&self.tally));
        let wanted = self.wanted.clone();
        stream.spawn(async move {
            let mut sieve = Sieve::new(&wanted, &tally);
            let pieces: Vec<Piece> = pieces.to_vec();
            let for_blocks = Arc::clone(&tally);
            let opened = pieces.into_iter().map(move |piece| {
                let tally = Arc::clone(&for_blocks);
                async move {
                    let opened = Opened::of(&piece, tally).await;
                    (piece, opened)
                }
            });
            let mut opened = futures_util::stream::iter(opened).buffered(FETCHED);
            while let Some((piece, opened)) = opened.next().await {
                let goes_on = match opened {
                    Opened::Lines(blocks) => read(&piece, blocks, &mut sieve, &tally, &to).await?,
                    Opened::Columns => parquet::read(&piece, &wanted, &tally, &to).await?,
                };
                if !goes_on {
                    return Ok(());
                }
            }
            if let Some(batch) = sieve.finish()? {
                let _ = to.send(Ok(batch)).await;
            }
            Ok(())
        });
        stream.build()
    }

    /// The batches of all pieces in their order, several of which are read at once.
    fn read_in_order(&self, pieces: &Arc<[Piece]>, at_once: usize) -> SendableRecordBatchStream {
        let (wanted, tally) = (self.wanted.clone(), Arc::clone(&self.tally));
        let pieces: Vec<Piece> = pieces.to_vec();
        let begun = pieces.into_iter().map(move |piece| {
            let one = read_one(piece, &wanted, &tally);
            async move { Ok::<_, DataFusionError>(one) }
        });
        let batches = futures_util::stream::iter(begun).buffered(at_once).try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.wanted.columns), batches))
    }
}

/// All events of an object, with all their columns.
pub(crate) fn read_whole(object: Object, tally: &Arc<Tally>) -> SendableRecordBatchStream {
    let wanted = Wanted { question: None, asked: None, filter: None, columns: schema() };
    read_one(Piece { object: Arc::new(object), range: None }, &wanted, tally)
}

/// The batches of one piece.
fn read_one(piece: Piece, wanted: &Wanted, tally: &Arc<Tally>) -> SendableRecordBatchStream {
    let (wanted, tally) = (wanted.clone(), Arc::clone(tally));
    let mut one = RecordBatchReceiverStream::builder(Arc::clone(&wanted.columns), AHEAD);
    let to = one.tx();
    one.spawn(async move {
        let blocks = match Opened::of(&piece, Arc::clone(&tally)).await {
            Opened::Lines(blocks) => blocks,
            Opened::Columns => {
                parquet::read(&piece, &wanted, &tally, &to).await?;
                return Ok(());
            }
        };
        let mut sieve = Sieve::new(&wanted, &tally);
        if read(&piece, blocks, &mut sieve, &tally, &to).await?
            && let Some(batch) = sieve.finish()?
        {
            let _ = to.send(Ok(batch)).await;
        }
        Ok(())
    });
    one.build()
}

/// A piece on its way.
enum Opened {
    /// Of lines; `None` if they cannot be read.
    Lines(Option<Box<Blocks>>),
    /// Of columns: what is read of them is decided when it is their turn.
    Columns,
}

impl Opened {
    async fn of(piece: &Piece, tally: Arc<Tally>) -> Self {
        match piece.object.format {
            Format::Lines => Self::Lines(Blocks::open(piece, tally).await.map(Box::new)),
            Format::Parquet => Self::Columns,
        }
    }
}

/// Reads one piece of lines; `false` if nobody wants more.
async fn read(
    piece: &Piece,
    blocks: Option<Box<Blocks>>,
    sieve: &mut Sieve,
    tally: &Tally,
    to: &mpsc::Sender<Result<RecordBatch>>,
) -> Result<bool> {
    let Some(mut blocks) = blocks else { return Ok(true) };
    let mut full = Vec::new();
    let is_live = blocks.is_live();
    while let Some(block) = blocks.next().await {
        sieve.push(&piece.object.name, &block, &mut full)?;
        // Whoever waits at the other end of a pipe wants to see what there is.
        if is_live {
            full.extend(sieve.finish()?);
        }
        for batch in full.drain(..) {
            if to.send(Ok(batch)).await.is_err() {
                return Ok(false);
            }
        }
        // Others of this thread, and whoever wants to stop, get their turn.
        tokio::task::yield_now().await;
    }
    tally.done.fetch_add(1, Relaxed);
    Ok(!to.is_closed())
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pieces: usize = self.pieces.iter().map(|pieces| pieces.len()).sum();
        write!(f, "ScanExec: pieces={pieces} in {} partitions", self.pieces.len())?;
        if let Some(question) = &self.wanted.question {
            write!(
                f,
                ", lines pass CQL over [{}]",
                question.paths().collect::<Vec<_>>().join(", ")
            )?;
        }
        if let Some((schema, filter)) = &self.wanted.filter {
            let shown: Vec<String> = filter.iter().map(ToString::to_string).collect();
            let read = paths::shown(schema).join(", ");
            write!(f, ", lines pass {} over [{read}]", shown.join(" AND "))?;
        }
        write!(f, ", columns=[{}]", paths::shown(&self.wanted.columns).join(", "))?;
        if let Some(made) = &self.made {
            write!(f, ", made=[{made}]")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &'static str {
        "ScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let filter = self.wanted.filter.iter().flat_map(|(_, filter)| filter);
        let made = self.made.iter().flat_map(|made| made.as_ref().iter().map(|made| &made.expr));
        for expr in filter.chain(made) {
            if f(expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let pieces = self.pieces.get(partition).cloned().unwrap_or_default();
        let rows = match self.in_order {
            Some(at_once) => self.read_in_order(&pieces, at_once),
            None => self.read_on(pieces),
        };
        let Some(made) = &self.made else { return Ok(rows) };
        let projector = made.make_projector(&self.wanted.columns)?;
        let schema = Arc::clone(projector.output_schema());
        let made = rows.map(move |batch| projector.project_batch(&batch?));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, made)))
    }

    /// Takes over what a projection makes, so that only the fields that it needs are read.
    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExec,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let exprs = projection.projection_expr();
        let made = match &self.made {
            Some(below) => below.try_merge(exprs)?,
            None => exprs.clone(),
        };
        let (columns, made) = paths::narrow(&self.wanted.columns, &made)?;
        let wanted = Wanted { columns, ..self.wanted.clone() };
        let (pieces, tally) = (self.pieces.clone(), Arc::clone(&self.tally));
        Ok(Some(Arc::new(Self::new(pieces, wanted, Some(made), self.in_order, tally)?)))
    }
}
