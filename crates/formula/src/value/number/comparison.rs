//! Comparison of numbers, for `=`, `==`, `<` and `compare`.

use std::cmp::Ordering;

use num_rational::BigRational;

use super::{NumberKind, common_number_kind, number_kind, to_big_int, to_decimal, to_double, to_ratio};
use crate::budget::Budget;
use crate::error::{Result, unsupported};
use crate::value::Value;

/// The order of two numbers, whatever their kinds; none where one is NaN.
pub(crate) fn order(budget: &mut Budget, a: &Value, b: &Value) -> Result<Option<Ordering>> {
    if let (Value::Long(a), Value::Long(b)) = (a, b) {
        return Ok(Some(a.cmp(b)));
    }
    budget.take_steps(a.scan_steps().saturating_add(b.scan_steps()))?;
    Ok(match common_number_kind(a, b)? {
        NumberKind::Double => to_double(a).partial_cmp(&to_double(b)),
        NumberKind::Decimal => Some(to_decimal(budget, a)?.numeric_cmp(&to_decimal(budget, b)?)),
        NumberKind::Ratio => Some(ratio_order(&to_ratio(a), &to_ratio(b))),
        NumberKind::BigInt | NumberKind::Long => Some(to_big_int(a).cmp(&to_big_int(b))),
    })
}

/// The order of two ratios, by multiplying crosswise. `BigRational::cmp`, and its `==`, recurse for each term of a
/// continued fraction, and two long ratios may have thousands of terms in common.
fn ratio_order(a: &BigRational, b: &BigRational) -> Ordering {
    (a.numer() * b.denom()).cmp(&(b.numer() * a.denom()))
}

/// Whether two numbers are `=`: the same number of the same category. Longs and big integers are one category;
/// decimals, ratios and doubles are one each.
pub(crate) fn equal(budget: &mut Budget, a: &Value, b: &Value) -> Result<bool> {
    let category = |value| match number_kind(value) {
        Some(NumberKind::BigInt) => Some(NumberKind::Long),
        other => other,
    };
    if category(a) != category(b) {
        return Ok(false);
    }
    budget.take_steps(a.scan_steps().saturating_add(b.scan_steps()))?;
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
        (Value::Decimal(a), Value::Decimal(b)) => a.numeric_cmp(b).is_eq(),
        _ => to_big_int(a) == to_big_int(b),
    })
}
