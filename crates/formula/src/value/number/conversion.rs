//! Whole numbers from other numbers: `int`, `long`, `bigint`, `rationalize` and the like.

use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;

use super::decimal::Decimal;
use super::{Kind, big, kind, made_big, made_decimal, made_ratio};
use crate::budget::Budget;
use crate::error::{Fail, R, unsupported, wrong};
use crate::price;
use crate::value::Value;

fn out_of_range() -> Fail {
    wrong("value out of range for a whole number of 64 bits")
}

/// As `long` does: towards zero.
pub(crate) fn long(value: &Value) -> R<i64> {
    match value {
        Value::Long(long) => Ok(*long),
        Value::Char(char) => Ok(i64::from(u32::from(*char))),
        // As Java does: by way of a double.
        Value::Decimal(decimal) => self::long(&Value::Double(decimal.double())),
        Value::Double(double) => {
            // 2^63 as a double is one more than the greatest long, and Java lets it pass as that.
            // NaN is neither below nor above, and 0.
            if *double < -9_223_372_036_854_775_808.0 || *double > 9_223_372_036_854_775_807.0 {
                Err(out_of_range())
            } else {
                Ok(*double as i64)
            }
        }
        other => truncated(other)?.to_i64().ok_or_else(out_of_range),
    }
}

/// How often 1 can be taken off before nothing is left, as `take` and its kin count: 2.5 is three times.
pub(crate) fn times(value: &Value) -> R<usize> {
    kind(value)?;
    let rounded = match value {
        Value::Double(double) => return Ok(double.ceil() as usize),
        Value::Ratio(ratio) => ratio.ceil().to_integer(),
        Value::Decimal(decimal) => decimal.ratio().ceil().to_integer(),
        other => big(other),
    };
    Ok(if rounded.sign() == Sign::Minus { 0 } else { rounded.to_usize().unwrap_or(usize::MAX) })
}

/// The whole part of any number but a double.
fn truncated(value: &Value) -> R<BigInt> {
    Ok(match value {
        Value::Ratio(ratio) => ratio.to_integer(),
        Value::Decimal(decimal) => decimal.truncated(),
        other => {
            kind(other)?;
            big(other)
        }
    })
}

/// As `int` does: a long that fits into 32 bits.
pub(crate) fn int(value: &Value) -> R<i64> {
    let whole = match value {
        Value::Double(double)
            if [2_147_483_647, -2_147_483_648].contains(&(*double as i64)) && double.fract() != 0.0 =>
        {
            return Err(unsupported(
                "`int` of a double at its bounds: Clojure's answer depends on how it was compiled",
            ));
        }
        other => long(other).ok().filter(|long| i32::try_from(*long).is_ok()),
    };
    kind_or_char(value)?;
    whole.ok_or_else(|| wrong("value out of range for int"))
}

fn kind_or_char(value: &Value) -> R<()> {
    if matches!(value, Value::Char(_)) { Ok(()) } else { kind(value).map(|_| ()) }
}

pub(crate) fn bigint(budget: &mut Budget, value: &Value) -> R<Value> {
    let whole = match value {
        Value::Double(double) => {
            // By way of its digits, as `BigDecimal.valueOf` goes.
            from_double(budget, *double)?.truncated()
        }
        Value::Str(text) => {
            budget.steps(price::bits(text.len() as u64 * 4))?;
            super::parse::whole_text(text)?
        }
        other => truncated(other)?,
    };
    made_big(budget, whole)
}

/// `BigDecimal.valueOf`: the digits that the double is written with.
fn from_double(budget: &mut Budget, double: f64) -> R<Decimal> {
    budget.steps(price::double(double))?;
    if !double.is_finite() {
        return Err(wrong("infinite or NaN"));
    }
    super::parse::decimal(&super::double::text(double))
}

pub(crate) fn bigdec(budget: &mut Budget, value: &Value) -> R<Value> {
    let decimal = match value {
        Value::Double(double) => from_double(budget, *double)?,
        Value::Str(text) => {
            budget.steps(price::bits(text.len() as u64 * 4))?;
            super::parse::decimal_text(text)?
        }
        other => {
            kind(other)?;
            super::decimal(budget, other)?
        }
    };
    made_decimal(budget, decimal)
}

/// What is neither a double nor a decimal stays as it is.
pub(crate) fn rationalize(budget: &mut Budget, value: &Value) -> R<Value> {
    match value {
        Value::Double(double) => {
            let decimal = from_double(budget, *double)?;
            decimal_ratio(budget, &decimal)
        }
        Value::Decimal(decimal) => decimal_ratio(budget, decimal),
        _ => Ok(value.clone()),
    }
}

fn decimal_ratio(budget: &mut Budget, decimal: &Decimal) -> R<Value> {
    let bits = decimal.unscaled().bits() + decimal.scale().unsigned_abs() * 10 / 3;
    budget.steps(price::lowest_terms(bits))?;
    made_ratio(budget, decimal.ratio())
}

/// `Math.round`: half up, and what is too great is the greatest.
pub(crate) fn round(double: f64) -> i64 {
    let floor = double.floor();
    let rounded = if double - floor >= 0.5 { floor + 1.0 } else { floor };
    // `as` saturates, and makes 0 of NaN, as Java does.
    rounded as i64
}

pub(crate) fn is_whole(value: &Value) -> bool {
    matches!(super::kind_of(value), Some(Kind::Long | Kind::Big))
}

/// Whether a whole number is even; none if it is no whole number.
pub(crate) fn is_even(value: &Value) -> Option<bool> {
    match value {
        Value::Long(long) => Some(long % 2 == 0),
        Value::Big(big) => Some(!big.bit(0)),
        _ => None,
    }
}
