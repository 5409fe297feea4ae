//! Sets, and `clojure.set`.

use std::rc::Rc;

use crate::cx::Cx;
use crate::error::{R, unsupported, wrong};
use crate::function::{ANY, Builtin};
use crate::map::Set;
use crate::seqable;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("set", (1, 1), |cx, args| {
        if matches!(args[0], Value::Set(_)) {
            return Ok(args[0].clone());
        }
        let values = seqable::values(cx, &args[0])?;
        set_of(cx, values)
    }),
    Builtin::new("hash-set", (0, ANY), |cx, args| set_of(cx, args.to_vec())),
    Builtin::new("disj", (1, ANY), |cx, args| match &args[0] {
        Value::Nil => Ok(Value::Nil),
        Value::Set(set) => {
            let mut left = set.copy(&mut cx.budget)?;
            for value in &args[1..] {
                left.remove(cx, value)?;
            }
            Ok(Value::Set(Rc::new(left)))
        }
        other => Err(wrong(format!("`disj` takes a set, and this is {}", other.kind_name()))),
    }),
    Builtin::new("set/union", (0, ANY), |cx, args| {
        let mut all = Set::default();
        for value in args.iter().filter(|arg| !arg.is_nil()) {
            for value in &seqable::values(cx, only_set(value)?)? {
                all.put(cx, value.clone())?;
            }
        }
        if all.len() == 0 && args.iter().any(Value::is_nil) {
            return Ok(emptiest(args));
        }
        Ok(Value::Set(Rc::new(all)))
    }),
    Builtin::new("set/intersection", (1, ANY), |cx, args| keep(cx, args, true)),
    Builtin::new("set/difference", (1, ANY), |cx, args| keep(cx, args, false)),
    Builtin::new("set/subset?", (2, 2), |cx, args| within(cx, &args[0], &args[1])),
    Builtin::new("set/superset?", (2, 2), |cx, args| within(cx, &args[1], &args[0])),
];

fn only_set(value: &Value) -> R<&Value> {
    match value {
        Value::Set(_) | Value::Nil => Ok(value),
        other => Err(unsupported(format!(
            "functions of `clojure.set` take sets here, and this is {}",
            other.kind_name()
        ))),
    }
}

/// Of nil and empty sets, the one that Clojure begins with.
fn emptiest(args: &[Value]) -> Value {
    let empty = |arg: &&Value| !matches!(arg, Value::Set(set) if set.len() > 0);
    let found = if args.len() == 2 { args.iter().find(empty) } else { args.iter().rev().find(empty) };
    found.cloned().unwrap_or(Value::Nil)
}

/// What of the first is in all of the others, or in none.
fn keep(cx: &mut Cx<'_>, args: &[Value], wanted: bool) -> R<Value> {
    args.iter().try_for_each(|arg| only_set(arg).map(|_| ()))?;
    if args[0].is_nil() && !wanted {
        return Ok(Value::Nil);
    }
    if args.iter().any(Value::is_nil) && wanted {
        return Ok(emptiest(args));
    }
    let mut kept = Set::default();
    'values: for value in seqable::values(cx, &args[0])? {
        for other in &args[1..] {
            let Value::Set(other) = other else { continue };
            if other.get(cx, &value)?.is_some() != wanted {
                continue 'values;
            }
        }
        kept.put(cx, value)?;
    }
    Ok(Value::Set(Rc::new(kept)))
}

fn within(cx: &mut Cx<'_>, small: &Value, large: &Value) -> R<Value> {
    match (only_set(small)?, only_set(large)?) {
        (Value::Set(small), Value::Set(large)) => {
            for value in small.values() {
                if large.get(cx, value)?.is_none() {
                    return Ok(Value::Bool(false));
                }
            }
            Ok(Value::Bool(true))
        }
        (Value::Set(small), _) => Ok(Value::Bool(small.len() == 0)),
        _ => Ok(Value::Bool(true)),
    }
}

fn set_of(cx: &mut Cx<'_>, values: Vec<Value>) -> R<Value> {
    let mut set = Set::default();
    for value in values {
        set.put(cx, value)?;
    }
    Ok(Value::Set(Rc::new(set)))
}
