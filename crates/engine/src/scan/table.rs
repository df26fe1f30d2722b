//! The table `events`: everything in some places.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, DFSchemaRef, internal_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use forebear_query::Query;

use crate::bounds::Bounds;
use crate::prune;
use crate::report::Tally;
use crate::scan::blocks::Piece;
use crate::scan::sieve::{Filter, Wanted};
use crate::scan::{ScanExec, paths, pieces};
use crate::schema::schema;
use crate::source::{self, Format, Object, Place};
use crate::sql;

/// Whether rows come in the order of their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they are found.
    Any,
    /// As they lie there; so many pieces are read at once.
    AsStored { at_once: usize },
}

/// A question as a condition over the columns of [`schema`].
fn over_columns(query: &Query, state: &dyn Session) -> Result<Expr> {
    let Some(state) = state.as_any().downcast_ref::<SessionState>() else {
        return internal_err!("a question of columns needs the engine's own state");
    };
    let columns = DFSchemaRef::new(DFSchema::try_from(schema())?);
    let expr = state.create_logical_expr(&sql::condition(query), &columns)?;
    // Some functions are only what they become when they are simplified.
    let context = SimplifyContext::builder().with_schema(Arc::clone(&columns)).build();
    let simplifier = ExprSimplifier::new(context);
    simplifier.simplify(simplifier.coerce(expr, &columns)?)
}

/// Everything in some places that passes a question.
#[derive(Debug)]
pub(crate) struct Events {
    pub places: Arc<[Place]>,
    pub question: Option<Arc<Query>>,
    pub order: Order,
    pub tally: Arc<Tally>,
}

impl Events {
    /// The objects that may hold what is wanted.
    async fn list(&self, filters: &[Expr]) -> Result<Vec<Object>> {
        let asked = self.question.as_ref().map(|question| Bounds::from(question.bounds()));
        let bounds = asked.unwrap_or_default().and(prune::bounds(filters));
        let mut objects = Vec::new();
        for place in &*self.places {
            let listed = place.list(&bounds, &self.tally).await;
            objects.extend(listed.map_err(|error| DataFusionError::External(Box::new(error)))?);
        }
        let found = objects.len();
        let objects = source::without_doubles(objects);
        self.tally.pruned.fetch_add((found - objects.len()) as u64, Relaxed);
        let bytes: u64 = objects.iter().map(|object| object.size).sum();
        self.tally.bytes_to_read.fetch_add(bytes, Relaxed);
        Ok(objects)
    }

    fn scan_pieces(
        &self,
        pieces: Vec<Piece>,
        asked: Option<Filter>,
        filter: Option<Filter>,
        partitions: usize,
    ) -> Result<ScanExec> {
        let (pieces, in_order) = match self.order {
            Order::Any => (pieces::spread(pieces, partitions), None),
            Order::AsStored { at_once } => (vec![pieces.into()], Some(at_once)),
        };
        let question = self.question.clone();
        let wanted = Wanted { question, asked, filter, columns: schema() };
        ScanExec::new(pieces, wanted, None, in_order, Arc::clone(&self.tally))
    }
}

#[async_trait]
impl TableProvider for Events {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match filter.is_volatile() {
            true => TableProviderFilterPushDown::Unsupported,
            false => TableProviderFilterPushDown::Exact,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let objects = self.list(filters).await?;
        let has_columns = objects.iter().any(|object| object.format == Format::Parquet);
        let pieces = pieces::divide(objects);
        self.tally.to_read.fetch_add(pieces.len() as u64, Relaxed);
        let columns = DFSchema::try_from(schema())?;
        let narrowed = |expr: Option<Expr>| match expr {
            Some(expr) => {
                let expr = state.create_physical_expr(expr, &columns)?;
                paths::narrow_all(&schema(), vec![expr]).map(Some)
            }
            None => Ok(None),
        };
        let asked = self.question.as_ref().filter(|_| has_columns);
        let asked = asked.map(|question| over_columns(question, state)).transpose()?;
        let asked = narrowed(asked)?;
        let filter = narrowed(conjunction(filters.to_vec()))?;
        let partitions = state.config().target_partitions();
        let scan: Arc<dyn ExecutionPlan> =
            Arc::new(self.scan_pieces(pieces, asked, filter, partitions)?);
        let Some(projection) = projection else { return Ok(scan) };
        let made = ProjectionExprs::from_indices(projection, &schema());
        let projected = ProjectionExec::try_new(made.iter().cloned(), Arc::clone(&scan))?;
        Ok(scan.try_swapping_with_projection(&projected)?.unwrap_or(scan))
    }
}
