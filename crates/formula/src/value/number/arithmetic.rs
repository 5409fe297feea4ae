//! Arithmetic: addition, subtraction, multiplication and the divisions (`/`, `quot`, `rem`, `mod`).
//!
//! Steps and memory are taken by the size of the numbers. Longs that overflow fail or become big integers, as
//! [`OnOverflow`] says.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};

use super::{
    NumberKind, big_int_value, common_number_kind, decimal_value, ratio_value, to_big_int, to_decimal,
    to_double, to_ratio,
};
use crate::budget::Budget;
use crate::cost;
use crate::error::{Failure, Result, invalid, unsupported};
use crate::value::Value;

fn overflow() -> Failure {
    invalid("integer overflow: use `+'`, `-'`, `*'` or an `N` number")
}

fn division_by_zero() -> Failure {
    invalid("divide by zero")
}

/// What an operation on longs does whose result is beyond 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnOverflow {
    /// It fails, as `+` does.
    Fail,
    /// It gives a big integer, as `+'` does.
    Promote,
}

macro_rules! operation {
    ($name:ident, $checked:ident, $operator:tt, $bits:expr) => {
        pub(crate) fn $name(budget: &mut Budget, on_overflow: OnOverflow, a: &Value, b: &Value) -> Result<Value> {
            if let (Value::Long(a), Value::Long(b)) = (a, b) {
                return match (a.$checked(*b), on_overflow) {
                    (Some(long), _) => Ok(Value::Long(long)),
                    (None, OnOverflow::Fail) => Err(overflow()),
                    (None, OnOverflow::Promote) => big_int_value(budget, BigInt::from(*a) $operator BigInt::from(*b)),
                };
            }
            let bits: fn(u64, u64) -> u64 = $bits;
            match common_number_kind(a, b)? {
                NumberKind::Double => Ok(Value::Double(to_double(a) $operator to_double(b))),
                NumberKind::Decimal => {
                    let (a, b) = (to_decimal(budget, a)?, to_decimal(budget, b)?);
                    budget.take_number(bits(a.unscaled().bits(), b.unscaled().bits()))?;
                    decimal_value(budget, a.$name(&b)?)
                }
                NumberKind::Ratio => {
                    let (a, b) = (to_ratio(a), to_ratio(b));
                    let bits = a.numer().bits().max(b.numer().bits()) + a.denom().bits().max(b.denom().bits());
                    budget.take_number(bits)?;
                    budget.take_steps(cost::lowest_terms(bits))?;
                    ratio_value(budget, a $operator b)
                }
                NumberKind::BigInt | NumberKind::Long => {
                    let (a, b) = (to_big_int(a), to_big_int(b));
                    budget.take_number(bits(a.bits(), b.bits()))?;
                    big_int_value(budget, a $operator b)
                }
            }
        }
    };
}

operation!(add, checked_add, +, |a, b| a.max(b));
operation!(subtract, checked_sub, -, |a, b| a.max(b));
operation!(multiply, checked_mul, *, |a, b| a + b);

pub(crate) fn divide(budget: &mut Budget, a: &Value, b: &Value) -> Result<Value> {
    match common_number_kind(a, b)? {
        NumberKind::Double => {
            let (numerator, denominator) = (to_double(a), to_double(b));
            if denominator == 0.0 && !numerator.is_nan() {
                return Err(unsupported(
                    "dividing by zero with a double: Clojure's answer depends on how it was compiled",
                ));
            }
            Ok(Value::Double(numerator / denominator))
        }
        NumberKind::Decimal => {
            let (a, b) = (to_decimal(budget, a)?, to_decimal(budget, b)?);
            let quotient = a.divide(&b, budget)?;
            decimal_value(budget, quotient)
        }
        kind => {
            let (numerator, denominator) = (to_ratio(a), to_ratio(b));
            if denominator.is_zero() {
                return Err(division_by_zero());
            }
            let max_bits = |ratio: &BigRational| ratio.numer().bits().max(ratio.denom().bits());
            budget.take_steps(cost::lowest_terms(max_bits(&numerator) + max_bits(&denominator)))?;
            let quotient = numerator / denominator;
            match quotient.numer().to_i64().filter(|_| kind == NumberKind::Long && quotient.is_integer()) {
                Some(long) => Ok(Value::Long(long)),
                None => ratio_value(budget, quotient),
            }
        }
    }
}

pub(crate) fn quotient(budget: &mut Budget, a: &Value, b: &Value) -> Result<Value> {
    match common_number_kind(a, b)? {
        NumberKind::Double => double_quotient(to_double(a), to_double(b)).map(Value::Double),
        NumberKind::Decimal => {
            let (a, b) = (to_decimal(budget, a)?, to_decimal(budget, b)?);
            let quotient = a.quotient(&b, budget)?;
            decimal_value(budget, quotient)
        }
        NumberKind::Ratio => {
            let (numerator, denominator) = (to_ratio(a), to_ratio(b));
            if denominator.is_zero() {
                return Err(division_by_zero());
            }
            big_int_value(budget, (numerator / denominator).to_integer())
        }
        NumberKind::BigInt => {
            let denominator = to_big_int(b);
            if denominator.is_zero() {
                return Err(division_by_zero());
            }
            big_int_value(budget, to_big_int(a) / denominator)
        }
        NumberKind::Long => match (a, b) {
            (Value::Long(_), Value::Long(0)) => Err(division_by_zero()),
            (Value::Long(a), Value::Long(b)) => Ok(Value::Long(a.wrapping_div(*b))),
            _ => Err(division_by_zero()),
        },
    }
}

fn double_quotient(numerator: f64, denominator: f64) -> Result<f64> {
    if denominator == 0.0 {
        return Err(division_by_zero());
    }
    let quotient = numerator / denominator;
    if quotient.is_finite() { Ok(quotient.trunc() + 0.0) } else { Err(invalid("infinite or NaN")) }
}

pub(crate) fn remainder(budget: &mut Budget, a: &Value, b: &Value) -> Result<Value> {
    match common_number_kind(a, b)? {
        NumberKind::Double => {
            let (numerator, denominator) = (to_double(a), to_double(b));
            Ok(Value::Double(numerator - double_quotient(numerator, denominator)? * denominator))
        }
        NumberKind::Decimal => {
            let (a, b) = (to_decimal(budget, a)?, to_decimal(budget, b)?);
            let whole = a.quotient(&b, budget)?;
            decimal_value(budget, a.subtract(&whole.multiply(&b)?)?)
        }
        NumberKind::Ratio => {
            let whole = quotient(budget, a, b)?;
            let whole = multiply(budget, OnOverflow::Fail, &whole, b)?;
            subtract(budget, OnOverflow::Fail, a, &whole)
        }
        NumberKind::BigInt => {
            let denominator = to_big_int(b);
            if denominator.is_zero() {
                return Err(division_by_zero());
            }
            big_int_value(budget, to_big_int(a) % denominator)
        }
        NumberKind::Long => match (a, b) {
            (Value::Long(a), Value::Long(b)) if *b != 0 => Ok(Value::Long(a.wrapping_rem(*b))),
            _ => Err(division_by_zero()),
        },
    }
}

/// `mod`: its result has the sign of the divisor.
pub(crate) fn modulus(budget: &mut Budget, a: &Value, b: &Value) -> Result<Value> {
    let rest = remainder(budget, a, b)?;
    if sign(&rest) == 0 || (sign(a) > 0) == (sign(b) > 0) {
        return Ok(rest);
    }
    add(budget, OnOverflow::Fail, &rest, b)
}

/// -1, 0 or 1. It is 0 for NaN, and for a value that is no number.
pub(crate) fn sign(value: &Value) -> i32 {
    let big_sign = |big: &BigInt| match big.sign() {
        num_bigint::Sign::Minus => -1,
        num_bigint::Sign::NoSign => 0,
        num_bigint::Sign::Plus => 1,
    };
    match value {
        Value::Long(long) => long.signum() as i32,
        Value::Double(double) => i32::from(*double > 0.0) - i32::from(*double < 0.0),
        Value::BigInt(big) => big_sign(big),
        Value::Ratio(ratio) => big_sign(ratio.numer()),
        Value::Decimal(decimal) => big_sign(decimal.unscaled()),
        _ => 0,
    }
}

pub(crate) fn negate(budget: &mut Budget, on_overflow: OnOverflow, value: &Value) -> Result<Value> {
    match value {
        // 0.0 - x would not do: the negative of 0.0 is -0.0.
        Value::Double(double) => Ok(Value::Double(-double)),
        other => subtract(budget, on_overflow, &Value::Long(0), other),
    }
}
