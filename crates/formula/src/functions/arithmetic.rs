//! Arithmetic and comparison of numbers, and conversions between their kinds.

use std::cmp::Ordering;

use crate::budget::Budget;
use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::equality::equal;
use crate::value::function::{ANY_COUNT, Builtin};
use crate::value::number::arithmetic::{
    OnOverflow, add, divide, modulus, multiply, negate, quotient, remainder, sign, subtract,
};
use crate::value::number::{comparison, conversion, require_number, to_double};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("+", (0, ANY_COUNT), |ctx, args| fold(ctx, args, 0, add, OnOverflow::Fail)),
    Builtin::new("+'", (0, ANY_COUNT), |ctx, args| fold(ctx, args, 0, add, OnOverflow::Promote)),
    Builtin::new("*", (0, ANY_COUNT), |ctx, args| fold(ctx, args, 1, multiply, OnOverflow::Fail)),
    Builtin::new("*'", (0, ANY_COUNT), |ctx, args| fold(ctx, args, 1, multiply, OnOverflow::Promote)),
    Builtin::new("-", (1, ANY_COUNT), |ctx, args| minus(ctx, args, OnOverflow::Fail)),
    Builtin::new("-'", (1, ANY_COUNT), |ctx, args| minus(ctx, args, OnOverflow::Promote)),
    Builtin::new("/", (1, ANY_COUNT), |ctx, args| match args {
        [only] => divide(&mut ctx.budget, &Value::Long(1), only),
        _ => {
            let mut quotient = args[0].clone();
            for arg in &args[1..] {
                quotient = divide(&mut ctx.budget, &quotient, arg)?;
            }
            Ok(quotient)
        }
    }),
    Builtin::new("inc", (1, 1), |ctx, args| {
        add(&mut ctx.budget, OnOverflow::Fail, &args[0], &Value::Long(1))
    }),
    Builtin::new("inc'", (1, 1), |ctx, args| {
        add(&mut ctx.budget, OnOverflow::Promote, &args[0], &Value::Long(1))
    }),
    Builtin::new("dec", (1, 1), |ctx, args| {
        subtract(&mut ctx.budget, OnOverflow::Fail, &args[0], &Value::Long(1))
    }),
    Builtin::new("dec'", (1, 1), |ctx, args| {
        subtract(&mut ctx.budget, OnOverflow::Promote, &args[0], &Value::Long(1))
    }),
    Builtin::new("quot", (2, 2), |ctx, args| quotient(&mut ctx.budget, &args[0], &args[1])),
    Builtin::new("rem", (2, 2), |ctx, args| remainder(&mut ctx.budget, &args[0], &args[1])),
    Builtin::new("mod", (2, 2), |ctx, args| modulus(&mut ctx.budget, &args[0], &args[1])),
    Builtin::new("max", (1, ANY_COUNT), |ctx, args| extreme(ctx, args, Ordering::Greater)),
    Builtin::new("min", (1, ANY_COUNT), |ctx, args| extreme(ctx, args, Ordering::Less)),
    Builtin::new("abs", (1, 1), |ctx, args| match &args[0] {
        Value::Long(long) => Ok(Value::Long(long.wrapping_abs())),
        Value::Double(double) => Ok(Value::Double(double.abs())),
        other => {
            require_number(other)?;
            if sign(other) < 0 { negate(&mut ctx.budget, OnOverflow::Fail, other) } else { Ok(other.clone()) }
        }
    }),
    Builtin::new("=", (1, ANY_COUNT), |ctx, args| {
        for pair in args.windows(2) {
            if !equal(ctx, &pair[0], &pair[1])? {
                return Ok(Value::Bool(false));
            }
        }
        Ok(Value::Bool(true))
    }),
    Builtin::new("not=", (1, ANY_COUNT), |ctx, args| {
        for pair in args.windows(2) {
            if !equal(ctx, &pair[0], &pair[1])? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }),
    Builtin::new("==", (1, ANY_COUNT), |ctx, args| {
        compare_chain(ctx, args, |order| order == Ordering::Equal)
    }),
    Builtin::new("<", (1, ANY_COUNT), |ctx, args| compare_chain(ctx, args, |order| order == Ordering::Less)),
    Builtin::new("<=", (1, ANY_COUNT), |ctx, args| {
        compare_chain(ctx, args, |order| order != Ordering::Greater)
    }),
    Builtin::new(">", (1, ANY_COUNT), |ctx, args| {
        compare_chain(ctx, args, |order| order == Ordering::Greater)
    }),
    Builtin::new(">=", (1, ANY_COUNT), |ctx, args| compare_chain(ctx, args, |order| order != Ordering::Less)),
    Builtin::new("zero?", (1, 1), |_, args| {
        require_number(&args[0])?;
        Ok(Value::Bool(sign(&args[0]) == 0 && !is_nan(&args[0])))
    }),
    Builtin::new("pos?", (1, 1), |_, args| require_number(&args[0]).map(|_| Value::Bool(sign(&args[0]) > 0))),
    Builtin::new("neg?", (1, 1), |_, args| require_number(&args[0]).map(|_| Value::Bool(sign(&args[0]) < 0))),
    Builtin::new("even?", (1, 1), |_, args| is_even(&args[0]).map(Value::Bool)),
    Builtin::new("odd?", (1, 1), |_, args| is_even(&args[0]).map(|even| Value::Bool(!even))),
    Builtin::new("int", (1, 1), |_, args| conversion::int(&args[0]).map(Value::Long)),
    Builtin::new("long", (1, 1), |_, args| conversion::long(&args[0]).map(Value::Long)),
    Builtin::new("double", (1, 1), |_, args| {
        require_number(&args[0]).map(|_| Value::Double(to_double(&args[0])))
    }),
    Builtin::new("bigint", (1, 1), |ctx, args| conversion::bigint(&mut ctx.budget, &args[0])),
    Builtin::new("bigdec", (1, 1), |ctx, args| conversion::bigdec(&mut ctx.budget, &args[0])),
    Builtin::new("rationalize", (1, 1), |ctx, args| conversion::rationalize(&mut ctx.budget, &args[0])),
    Builtin::new("bit-and", (2, ANY_COUNT), |_, args| bitwise(args, |a, b| a & b)),
    Builtin::new("bit-or", (2, ANY_COUNT), |_, args| bitwise(args, |a, b| a | b)),
    Builtin::new("bit-xor", (2, ANY_COUNT), |_, args| bitwise(args, |a, b| a ^ b)),
];

type Operation = fn(&mut Budget, OnOverflow, &Value, &Value) -> Result<Value>;

/// The operation over all arguments in turn; `identity` without any.
fn fold(
    ctx: &mut EvaluationContext<'_>,
    args: &[Value],
    identity: i64,
    operation: Operation,
    on_overflow: OnOverflow,
) -> Result<Value> {
    match args {
        [] => Ok(Value::Long(identity)),
        // Clojure casts it to a number, and nil passes the cast.
        [only] if only.is_nil() => Ok(Value::Nil),
        [only] => require_number(only).map(|_| only.clone()),
        [first, second] => operation(&mut ctx.budget, on_overflow, first, second),
        [first, rest @ ..] => {
            let mut result = first.clone();
            for arg in rest {
                result = operation(&mut ctx.budget, on_overflow, &result, arg)?;
            }
            Ok(result)
        }
    }
}

fn minus(ctx: &mut EvaluationContext<'_>, args: &[Value], on_overflow: OnOverflow) -> Result<Value> {
    match args {
        [only] => {
            require_number(only)?;
            negate(&mut ctx.budget, on_overflow, only)
        }
        _ => fold(ctx, args, 0, subtract, on_overflow),
    }
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Double(double) if double.is_nan())
}

/// The greatest or the least argument, as `wanted` says.
fn extreme(ctx: &mut EvaluationContext<'_>, args: &[Value], wanted: Ordering) -> Result<Value> {
    let mut best = args[0].clone();
    for arg in &args[1..] {
        let order = comparison::order(&mut ctx.budget, &best, arg)?;
        // Of two equal numbers the second counts.
        if is_nan(&best) || (order == Some(wanted)) {
            continue;
        }
        best = arg.clone();
    }
    Ok(best)
}

/// Whether the order of each argument and the next is as required.
fn compare_chain(
    ctx: &mut EvaluationContext<'_>,
    args: &[Value],
    holds: fn(Ordering) -> bool,
) -> Result<Value> {
    for pair in args.windows(2) {
        if !comparison::order(&mut ctx.budget, &pair[0], &pair[1])?.is_some_and(holds) {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

fn is_even(value: &Value) -> Result<bool> {
    conversion::is_even(value)
        .ok_or_else(|| invalid(format!("a whole number is needed here, and this is {}", value.type_name())))
}

fn bitwise(args: &[Value], operation: fn(i64, i64) -> i64) -> Result<Value> {
    let mut longs = Vec::with_capacity(args.len());
    for arg in args {
        match arg {
            Value::Long(long) => longs.push(*long),
            Value::BigInt(_) => return Err(invalid("a whole number of 64 bits is needed here")),
            other => {
                return Err(invalid(format!(
                    "a whole number is needed here, and this is {}",
                    other.type_name()
                )));
            }
        }
    }
    Ok(longs.into_iter().reduce(operation).map_or(Value::Nil, Value::Long))
}
