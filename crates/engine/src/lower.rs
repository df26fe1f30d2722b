//! Conditions on the columns of views as conditions on events.
//!
//! DataFusion leaves a condition on a field of a struct above the projection that has named it, and
//! nearly all columns of the views are such fields. There it can neither pass over objects nor lines:
//! the hour of one host would read the whole bucket.
//!
//! Deliberately not here: joins and grouping, through which DataFusion takes conditions itself.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, Projection};
use datafusion::optimizer::optimizer::{ApplyOrder, Optimizer};
use datafusion::optimizer::push_down_filter::replace_cols_by_name;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The rule before which this one belongs: it takes conditions on to the events.
const BEFORE: &str = "push_down_filter";

/// The rules of the optimizer, this one among them.
pub(crate) fn rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    let place = rules.iter().position(|rule| rule.name() == BEFORE).unwrap_or_default();
    rules.insert(place, Arc::new(Lower));
    rules
}

/// Takes conditions below the projections and names of views.
#[derive(Debug)]
struct Lower;

impl OptimizerRule for Lower {
    fn name(&self) -> &str {
        "lower_conditions_on_views"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = plan else { return Ok(Transformed::no(plan)) };
        let meant = meanings(&filter.input);
        let Some(meant) = meant else { return Ok(Transformed::no(LogicalPlan::Filter(filter))) };
        let conditions = split_conjunction_owned(filter.predicate.clone());
        let (lower, stay): (Vec<Expr>, Vec<Expr>) = conditions.into_iter().partition(is_plain);
        let Some(lower) = conjunction(lower) else {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        };
        let lower = replace_cols_by_name(lower, &meant)?;
        let under = |input| Filter::try_new(lower, input).map(LogicalPlan::Filter).map(Arc::new);
        let plan = match Arc::unwrap_or_clone(filter.input) {
            LogicalPlan::Projection(Projection { expr, input, schema, .. }) => {
                Projection::try_new_with_schema(expr, under(input)?, schema)
                    .map(LogicalPlan::Projection)?
            }
            LogicalPlan::SubqueryAlias(mut named) => {
                named.input = under(named.input)?;
                LogicalPlan::SubqueryAlias(named)
            }
            other => other,
        };
        Ok(Transformed::yes(match conjunction(stay) {
            Some(stay) => LogicalPlan::Filter(Filter::try_new(stay, Arc::new(plan))?),
            None => plan,
        }))
    }
}

/// What the columns of a plan mean below it, by their names; `None` if it is not one to go below.
fn meanings(plan: &LogicalPlan) -> Option<HashMap<String, Box<Expr>>> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let named = projection.schema.columns().into_iter().zip(&projection.expr);
            let is_fixed = !projection.expr.iter().any(Expr::is_volatile);
            let meaning = |(column, expr): (Column, &Expr)| {
                (column.flat_name(), Box::new(expr.clone().unalias_nested().data))
            };
            is_fixed.then(|| named.map(meaning).collect())
        }
        LogicalPlan::SubqueryAlias(named) => {
            let inner = named.input.schema().columns().into_iter();
            let columns = named.schema.columns().into_iter().zip(inner);
            let meaning = |(outer, inner): (Column, Column)| {
                (outer.flat_name(), Box::new(Expr::Column(inner)))
            };
            Some(columns.map(meaning).collect())
        }
        _ => None,
    }
}

/// Whether a condition means the same below.
fn is_plain(condition: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode as _;
    let is_query = |expr: &Expr| {
        Ok(matches!(
            expr,
            Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::ScalarSubquery(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
        ))
    };
    !condition.is_volatile() && !condition.exists(is_query).unwrap_or(true)
}
