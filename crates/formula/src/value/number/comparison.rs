//! `=`, `==`, `<` and `compare` of numbers.

use std::cmp::Ordering;

use num_rational::BigRational;

use super::{Kind, big, decimal, double, kind_of, kinds, ratio};
use crate::budget::Budget;
use crate::error::{R, unsupported};
use crate::price;
use crate::value::Value;

/// Which is greater; none where one is not a number (NaN).
pub(crate) fn order(budget: &mut Budget, a: &Value, b: &Value) -> R<Option<Ordering>> {
    if let (Value::Long(a), Value::Long(b)) = (a, b) {
        return Ok(Some(a.cmp(b)));
    }
    budget.steps(price::value(a).saturating_add(price::value(b)))?;
    Ok(match kinds(a, b)? {
        Kind::Double => double(a).partial_cmp(&double(b)),
        Kind::Decimal => Some(decimal(budget, a)?.order(&decimal(budget, b)?)),
        Kind::Ratio => Some(ratio_order(&ratio(a), &ratio(b))),
        Kind::Big | Kind::Long => Some(big(a).cmp(&big(b))),
    })
}

/// By multiplying crosswise. The crate's own order, and its `==`, call themselves for each term of a continued
/// fraction, which two long ratios may have thousands of in common.
fn ratio_order(a: &BigRational, b: &BigRational) -> Ordering {
    (a.numer() * b.denom()).cmp(&(b.numer() * a.denom()))
}

/// `=`: the same number of the same category. Whole numbers are one, decimals, ratios and doubles one each.
pub(crate) fn equal(budget: &mut Budget, a: &Value, b: &Value) -> R<bool> {
    let category = |value| kind_of(value).map(|kind| if kind == Kind::Big { Kind::Long } else { kind });
    if category(a) != category(b) {
        return Ok(false);
    }
    budget.steps(price::value(a).saturating_add(price::value(b)))?;
    Ok(match (a, b) {
        (Value::Long(a), Value::Long(b)) => a == b,
        (Value::Double(a), Value::Double(b)) if a.is_nan() && b.is_nan() => {
            return Err(unsupported(
                "whether NaN is `=` to NaN depends on how Clojure compiled it: use `==` or `NaN?`",
            ));
        }
        (Value::Double(a), Value::Double(b)) => a == b,
        // Both are in lowest terms.
        (Value::Ratio(a), Value::Ratio(b)) => a.numer() == b.numer() && a.denom() == b.denom(),
        (Value::Decimal(a), Value::Decimal(b)) => a.order(b).is_eq(),
        _ => big(a) == big(b),
    })
}
