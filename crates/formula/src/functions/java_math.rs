//! The few of Java's functions that formulas use.
//!
//! What is called with a long where Java has methods for several kinds of numbers but that one is an error,
//! as in Clojure; `clojure.math` takes any number.

use crate::error::{R, wrong};
use crate::function::Builtin;
use crate::number::{double, integer, kind};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("Math/round", (1, 1), |_, args| match &args[0] {
        Value::Double(double) => Ok(Value::Long(integer::round(*double))),
        other => {
            kind(other)?;
            Err(wrong(format!("`Math/round` takes a double, and this is {}: use `round`", other.kind_name())))
        }
    }),
    // Our own: rounds any number, as `clojure.math/round` does.
    Builtin::new("round", (1, 1), |_, args| any(&args[0]).map(|double| Value::Long(integer::round(double)))),
    Builtin::new("math/round", (1, 1), |_, args| {
        any(&args[0]).map(|double| Value::Long(integer::round(double)))
    }),
    Builtin::new("Math/abs", (1, 1), |_, args| match &args[0] {
        Value::Long(long) => Ok(Value::Long(long.wrapping_abs())),
        Value::Double(double) => Ok(Value::Double(double.abs())),
        other => Err(wrong(format!(
            "`Math/abs` takes a long or double, and this is {}: use `abs`",
            other.kind_name()
        ))),
    }),
    Builtin::new("Math/floor", (1, 1), |_, args| any(&args[0]).map(|double| Value::Double(double.floor()))),
    Builtin::new("Math/ceil", (1, 1), |_, args| any(&args[0]).map(|double| Value::Double(double.ceil()))),
    Builtin::new("Math/sqrt", (1, 1), |_, args| any(&args[0]).map(|double| Value::Double(double.sqrt()))),
    Builtin::new("math/floor", (1, 1), |_, args| any(&args[0]).map(|double| Value::Double(double.floor()))),
    Builtin::new("math/ceil", (1, 1), |_, args| any(&args[0]).map(|double| Value::Double(double.ceil()))),
    Builtin::new("math/sqrt", (1, 1), |_, args| any(&args[0]).map(|double| Value::Double(double.sqrt()))),
    Builtin::new("Math/max", (2, 2), |_, args| {
        same(args, i64::max, |a, b| if a.is_nan() { a } else { greater(a, b) })
    }),
    Builtin::new("Math/min", (2, 2), |_, args| same(args, i64::min, |a, b| -greater(-a, -b))),
];

fn any(value: &Value) -> R<f64> {
    kind(value).map(|_| double(value))
}

/// Java's `max`: NaN before all, and 0.0 before -0.0.
fn greater(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == b {
        if a.is_sign_negative() { b } else { a }
    } else {
        a.max(b)
    }
}

fn same(args: &[Value], longs: fn(i64, i64) -> i64, doubles: fn(f64, f64) -> f64) -> R<Value> {
    match args {
        [Value::Long(a), Value::Long(b)] => Ok(Value::Long(longs(*a, *b))),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(doubles(*a, *b))),
        _ => Err(wrong("`Math/max` and `Math/min` take two longs or two doubles: use `max` and `min`")),
    }
}
