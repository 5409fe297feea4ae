//! Numbers: longs, big integers, ratios, decimals and doubles, and how they mix, as in Clojure's `Numbers`.

pub(super) mod arithmetic;
pub(super) mod compare;
pub(super) mod decimal;
pub(super) mod double;
pub(super) mod integer;
pub(super) mod parse;
mod quotient;

use std::sync::Arc;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;

use super::budget::{Budget, MAX_BITS};
use super::error::{R, limit, wrong};
use super::value::Value;
pub(super) use decimal::Decimal;

/// What two numbers are taken for when they meet: the later kind of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Long,
    Big,
    Ratio,
    Decimal,
    Double,
}

pub(super) fn kind_of(value: &Value) -> Option<Kind> {
    Some(match value {
        Value::Long(_) => Kind::Long,
        Value::Big(_) => Kind::Big,
        Value::Ratio(_) => Kind::Ratio,
        Value::Decimal(_) => Kind::Decimal,
        Value::Double(_) => Kind::Double,
        _ => return None,
    })
}

pub(super) fn kind(value: &Value) -> R<Kind> {
    kind_of(value).ok_or_else(|| wrong(format!("a number is needed here, and this is {}", value.kind_name())))
}

pub(super) fn kinds(a: &Value, b: &Value) -> R<Kind> {
    Ok(kind(a)?.max(kind(b)?))
}

/// As a big integer; only for longs and big integers.
pub(super) fn big(value: &Value) -> BigInt {
    match value {
        Value::Long(long) => BigInt::from(*long),
        Value::Big(big) => (**big).clone(),
        _ => BigInt::ZERO,
    }
}

pub(super) fn ratio(value: &Value) -> BigRational {
    match value {
        Value::Ratio(ratio) => (**ratio).clone(),
        other => BigRational::from_integer(big(other)),
    }
}

pub(super) fn decimal(budget: &mut Budget, value: &Value) -> R<Decimal> {
    match value {
        Value::Decimal(decimal) => Ok((**decimal).clone()),
        Value::Ratio(ratio) => {
            let (over, under) = (ratio.numer().clone(), ratio.denom().clone());
            Decimal::new(over, 0)?.divide(&Decimal::new(under, 0)?, budget)
        }
        other => Decimal::new(big(other), 0),
    }
}

pub(super) fn double(value: &Value) -> f64 {
    match value {
        Value::Long(long) => *long as f64,
        Value::Double(double) => *double,
        Value::Big(big) => big_double(big),
        Value::Ratio(ratio) => quotient::ratio_double(ratio),
        Value::Decimal(decimal) => decimal.double(),
        _ => f64::NAN,
    }
}

/// The nearest double.
pub(super) fn big_double(big: &BigInt) -> f64 {
    // By its digits: that rounds half to even, as Java does.
    big.to_i64().map_or_else(|| big.to_string().parse().unwrap_or(f64::NAN), |long| long as f64)
}

pub(super) fn made_big(budget: &mut Budget, big: BigInt) -> R<Value> {
    check_bits(budget, big.bits())?;
    Ok(Value::Big(Arc::new(big)))
}

pub(super) fn made_decimal(budget: &mut Budget, decimal: Decimal) -> R<Value> {
    check_bits(budget, decimal.unscaled().bits())?;
    Ok(Value::Decimal(Arc::new(decimal)))
}

/// A ratio, or the big integer that it comes to.
pub(super) fn made_ratio(budget: &mut Budget, ratio: BigRational) -> R<Value> {
    if ratio.is_integer() {
        return made_big(budget, ratio.to_integer());
    }
    check_bits(budget, ratio.numer().bits().max(ratio.denom().bits()))?;
    Ok(Value::Ratio(Arc::new(ratio)))
}

/// What a number of so many bits may be, and costs.
pub(super) fn check_bits(budget: &mut Budget, bits: u64) -> R<()> {
    if bits > MAX_BITS {
        return Err(limit(format!("this makes a number of more than {MAX_BITS} bits")));
    }
    // About what multiplying or dividing numbers of that size takes.
    let words = (bits / 64) as usize;
    budget.steps(words * words / 64)?;
    budget.bytes(words * 8)
}
