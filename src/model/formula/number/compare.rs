//! `=`, `==`, `<` and `compare` of numbers.

use std::cmp::Ordering;

use super::{Kind, big, decimal, double, kind_of, kinds, ratio};
use crate::model::formula::budget::Budget;
use crate::model::formula::error::R;
use crate::model::formula::value::Value;

/// Which is greater; none where one is not a number (NaN).
pub(in crate::model::formula) fn order(budget: &mut Budget, a: &Value, b: &Value) -> R<Option<Ordering>> {
    if let (Value::Long(a), Value::Long(b)) = (a, b) {
        return Ok(Some(a.cmp(b)));
    }
    Ok(match kinds(a, b)? {
        Kind::Double => double(a).partial_cmp(&double(b)),
        Kind::Decimal => Some(decimal(budget, a)?.order(&decimal(budget, b)?)?),
        Kind::Ratio => Some(ratio(a).cmp(&ratio(b))),
        Kind::Big | Kind::Long => Some(big(a).cmp(&big(b))),
    })
}

/// `==`: the same number, of whatever kinds.
pub(in crate::model::formula) fn equivalent(budget: &mut Budget, a: &Value, b: &Value) -> R<bool> {
    Ok(order(budget, a, b)? == Some(Ordering::Equal))
}

/// `=`: the same number of the same category. Whole numbers are one, decimals, ratios and doubles one each.
pub(in crate::model::formula) fn equal(a: &Value, b: &Value) -> bool {
    let category = |value| kind_of(value).map(|kind| if kind == Kind::Big { Kind::Long } else { kind });
    if category(a) != category(b) {
        return false;
    }
    match (a, b) {
        (Value::Long(a), Value::Long(b)) => a == b,
        (Value::Double(a), Value::Double(b)) => a == b,
        (Value::Ratio(a), Value::Ratio(b)) => a == b,
        (Value::Decimal(a), Value::Decimal(b)) => a.stripped() == b.stripped(),
        _ => big(a) == big(b),
    }
}
