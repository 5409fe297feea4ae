//! Arithmetic, and numbers of one kind from another.

use std::cmp::Ordering;

use crate::cx::Cx;
use crate::equal::equal;
use crate::error::{R, wrong};
use crate::function::{ANY, Builtin};
use crate::number::arithmetic::{
    Beyond, add, divide, modulus, multiply, negate, quotient, remainder, sign, subtract,
};
use crate::number::{compare, double, integer, kind};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("+", (0, ANY), |cx, args| fold(cx, args, 0, add, Beyond::Overflow)),
    Builtin::new("+'", (0, ANY), |cx, args| fold(cx, args, 0, add, Beyond::Promote)),
    Builtin::new("*", (0, ANY), |cx, args| fold(cx, args, 1, multiply, Beyond::Overflow)),
    Builtin::new("*'", (0, ANY), |cx, args| fold(cx, args, 1, multiply, Beyond::Promote)),
    Builtin::new("-", (1, ANY), |cx, args| minus(cx, args, Beyond::Overflow)),
    Builtin::new("-'", (1, ANY), |cx, args| minus(cx, args, Beyond::Promote)),
    Builtin::new("/", (1, ANY), |cx, args| match args {
        [only] => divide(&mut cx.budget, &Value::Long(1), only),
        _ => {
            let mut quotient = args[0].clone();
            for arg in &args[1..] {
                quotient = divide(&mut cx.budget, &quotient, arg)?;
            }
            Ok(quotient)
        }
    }),
    Builtin::new("inc", (1, 1), |cx, args| add(&mut cx.budget, Beyond::Overflow, &args[0], &Value::Long(1))),
    Builtin::new("inc'", (1, 1), |cx, args| add(&mut cx.budget, Beyond::Promote, &args[0], &Value::Long(1))),
    Builtin::new("dec", (1, 1), |cx, args| {
        subtract(&mut cx.budget, Beyond::Overflow, &args[0], &Value::Long(1))
    }),
    Builtin::new("dec'", (1, 1), |cx, args| {
        subtract(&mut cx.budget, Beyond::Promote, &args[0], &Value::Long(1))
    }),
    Builtin::new("quot", (2, 2), |cx, args| quotient(&mut cx.budget, &args[0], &args[1])),
    Builtin::new("rem", (2, 2), |cx, args| remainder(&mut cx.budget, &args[0], &args[1])),
    Builtin::new("mod", (2, 2), |cx, args| modulus(&mut cx.budget, &args[0], &args[1])),
    Builtin::new("max", (1, ANY), |cx, args| extreme(cx, args, Ordering::Greater)),
    Builtin::new("min", (1, ANY), |cx, args| extreme(cx, args, Ordering::Less)),
    Builtin::new("abs", (1, 1), |cx, args| match &args[0] {
        Value::Long(long) => Ok(Value::Long(long.wrapping_abs())),
        Value::Double(double) => Ok(Value::Double(double.abs())),
        other => {
            kind(other)?;
            if sign(other) < 0 { negate(&mut cx.budget, Beyond::Overflow, other) } else { Ok(other.clone()) }
        }
    }),
    Builtin::new("=", (1, ANY), |cx, args| {
        for pair in args.windows(2) {
            if !equal(cx, &pair[0], &pair[1])? {
                return Ok(Value::Bool(false));
            }
        }
        Ok(Value::Bool(true))
    }),
    Builtin::new("not=", (1, ANY), |cx, args| {
        for pair in args.windows(2) {
            if !equal(cx, &pair[0], &pair[1])? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }),
    Builtin::new("==", (1, ANY), |cx, args| chain(cx, args, |order| order == Ordering::Equal)),
    Builtin::new("<", (1, ANY), |cx, args| chain(cx, args, |order| order == Ordering::Less)),
    Builtin::new("<=", (1, ANY), |cx, args| chain(cx, args, |order| order != Ordering::Greater)),
    Builtin::new(">", (1, ANY), |cx, args| chain(cx, args, |order| order == Ordering::Greater)),
    Builtin::new(">=", (1, ANY), |cx, args| chain(cx, args, |order| order != Ordering::Less)),
    Builtin::new("zero?", (1, 1), |_, args| {
        kind(&args[0])?;
        Ok(Value::Bool(sign(&args[0]) == 0 && !is_nan(&args[0])))
    }),
    Builtin::new("pos?", (1, 1), |_, args| kind(&args[0]).map(|_| Value::Bool(sign(&args[0]) > 0))),
    Builtin::new("neg?", (1, 1), |_, args| kind(&args[0]).map(|_| Value::Bool(sign(&args[0]) < 0))),
    Builtin::new("even?", (1, 1), |_, args| even(&args[0]).map(Value::Bool)),
    Builtin::new("odd?", (1, 1), |_, args| even(&args[0]).map(|even| Value::Bool(!even))),
    Builtin::new("int", (1, 1), |_, args| integer::int(&args[0]).map(Value::Long)),
    Builtin::new("long", (1, 1), |_, args| integer::long(&args[0]).map(Value::Long)),
    Builtin::new("double", (1, 1), |_, args| kind(&args[0]).map(|_| Value::Double(double(&args[0])))),
    Builtin::new("bigint", (1, 1), |cx, args| integer::bigint(&mut cx.budget, &args[0])),
    Builtin::new("bigdec", (1, 1), |cx, args| integer::bigdec(&mut cx.budget, &args[0])),
    Builtin::new("rationalize", (1, 1), |cx, args| integer::rationalize(&mut cx.budget, &args[0])),
    Builtin::new("bit-and", (2, ANY), |_, args| bits(args, |a, b| a & b)),
    Builtin::new("bit-or", (2, ANY), |_, args| bits(args, |a, b| a | b)),
    Builtin::new("bit-xor", (2, ANY), |_, args| bits(args, |a, b| a ^ b)),
];

type Operation = fn(&mut crate::budget::Budget, Beyond, &Value, &Value) -> R<Value>;

fn fold(cx: &mut Cx<'_>, args: &[Value], none: i64, operation: Operation, beyond: Beyond) -> R<Value> {
    match args {
        [] => Ok(Value::Long(none)),
        // `cast` lets nil pass.
        [only] if only.is_nil() => Ok(Value::Nil),
        [only] => kind(only).map(|_| only.clone()),
        [first, second] => operation(&mut cx.budget, beyond, first, second),
        [first, rest @ ..] => {
            let mut result = first.clone();
            for arg in rest {
                result = operation(&mut cx.budget, beyond, &result, arg)?;
            }
            Ok(result)
        }
    }
}

fn minus(cx: &mut Cx<'_>, args: &[Value], beyond: Beyond) -> R<Value> {
    match args {
        [only] => {
            kind(only)?;
            negate(&mut cx.budget, beyond, only)
        }
        _ => fold(cx, args, 0, subtract, beyond),
    }
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Double(double) if double.is_nan())
}

fn extreme(cx: &mut Cx<'_>, args: &[Value], wanted: Ordering) -> R<Value> {
    let mut best = args[0].clone();
    for arg in &args[1..] {
        let order = compare::order(&mut cx.budget, &best, arg)?;
        // Of two that are equal it is the second.
        if is_nan(&best) || (order == Some(wanted)) {
            continue;
        }
        best = arg.clone();
    }
    Ok(best)
}

fn chain(cx: &mut Cx<'_>, args: &[Value], holds: fn(Ordering) -> bool) -> R<Value> {
    for pair in args.windows(2) {
        if !compare::order(&mut cx.budget, &pair[0], &pair[1])?.is_some_and(holds) {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

fn even(value: &Value) -> R<bool> {
    integer::is_even(value)
        .ok_or_else(|| wrong(format!("a whole number is needed here, and this is {}", value.kind_name())))
}

fn bits(args: &[Value], operation: fn(i64, i64) -> i64) -> R<Value> {
    let mut longs = Vec::with_capacity(args.len());
    for arg in args {
        match arg {
            Value::Long(long) => longs.push(*long),
            Value::Big(_) => return Err(wrong("a whole number of 64 bits is needed here")),
            other => {
                return Err(wrong(format!(
                    "a whole number is needed here, and this is {}",
                    other.kind_name()
                )));
            }
        }
    }
    Ok(longs.into_iter().reduce(operation).map_or(Value::Nil, Value::Long))
}
