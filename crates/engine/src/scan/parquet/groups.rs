//! Which groups of rows of an object can hold rows that pass.
//!
//! From the conditions a weaker one is made over single columns, called by their paths: what every
//! row that passes has to fulfil at least. DataFusion lays that against the least and the greatest
//! value of each column in each group, we lay it against the Bloom filters.
//!
//! Invariant: a group in which a row passes is kept.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Int64Array, StringArray, TimestampNanosecondArray, UInt64Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::Operator;
use datafusion::parquet::arrow::ParquetRecordBatchStreamBuilder;
use datafusion::parquet::bloom_filter::Sbbf;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::parquet::file::statistics::Statistics;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{self as physical, BinaryExpr, CaseExpr, InListExpr};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use crate::scan::parquet::object::Object;
use crate::scan::parquet::type_of;
use crate::scan::paths::path_of;

type Builder = ParquetRecordBatchStreamBuilder<Object>;

/// The groups that have to be read for these conditions, all of which have to be true.
pub(super) async fn kept<'e>(
    builder: &mut Builder,
    conditions: impl Iterator<Item = &'e Arc<dyn PhysicalExpr>>,
) -> Vec<usize> {
    let mut groups: Vec<usize> = (0..builder.metadata().num_row_groups()).collect();
    let mut flat = Flat::default();
    let parts: Vec<_> = conditions.filter_map(|condition| flat.weaker(condition)).collect();
    let Some(all) = parts.into_iter().reduce(|one, other| binary(one, Operator::And, other)) else {
        return groups;
    };
    let columns = flat.columns.iter().map(|(name, kind)| Field::new(name, kind.clone(), true));
    let columns = Arc::new(Schema::new(columns.collect::<Vec<_>>()));
    let metadata = Arc::clone(builder.metadata());
    let of_path: HashMap<String, usize> = (0..builder.parquet_schema().num_columns())
        .map(|index| (builder.parquet_schema().column(index).path().string(), index))
        .collect();
    let predicate =
        PruningPredicateBuilder::new().with_file_schema(columns).build(Arc::clone(&all));
    if let Some(predicate) = predicate {
        let known = Known { metadata: &metadata, groups: groups.clone(), of_path: &of_path };
        if let Ok(can_pass) = predicate.prune(&known) {
            let mut can_pass = can_pass.into_iter();
            groups.retain(|_| can_pass.next() != Some(false));
        }
    }
    let mut names = BTreeSet::new();
    compared_for_equality(&all, &mut names);
    let mut kept = Vec::with_capacity(groups.len());
    for group in groups {
        let mut blooms = HashMap::new();
        for name in &names {
            let Some(column) = of_path.get(name) else { continue };
            // A filter that cannot be read rules nothing out.
            if let Ok(Some(bloom)) = builder.get_row_group_column_bloom_filter(group, *column).await
            {
                blooms.insert(name.as_str(), bloom);
            }
        }
        if may_pass(&all, &blooms) {
            kept.push(group);
        }
    }
    kept
}

/// The column and the text of a comparison for equality.
fn equality(expr: &BinaryExpr) -> Option<(&str, &str)> {
    let column = expr.left().downcast_ref::<physical::Column>()?;
    let value = expr.right().downcast_ref::<physical::Literal>()?;
    (*expr.op() == Operator::Eq).then_some((column.name(), value.value().try_as_str()??))
}

/// The columns in a condition over single columns that are compared with texts for equality.
fn compared_for_equality(expr: &Arc<dyn PhysicalExpr>, names: &mut BTreeSet<String>) {
    let Some(expr) = expr.downcast_ref::<BinaryExpr>() else { return };
    if let Some((name, _)) = equality(expr) {
        names.insert(name.to_owned());
    }
    compared_for_equality(expr.left(), names);
    compared_for_equality(expr.right(), names);
}

/// Whether a condition over single columns can be true in a group with these Bloom filters.
fn may_pass(expr: &Arc<dyn PhysicalExpr>, blooms: &HashMap<&str, Sbbf>) -> bool {
    let Some(expr) = expr.downcast_ref::<BinaryExpr>() else { return true };
    match expr.op() {
        Operator::And => may_pass(expr.left(), blooms) && may_pass(expr.right(), blooms),
        Operator::Or => may_pass(expr.left(), blooms) || may_pass(expr.right(), blooms),
        _ => match equality(expr) {
            Some((name, text)) => blooms.get(name).is_none_or(|bloom| bloom.check(text)),
            None => true,
        },
    }
}

/// Single columns by their paths, in the order in which they were found.
#[derive(Default)]
struct Flat {
    columns: Vec<(String, DataType)>,
}

impl Flat {
    /// A condition over single columns that is true wherever `expr` is; `None` if that is all that
    /// is known.
    fn weaker(&mut self, expr: &Arc<dyn PhysicalExpr>) -> Option<Arc<dyn PhysicalExpr>> {
        if let Some(binary_expr) = expr.downcast_ref::<BinaryExpr>() {
            let (left, right) = (binary_expr.left(), binary_expr.right());
            return match binary_expr.op() {
                Operator::And => match (self.weaker(left), self.weaker(right)) {
                    (Some(left), Some(right)) => Some(binary(left, Operator::And, right)),
                    (one, other) => one.or(other),
                },
                Operator::Or => Some(binary(self.weaker(left)?, Operator::Or, self.weaker(right)?)),
                Operator::Eq
                | Operator::NotEq
                | Operator::Lt
                | Operator::LtEq
                | Operator::Gt
                | Operator::GtEq => self.compared(left, *binary_expr.op(), right),
                _ => None,
            };
        }
        let list = expr.downcast_ref::<InListExpr>().filter(|list| !list.negated())?;
        let of_item = |flat: &mut Self, item| flat.compared(list.expr(), Operator::Eq, item);
        let mut each = None;
        for item in list.list() {
            let item = of_item(self, item)?;
            each = Some(match each {
                Some(before) => binary(before, Operator::Or, item),
                None => item,
            });
        }
        each
    }

    fn compared(
        &mut self,
        left: &Arc<dyn PhysicalExpr>,
        op: Operator,
        right: &Arc<dyn PhysicalExpr>,
    ) -> Option<Arc<dyn PhysicalExpr>> {
        let is_value = |expr: &Arc<dyn PhysicalExpr>| expr.is::<physical::Literal>();
        match (is_value(left), is_value(right)) {
            (false, true) => {}
            (true, false) => return self.compared(right, op.swap()?, left),
            _ => return None,
        }
        // The first value that is there, and the like: one of the branches it has to be.
        if let Some(case) = left.downcast_ref::<CaseExpr>() {
            let branches = case.when_then_expr().iter().map(|(_, then)| then);
            let branches: Vec<_> = branches.chain(case.else_expr()).cloned().collect();
            let each = branches.iter().map(|branch| self.compared(branch, op, right));
            let each = each.collect::<Option<Vec<_>>>()?;
            return each.into_iter().reduce(|one, other| binary(one, Operator::Or, other));
        }
        let path = path_of(left.as_ref())?.join(".");
        let kind = type_of(&path)?;
        let index =
            self.columns.iter().position(|(known, _)| *known == path).unwrap_or_else(|| {
                self.columns.push((path.clone(), kind));
                self.columns.len() - 1
            });
        Some(binary(Arc::new(physical::Column::new(&path, index)), op, Arc::clone(right)))
    }
}

fn binary(
    left: Arc<dyn PhysicalExpr>,
    op: Operator,
    right: Arc<dyn PhysicalExpr>,
) -> Arc<dyn PhysicalExpr> {
    Arc::new(BinaryExpr::new(left, op, right))
}

/// What an object says of some of its groups.
struct Known<'m> {
    metadata: &'m ParquetMetaData,
    groups: Vec<usize>,
    of_path: &'m HashMap<String, usize>,
}

impl Known<'_> {
    /// The statistics of a column in each group.
    fn of(&self, column: &Column) -> Option<Vec<Option<&Statistics>>> {
        let index = *self.of_path.get(column.name())?;
        let groups = self.groups.iter();
        Some(groups.map(|it| self.metadata.row_group(*it).column(index).statistics()).collect())
    }

    fn edges(&self, column: &Column, edge: fn(&Statistics) -> Option<&[u8]>) -> Option<ArrayRef> {
        let statistics = self.of(column)?;
        let edges = statistics.iter().map(|it| it.and_then(edge));
        let numbers = || edges.clone().map(|edge| Some(i64::from_le_bytes(edge?.try_into().ok()?)));
        Some(match type_of(column.name())? {
            DataType::Utf8 => {
                Arc::new(edges.map(|edge| std::str::from_utf8(edge?).ok()).collect::<StringArray>())
            }
            DataType::Int64 => Arc::new(numbers().collect::<Int64Array>()),
            kind @ DataType::Timestamp(..) => {
                Arc::new(numbers().collect::<TimestampNanosecondArray>().with_data_type(kind))
            }
            _ => return None,
        })
    }
}

impl PruningStatistics for Known<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.edges(column, Statistics::min_bytes_opt)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.edges(column, Statistics::max_bytes_opt)
    }

    fn num_containers(&self) -> usize {
        self.groups.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let statistics = self.of(column)?;
        let counts = statistics.iter().map(|it| it.and_then(Statistics::null_count_opt));
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let groups = self.groups.iter();
        let counts = groups.map(|it| u64::try_from(self.metadata.row_group(*it).num_rows()).ok());
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
