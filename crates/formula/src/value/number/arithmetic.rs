//! `+`, `-`, `*`, `/`, `quot`, `rem` and `mod`.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};

use super::{Kind, big, check_bits, decimal, double, kinds, made_big, made_decimal, made_ratio, ratio};
use crate::budget::Budget;
use crate::error::{Fail, R, unsupported, wrong};
use crate::price;
use crate::value::Value;

pub(crate) fn overflow() -> Fail {
    wrong("integer overflow: use `+'`, `-'`, `*'` or an `N` number")
}

fn by_zero() -> Fail {
    wrong("divide by zero")
}

/// What becomes of whole numbers beyond 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// An error, as of `+`.
    Overflow,
    /// A big integer, as of `+'`.
    Promote,
}

macro_rules! operation {
    ($name:ident, $checked:ident, $operator:tt, $bits:expr) => {
        pub(crate) fn $name(budget: &mut Budget, beyond: Beyond, a: &Value, b: &Value) -> R<Value> {
            if let (Value::Long(a), Value::Long(b)) = (a, b) {
                return match (a.$checked(*b), beyond) {
                    (Some(long), _) => Ok(Value::Long(long)),
                    (None, Beyond::Overflow) => Err(overflow()),
                    (None, Beyond::Promote) => made_big(budget, BigInt::from(*a) $operator BigInt::from(*b)),
                };
            }
            let bits: fn(u64, u64) -> u64 = $bits;
            match kinds(a, b)? {
                Kind::Double => Ok(Value::Double(double(a) $operator double(b))),
                Kind::Decimal => {
                    let (a, b) = (decimal(budget, a)?, decimal(budget, b)?);
                    check_bits(budget, bits(a.unscaled().bits(), b.unscaled().bits()))?;
                    made_decimal(budget, a.$name(&b)?)
                }
                Kind::Ratio => {
                    let (a, b) = (ratio(a), ratio(b));
                    let bits = a.numer().bits().max(b.numer().bits()) + a.denom().bits().max(b.denom().bits());
                    check_bits(budget, bits)?;
                    budget.steps(price::lowest_terms(bits))?;
                    made_ratio(budget, a $operator b)
                }
                Kind::Big | Kind::Long => {
                    let (a, b) = (big(a), big(b));
                    check_bits(budget, bits(a.bits(), b.bits()))?;
                    made_big(budget, a $operator b)
                }
            }
        }
    };
}

operation!(add, checked_add, +, |a, b| a.max(b));
operation!(subtract, checked_sub, -, |a, b| a.max(b));
operation!(multiply, checked_mul, *, |a, b| a + b);

pub(crate) fn divide(budget: &mut Budget, a: &Value, b: &Value) -> R<Value> {
    match kinds(a, b)? {
        Kind::Double => {
            let (over, under) = (double(a), double(b));
            if under == 0.0 && !over.is_nan() {
                return Err(unsupported(
                    "dividing by zero with a double: Clojure's answer depends on how it was compiled",
                ));
            }
            Ok(Value::Double(over / under))
        }
        Kind::Decimal => {
            let (a, b) = (decimal(budget, a)?, decimal(budget, b)?);
            let quotient = a.divide(&b, budget)?;
            made_decimal(budget, quotient)
        }
        kind => {
            let (over, under) = (ratio(a), ratio(b));
            if under.is_zero() {
                return Err(by_zero());
            }
            let greatest = |ratio: &BigRational| ratio.numer().bits().max(ratio.denom().bits());
            budget.steps(price::lowest_terms(greatest(&over) + greatest(&under)))?;
            let quotient = over / under;
            match quotient.numer().to_i64().filter(|_| kind == Kind::Long && quotient.is_integer()) {
                Some(long) => Ok(Value::Long(long)),
                None => made_ratio(budget, quotient),
            }
        }
    }
}

pub(crate) fn quotient(budget: &mut Budget, a: &Value, b: &Value) -> R<Value> {
    match kinds(a, b)? {
        Kind::Double => double_quotient(double(a), double(b)).map(Value::Double),
        Kind::Decimal => {
            let (a, b) = (decimal(budget, a)?, decimal(budget, b)?);
            let quotient = a.quotient(&b, budget)?;
            made_decimal(budget, quotient)
        }
        Kind::Ratio => {
            let (over, under) = (ratio(a), ratio(b));
            if under.is_zero() {
                return Err(by_zero());
            }
            made_big(budget, (over / under).to_integer())
        }
        Kind::Big => {
            let under = big(b);
            if under.is_zero() {
                return Err(by_zero());
            }
            made_big(budget, big(a) / under)
        }
        Kind::Long => match (a, b) {
            (Value::Long(_), Value::Long(0)) => Err(by_zero()),
            (Value::Long(a), Value::Long(b)) => Ok(Value::Long(a.wrapping_div(*b))),
            _ => Err(by_zero()),
        },
    }
}

fn double_quotient(over: f64, under: f64) -> R<f64> {
    if under == 0.0 {
        return Err(by_zero());
    }
    let quotient = over / under;
    if quotient.is_finite() { Ok(quotient.trunc() + 0.0) } else { Err(wrong("infinite or NaN")) }
}

pub(crate) fn remainder(budget: &mut Budget, a: &Value, b: &Value) -> R<Value> {
    match kinds(a, b)? {
        Kind::Double => {
            let (over, under) = (double(a), double(b));
            Ok(Value::Double(over - double_quotient(over, under)? * under))
        }
        Kind::Decimal => {
            let (a, b) = (decimal(budget, a)?, decimal(budget, b)?);
            let whole = a.quotient(&b, budget)?;
            made_decimal(budget, a.subtract(&whole.multiply(&b)?)?)
        }
        Kind::Ratio => {
            let whole = quotient(budget, a, b)?;
            let whole = multiply(budget, Beyond::Overflow, &whole, b)?;
            subtract(budget, Beyond::Overflow, a, &whole)
        }
        Kind::Big => {
            let under = big(b);
            if under.is_zero() {
                return Err(by_zero());
            }
            made_big(budget, big(a) % under)
        }
        Kind::Long => match (a, b) {
            (Value::Long(a), Value::Long(b)) if *b != 0 => Ok(Value::Long(a.wrapping_rem(*b))),
            _ => Err(by_zero()),
        },
    }
}

/// As `clojure.core/mod`: it has the sign of the divisor.
pub(crate) fn modulus(budget: &mut Budget, a: &Value, b: &Value) -> R<Value> {
    let rest = remainder(budget, a, b)?;
    if sign(&rest) == 0 || (sign(a) > 0) == (sign(b) > 0) {
        return Ok(rest);
    }
    add(budget, Beyond::Overflow, &rest, b)
}

/// -1, 0 or 1; 0 for what is not a number.
pub(crate) fn sign(value: &Value) -> i32 {
    let big_sign = |big: &BigInt| match big.sign() {
        num_bigint::Sign::Minus => -1,
        num_bigint::Sign::NoSign => 0,
        num_bigint::Sign::Plus => 1,
    };
    match value {
        Value::Long(long) => long.signum() as i32,
        Value::Double(double) => i32::from(*double > 0.0) - i32::from(*double < 0.0),
        Value::Big(big) => big_sign(big),
        Value::Ratio(ratio) => big_sign(ratio.numer()),
        Value::Decimal(decimal) => big_sign(decimal.unscaled()),
        _ => 0,
    }
}

pub(crate) fn negate(budget: &mut Budget, beyond: Beyond, value: &Value) -> R<Value> {
    match value {
        // Not 0.0 - x: the negative of 0.0 is -0.0.
        Value::Double(double) => Ok(Value::Double(-double)),
        other => subtract(budget, beyond, &Value::Long(0), other),
    }
}
