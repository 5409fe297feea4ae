//! Sets: what makes them, and `clojure.set`.

use std::rc::Rc;

use crate::error::{Result, invalid, unsupported};
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::function::{ANY_COUNT, Builtin};
use crate::value::iteration::items_of;
use crate::value::set::Set;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("set", (1, 1), |ctx, args| {
        if matches!(args[0], Value::Set(_)) {
            return Ok(args[0].clone());
        }
        let values = items_of(ctx, &args[0])?;
        set_of(ctx, values)
    }),
    Builtin::new("hash-set", (0, ANY_COUNT), |ctx, args| set_of(ctx, args.to_vec())),
    Builtin::new("disj", (1, ANY_COUNT), |ctx, args| match &args[0] {
        Value::Nil => Ok(Value::Nil),
        Value::Set(set) => {
            let mut remaining = set.copy(&mut ctx.budget)?;
            for value in &args[1..] {
                remaining.remove(ctx, value)?;
            }
            Ok(Value::Set(Rc::new(remaining)))
        }
        other => Err(invalid(format!("`disj` takes a set, and this is {}", other.type_name()))),
    }),
    Builtin::new("set/union", (0, ANY_COUNT), |ctx, args| {
        let mut all = Set::default();
        for value in args.iter().filter(|arg| !arg.is_nil()) {
            for value in &items_of(ctx, set_argument(value)?)? {
                all.put(ctx, value.clone())?;
            }
        }
        if all.len() == 0 && args.iter().any(Value::is_nil) {
            return Ok(empty_argument(args));
        }
        Ok(Value::Set(Rc::new(all)))
    }),
    Builtin::new("set/intersection", (1, ANY_COUNT), |ctx, args| select(ctx, args, true)),
    Builtin::new("set/difference", (1, ANY_COUNT), |ctx, args| select(ctx, args, false)),
    Builtin::new("set/subset?", (2, 2), |ctx, args| is_subset(ctx, &args[0], &args[1])),
    Builtin::new("set/superset?", (2, 2), |ctx, args| is_subset(ctx, &args[1], &args[0])),
];

/// A set or nil; an error for any other value.
fn set_argument(value: &Value) -> Result<&Value> {
    match value {
        Value::Set(_) | Value::Nil => Ok(value),
        other => Err(unsupported(format!(
            "functions of `clojure.set` take sets here, and this is {}",
            other.type_name()
        ))),
    }
}

/// The argument that Clojure gives where all of them are nil or empty sets.
fn empty_argument(args: &[Value]) -> Value {
    let empty = |arg: &&Value| !matches!(arg, Value::Set(set) if set.len() > 0);
    let found = if args.len() == 2 { args.iter().find(empty) } else { args.iter().rev().find(empty) };
    found.cloned().unwrap_or(Value::Nil)
}

/// The values of the first set that are in all others (`is_in_others`), or in none of them.
fn select(ctx: &mut EvaluationContext<'_>, args: &[Value], is_in_others: bool) -> Result<Value> {
    args.iter().try_for_each(|arg| set_argument(arg).map(|_| ()))?;
    if args[0].is_nil() && !is_in_others {
        return Ok(Value::Nil);
    }
    if args.iter().any(Value::is_nil) && is_in_others {
        return Ok(empty_argument(args));
    }
    let mut kept = Set::default();
    'values: for value in items_of(ctx, &args[0])? {
        for other in &args[1..] {
            let Value::Set(other) = other else { continue };
            if other.get(ctx, &value)?.is_some() != is_in_others {
                continue 'values;
            }
        }
        kept.put(ctx, value)?;
    }
    Ok(Value::Set(Rc::new(kept)))
}

fn is_subset(ctx: &mut EvaluationContext<'_>, small: &Value, large: &Value) -> Result<Value> {
    match (set_argument(small)?, set_argument(large)?) {
        (Value::Set(small), Value::Set(large)) => {
            for value in small.values() {
                if large.get(ctx, value)?.is_none() {
                    return Ok(Value::Bool(false));
                }
            }
            Ok(Value::Bool(true))
        }
        (Value::Set(small), _) => Ok(Value::Bool(small.len() == 0)),
        _ => Ok(Value::Bool(true)),
    }
}

fn set_of(ctx: &mut EvaluationContext<'_>, values: Vec<Value>) -> Result<Value> {
    let mut set = Set::default();
    for value in values {
        set.put(ctx, value)?;
    }
    Ok(Value::Set(Rc::new(set)))
}
