//! Numbers: which kinds there are, and conversions between them, as in Clojure's `clojure.lang.Numbers`.
//!
//! Arithmetic, comparison and the conversion functions of Clojure are the modules below. Whatever makes a big number
//! takes its memory and the steps to compute it from the budget.

pub(crate) mod arithmetic;
pub(crate) mod comparison;
pub(crate) mod conversion;
mod ratio;

use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;

use super::Value;
use crate::budget::Budget;
use crate::decimal::Decimal;
use crate::error::{Result, invalid};

/// The kind of a number. An operation on two numbers is done in the later of their kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NumberKind {
    Long,
    BigInt,
    Ratio,
    Decimal,
    Double,
}

/// The kind of a number; none of a value that is no number.
pub(crate) fn number_kind(value: &Value) -> Option<NumberKind> {
    Some(match value {
        Value::Long(_) => NumberKind::Long,
        Value::BigInt(_) => NumberKind::BigInt,
        Value::Ratio(_) => NumberKind::Ratio,
        Value::Decimal(_) => NumberKind::Decimal,
        Value::Double(_) => NumberKind::Double,
        _ => return None,
    })
}

/// The kind of a number; an error for a value that is no number.
pub(crate) fn require_number(value: &Value) -> Result<NumberKind> {
    number_kind(value)
        .ok_or_else(|| invalid(format!("a number is needed here, and this is {}", value.type_name())))
}

/// The kind in which an operation on two numbers is done.
fn common_number_kind(a: &Value, b: &Value) -> Result<NumberKind> {
    Ok(require_number(a)?.max(require_number(b)?))
}

/// A long or big integer as a big integer; 0 for any other value.
fn to_big_int(value: &Value) -> BigInt {
    match value {
        Value::Long(long) => BigInt::from(*long),
        Value::BigInt(big) => (**big).clone(),
        _ => BigInt::ZERO,
    }
}

/// A ratio or whole number as a ratio.
fn to_ratio(value: &Value) -> BigRational {
    match value {
        Value::Ratio(ratio) => (**ratio).clone(),
        other => BigRational::from_integer(to_big_int(other)),
    }
}

/// Any number but a double as a decimal; an error for a ratio without a finite decimal.
fn to_decimal(budget: &mut Budget, value: &Value) -> Result<Decimal> {
    match value {
        Value::Decimal(decimal) => Ok((**decimal).clone()),
        Value::Ratio(ratio) => {
            let (numerator, denominator) = (ratio.numer().clone(), ratio.denom().clone());
            Decimal::new(numerator, 0)?.divide(&Decimal::new(denominator, 0)?, budget)
        }
        other => Decimal::new(to_big_int(other), 0),
    }
}

/// Any number as the double that Clojure converts it to; NaN for a value that is no number.
pub(crate) fn to_double(value: &Value) -> f64 {
    match value {
        Value::Long(long) => *long as f64,
        Value::Double(double) => *double,
        Value::BigInt(big) => big_int_to_double(big),
        Value::Ratio(ratio) => ratio::ratio_to_double(ratio),
        Value::Decimal(decimal) => decimal.to_double(),
        _ => f64::NAN,
    }
}

/// The nearest double.
fn big_int_to_double(big: &BigInt) -> f64 {
    // By way of its digits: that rounds half to even, as Java does.
    big.to_i64().map_or_else(|| big.to_string().parse().unwrap_or(f64::NAN), |long| long as f64)
}

pub(crate) fn big_int_value(budget: &mut Budget, big: BigInt) -> Result<Value> {
    budget.take_number(big.bits())?;
    Ok(Value::BigInt(Arc::new(big)))
}

fn decimal_value(budget: &mut Budget, decimal: Decimal) -> Result<Value> {
    budget.take_number(decimal.unscaled().bits())?;
    Ok(Value::Decimal(Arc::new(decimal)))
}

/// A ratio, or a big integer where the ratio is a whole number.
fn ratio_value(budget: &mut Budget, ratio: BigRational) -> Result<Value> {
    if ratio.is_integer() {
        return big_int_value(budget, ratio.to_integer());
    }
    budget.take_number(ratio.numer().bits().max(ratio.denom().bits()))?;
    Ok(Value::Ratio(Arc::new(ratio)))
}
