//! Conversions of numbers: `int`, `long`, `bigint`, `bigdec`, `rationalize`, and what counts items.

use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;

use super::{
    NumberKind, big_int_value, decimal_value, number_kind, ratio_value, require_number, to_big_int,
    to_decimal,
};
use crate::budget::Budget;
use crate::cost;
use crate::decimal::Decimal;
use crate::decimal::text::{parse_big_int, parse_checked_decimal, parse_decimal};
use crate::double;
use crate::error::{Failure, Result, invalid, unsupported};
use crate::value::Value;

fn out_of_range() -> Failure {
    invalid("value out of range for a whole number of 64 bits")
}

/// `long`: the whole part of a number, or the code of a character.
pub(crate) fn long(value: &Value) -> Result<i64> {
    match value {
        Value::Long(long) => Ok(*long),
        Value::Char(char) => Ok(i64::from(u32::from(*char))),
        // By way of a double, as Java does.
        Value::Decimal(decimal) => self::long(&Value::Double(decimal.to_double())),
        Value::Double(double) => {
            // 2^63 as a double is one more than the greatest long, and Java converts it to the greatest long.
            // NaN is neither below nor above the bounds: Java converts it to 0.
            if *double < -9_223_372_036_854_775_808.0 || *double > 9_223_372_036_854_775_807.0 {
                Err(out_of_range())
            } else {
                Ok(*double as i64)
            }
        }
        other => whole_part(other)?.to_i64().ok_or_else(out_of_range),
    }
}

/// A number as a count of items, as `take` and `drop` count: they decrement it until nothing is left, so 2.5 is three.
pub(crate) fn item_count(value: &Value) -> Result<usize> {
    require_number(value)?;
    let rounded = match value {
        Value::Double(double) => return Ok(double.ceil() as usize),
        Value::Ratio(ratio) => ratio.ceil().to_integer(),
        Value::Decimal(decimal) => decimal.to_ratio().ceil().to_integer(),
        other => to_big_int(other),
    };
    Ok(if rounded.sign() == Sign::Minus { 0 } else { rounded.to_usize().unwrap_or(usize::MAX) })
}

/// The whole part of any number but a double.
fn whole_part(value: &Value) -> Result<BigInt> {
    Ok(match value {
        Value::Ratio(ratio) => ratio.to_integer(),
        Value::Decimal(decimal) => decimal.to_integer(),
        other => {
            require_number(other)?;
            to_big_int(other)
        }
    })
}

/// `int`: a long that fits into 32 bits.
pub(crate) fn int(value: &Value) -> Result<i64> {
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
    require_number_or_char(value)?;
    whole.ok_or_else(|| invalid("value out of range for int"))
}

fn require_number_or_char(value: &Value) -> Result<()> {
    if matches!(value, Value::Char(_)) { Ok(()) } else { require_number(value).map(|_| ()) }
}

/// `bigint` of a number or string.
pub(crate) fn bigint(budget: &mut Budget, value: &Value) -> Result<Value> {
    let whole = match value {
        Value::Double(double) => double_to_decimal(budget, *double)?.to_integer(),
        Value::Str(text) => {
            budget.take_steps(cost::multiply(text.len() as u64 * 4))?;
            parse_big_int(text)?
        }
        other => whole_part(other)?,
    };
    big_int_value(budget, whole)
}

/// `BigDecimal.valueOf(double)`: a decimal of the digits that the double is printed with.
fn double_to_decimal(budget: &mut Budget, double: f64) -> Result<Decimal> {
    budget.take_steps(cost::double_digits(double))?;
    if !double.is_finite() {
        return Err(invalid("infinite or NaN"));
    }
    parse_checked_decimal(&double::to_java_string(double))
}

/// `bigdec` of a number or string.
pub(crate) fn bigdec(budget: &mut Budget, value: &Value) -> Result<Value> {
    let decimal = match value {
        Value::Double(double) => double_to_decimal(budget, *double)?,
        Value::Str(text) => {
            budget.take_steps(cost::multiply(text.len() as u64 * 4))?;
            parse_decimal(text)?
        }
        other => {
            require_number(other)?;
            to_decimal(budget, other)?
        }
    };
    decimal_value(budget, decimal)
}

/// `rationalize`: a double or decimal as a ratio; any other value stays as it is.
pub(crate) fn rationalize(budget: &mut Budget, value: &Value) -> Result<Value> {
    match value {
        Value::Double(double) => {
            let decimal = double_to_decimal(budget, *double)?;
            decimal_to_ratio(budget, &decimal)
        }
        Value::Decimal(decimal) => decimal_to_ratio(budget, decimal),
        _ => Ok(value.clone()),
    }
}

fn decimal_to_ratio(budget: &mut Budget, decimal: &Decimal) -> Result<Value> {
    budget.take_steps(cost::lowest_terms(decimal.expanded_bits()))?;
    ratio_value(budget, decimal.to_ratio())
}

/// `Math.round`: halves up; beyond the longs it is the nearest long.
pub(crate) fn round(double: f64) -> i64 {
    let floor = double.floor();
    let rounded = if double - floor >= 0.5 { floor + 1.0 } else { floor };
    // `as` saturates, and converts NaN to 0, as Java does.
    rounded as i64
}

/// Whether it is a long or a big integer.
pub(crate) fn is_whole_number(value: &Value) -> bool {
    matches!(number_kind(value), Some(NumberKind::Long | NumberKind::BigInt))
}

/// Whether a whole number is even; none of any other value.
pub(crate) fn is_even(value: &Value) -> Option<bool> {
    match value {
        Value::Long(long) => Some(long % 2 == 0),
        Value::BigInt(big) => Some(!big.bit(0)),
        _ => None,
    }
}
