//! Rounding and other functions of Java's `Math` and of `clojure.math`.
//!
//! Where Java has methods for some kinds of numbers, a call with another kind is an error, as in Clojure. `clojure.math`
//! takes any number.

use crate::error::{Result, invalid};
use crate::value::Value;
use crate::value::function::Builtin;
use crate::value::number::{conversion, require_number, to_double};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("Math/round", (1, 1), |_, args| match &args[0] {
        Value::Double(double) => Ok(Value::Long(conversion::round(*double))),
        other => {
            require_number(other)?;
            Err(invalid(format!(
                "`Math/round` takes a double, and this is {}: use `round`",
                other.type_name()
            )))
        }
    }),
    // Clojure has no `round` of its own: it is `clojure.math/round`.
    Builtin::new("round", (1, 1), |_, args| {
        number_to_double(&args[0]).map(|double| Value::Long(conversion::round(double)))
    }),
    Builtin::new("math/round", (1, 1), |_, args| {
        number_to_double(&args[0]).map(|double| Value::Long(conversion::round(double)))
    }),
    Builtin::new("Math/abs", (1, 1), |_, args| match &args[0] {
        Value::Long(long) => Ok(Value::Long(long.wrapping_abs())),
        Value::Double(double) => Ok(Value::Double(double.abs())),
        other => Err(invalid(format!(
            "`Math/abs` takes a long or double, and this is {}: use `abs`",
            other.type_name()
        ))),
    }),
    Builtin::new("Math/floor", (1, 1), |_, args| {
        number_to_double(&args[0]).map(|double| Value::Double(double.floor()))
    }),
    Builtin::new("Math/ceil", (1, 1), |_, args| {
        number_to_double(&args[0]).map(|double| Value::Double(double.ceil()))
    }),
    Builtin::new("Math/sqrt", (1, 1), |_, args| {
        number_to_double(&args[0]).map(|double| Value::Double(double.sqrt()))
    }),
    Builtin::new("math/floor", (1, 1), |_, args| {
        number_to_double(&args[0]).map(|double| Value::Double(double.floor()))
    }),
    Builtin::new("math/ceil", (1, 1), |_, args| {
        number_to_double(&args[0]).map(|double| Value::Double(double.ceil()))
    }),
    Builtin::new("math/sqrt", (1, 1), |_, args| {
        number_to_double(&args[0]).map(|double| Value::Double(double.sqrt()))
    }),
    Builtin::new("Math/max", (2, 2), |_, args| {
        of_same_kind(args, i64::max, |a, b| if a.is_nan() { a } else { max_double(a, b) })
    }),
    Builtin::new("Math/min", (2, 2), |_, args| of_same_kind(args, i64::min, |a, b| -max_double(-a, -b))),
];

/// Any number as a double; an error for any other value.
fn number_to_double(value: &Value) -> Result<f64> {
    require_number(value).map(|_| to_double(value))
}

/// `Math.max`: NaN if one is NaN, and 0.0 is greater than -0.0.
fn max_double(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == b {
        if a.is_sign_negative() { b } else { a }
    } else {
        a.max(b)
    }
}

/// An operation on two longs or two doubles; an error for other pairs.
fn of_same_kind(args: &[Value], longs: fn(i64, i64) -> i64, doubles: fn(f64, f64) -> f64) -> Result<Value> {
    match args {
        [Value::Long(a), Value::Long(b)] => Ok(Value::Long(longs(*a, *b))),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(doubles(*a, *b))),
        _ => Err(invalid("`Math/max` and `Math/min` take two longs or two doubles: use `max` and `min`")),
    }
}
