//! Which fields expressions read, so that only those are read of a line.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::error::Result;
use datafusion::functions::core::getfield::GetFieldFunc;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::projection::{ProjectionExpr, ProjectionExprs};
use datafusion::physical_expr::utils::reassign_expr_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

use crate::schema::{Path, prune};

/// The part of a schema that these expressions read, and they over that part.
pub(super) fn narrow_all(
    schema: &Schema,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
) -> Result<(SchemaRef, Vec<Arc<dyn PhysicalExpr>>)> {
    let mut paths = BTreeSet::new();
    exprs.iter().for_each(|expr| collect(expr, &mut paths));
    let part = prune(schema, &paths);
    let exprs = exprs.into_iter().map(|expr| reassign_expr_columns(expr, &part));
    let exprs = exprs.collect::<Result<Vec<_>>>()?;
    Ok((part, exprs))
}

/// As [`narrow_all`], of expressions with names.
pub(super) fn narrow(
    schema: &Schema,
    made: &ProjectionExprs,
) -> Result<(SchemaRef, ProjectionExprs)> {
    let exprs = made.iter().map(|made| Arc::clone(&made.expr)).collect();
    let (part, exprs) = narrow_all(schema, exprs)?;
    let names = made.iter().map(|made| made.alias.clone());
    let made = exprs.into_iter().zip(names).map(|(expr, alias)| ProjectionExpr { expr, alias });
    Ok((part, made.collect()))
}

/// Adds the fields that an expression reads.
fn collect(expr: &Arc<dyn PhysicalExpr>, paths: &mut BTreeSet<Path>) {
    match path_of(expr.as_ref()) {
        Some(path) => {
            paths.insert(path);
        }
        None => expr.children().into_iter().for_each(|child| collect(child, paths)),
    }
}

/// The field that an expression is, if it is nothing else.
pub(super) fn path_of(expr: &dyn PhysicalExpr) -> Option<Path> {
    if let Some(column) = expr.downcast_ref::<Column>() {
        return Some(vec![column.name().to_owned()]);
    }
    let call = expr.downcast_ref::<ScalarFunctionExpr>()?;
    call.fun().inner().downcast_ref::<GetFieldFunc>()?;
    let (base, names) = call.args().split_first()?;
    let mut path = path_of(base.as_ref())?;
    for name in names {
        let literal = name.downcast_ref::<Literal>()?;
        path.push(literal.value().try_as_str()??.to_owned());
    }
    Some(path)
}

/// The columns below which there are no fields of objects: their paths and types.
pub(super) fn leaves(schema: &Schema) -> Vec<(String, DataType)> {
    fn below(fields: &Fields, above: &str, found: &mut Vec<(String, DataType)>) {
        for field in fields {
            let path = format!("{above}{}", field.name());
            match field.data_type() {
                DataType::Struct(fields) => below(fields, &format!("{path}."), found),
                kind => found.push((path, kind.clone())),
            }
        }
    }
    let mut found = Vec::new();
    below(schema.fields(), "", &mut found);
    found
}

/// The fields of a schema, as people write them.
pub(super) fn shown(schema: &Schema) -> Vec<String> {
    let mut shown = Vec::new();
    schema.fields().iter().for_each(|field| show(field, "", &mut shown));
    shown
}

fn show(field: &Field, above: &str, shown: &mut Vec<String>) {
    let path = format!("{above}{}", field.name());
    match field.data_type() {
        // A whole process block would fill the screen.
        DataType::Struct(fields) if fields.len() <= 8 => {
            fields.iter().for_each(|field| show(field, &format!("{path}."), shown));
        }
        _ => shown.push(path),
    }
}
