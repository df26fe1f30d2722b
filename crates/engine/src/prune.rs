//! What SQL asks of time and host, so that objects can be passed over by their names.
//!
//! Invariant: every row for which all conditions are true lies within the bounds.

use datafusion::common::ScalarValue;
use datafusion::functions::core::getfield::GetFieldFunc;
use datafusion::logical_expr::expr::{Between, BinaryExpr, InList, ScalarFunction};
use datafusion::logical_expr::{Expr, Operator};

use crate::bounds::Bounds;

/// The bounds of several conditions, all of which have to be true.
pub(crate) fn bounds(filters: &[Expr]) -> Bounds {
    filters.iter().map(of).fold(Bounds::default(), Bounds::and)
}

fn of(filter: &Expr) -> Bounds {
    match filter {
        Expr::Alias(alias) => of(&alias.expr),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => of(left).and(of(right)),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => of(left).or(of(right)),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op.swap() {
            Some(swapped) if matches!(left.as_ref(), Expr::Literal(..)) => {
                compared(right, swapped, left)
            }
            _ => compared(left, *op, right),
        },
        Expr::Between(Between { expr, negated: false, low, high }) => {
            let from = compared(expr, Operator::GtEq, low);
            from.and(compared(expr, Operator::LtEq, high))
        }
        Expr::InList(InList { expr, list, negated: false }) => {
            let each = list.iter().map(|item| compared(expr, Operator::Eq, item));
            each.reduce(Bounds::or).unwrap_or_default()
        }
        _ => Bounds::default(),
    }
}

fn compared(field: &Expr, op: Operator, value: &Expr) -> Bounds {
    let Expr::Literal(value, _) = value else { return Bounds::default() };
    if is_time(field)
        && let ScalarValue::TimestampNanosecond(Some(ns), _) = value
    {
        let ns = i128::from(*ns);
        return match op {
            Operator::Eq => Bounds::since(ns).and(Bounds::until(ns + 1)),
            Operator::Gt => Bounds::since(ns + 1),
            Operator::GtEq => Bounds::since(ns),
            Operator::Lt => Bounds::until(ns),
            Operator::LtEq => Bounds::until(ns + 1),
            _ => Bounds::default(),
        };
    }
    if is_hour(field)
        && let Some(number) = number(value)
    {
        let hours = (0..24).filter(|hour| match op {
            Operator::Eq => i64::from(*hour) == number,
            Operator::Gt => i64::from(*hour) > number,
            Operator::GtEq => i64::from(*hour) >= number,
            Operator::Lt => i64::from(*hour) < number,
            Operator::LtEq => i64::from(*hour) <= number,
            _ => true,
        });
        return Bounds::hours_of_day(hours);
    }
    match value.try_as_str() {
        Some(Some(host)) if is_host(field) && op == Operator::Eq => {
            Bounds::hosts([host.to_owned()])
        }
        _ => Bounds::default(),
    }
}

fn is_time(field: &Expr) -> bool {
    matches!(field, Expr::Column(column) if column.name == "event_time")
}

/// Whether it is the hour of the day; moments are in UTC.
fn is_hour(field: &Expr) -> bool {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = field else { return false };
    let [Expr::Literal(part, _), time] = args.as_slice() else { return false };
    let part = part.try_as_str().flatten();
    func.name() == "date_part"
        && part.is_some_and(|part| part.eq_ignore_ascii_case("hour"))
        && is_time(time)
}

fn number(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int32(number) => number.map(i64::from),
        ScalarValue::Int64(number) => *number,
        _ => None,
    }
}

fn is_host(field: &Expr) -> bool {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = field else { return false };
    let [Expr::Column(column), Expr::Literal(name, _)] = args.as_slice() else { return false };
    func.inner().downcast_ref::<GetFieldFunc>().is_some()
        && column.name == "host"
        && name.try_as_str() == Some(Some("id"))
}
