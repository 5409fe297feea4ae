//! Updates: maps and vectors with other values at some keys.

use std::rc::Rc;

use super::sequences::call_each;
use crate::call::call;
use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::function::{ANY_COUNT, Builtin};
use crate::value::iteration::items_of;
use crate::value::lookup::{get, vector_index};
use crate::value::map::Map;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("assoc", (3, ANY_COUNT), |ctx, args| {
        if args.len().is_multiple_of(2) {
            return Err(invalid("`assoc` takes a value for each key, and here the last key has none"));
        }
        let mut value = args[0].clone();
        for pair in args[1..].chunks_exact(2) {
            value = assoc(ctx, &value, &pair[0], pair[1].clone())?;
        }
        Ok(value)
    }),
    Builtin::new("assoc-in", (3, 3), |ctx, args| {
        let path = items_of(ctx, &args[1])?;
        update_at_path(ctx, &args[0], &path, &mut |_, _| Ok(args[2].clone()))
    }),
    Builtin::new("update", (3, ANY_COUNT), |ctx, args| {
        let before = get(ctx, &args[0], &args[1])?.unwrap_or(Value::Nil);
        let after = call_with_first(ctx, &args[2], before, &args[3..])?;
        assoc(ctx, &args[0], &args[1], after)
    }),
    Builtin::new("update-in", (3, ANY_COUNT), |ctx, args| {
        let path = items_of(ctx, &args[1])?;
        update_at_path(ctx, &args[0], &path, &mut |ctx, before| {
            call_with_first(ctx, &args[2], before, &args[3..])
        })
    }),
    Builtin::new("update-vals", (2, 2), |ctx, args| update_all(ctx, &args[0], &args[1], Part::Values)),
    Builtin::new("update-keys", (2, 2), |ctx, args| update_all(ctx, &args[0], &args[1], Part::Keys)),
];

fn assoc(ctx: &mut EvaluationContext<'_>, to: &Value, key: &Value, value: Value) -> Result<Value> {
    match to {
        Value::Nil => {
            let mut map = Map::default();
            map.put(ctx, key.clone(), value)?;
            Ok(Value::Map(Rc::new(map)))
        }
        Value::Map(map) => {
            let mut map = map.copy(&mut ctx.budget)?;
            map.put(ctx, key.clone(), value)?;
            Ok(Value::Map(Rc::new(map)))
        }
        Value::Vector(items) => {
            let mut values = items.values.clone();
            ctx.budget.take_steps(values.len() / 16)?;
            match vector_index(key) {
                Some(index) if index < values.len() => values[index] = value,
                Some(index) if index == values.len() => values.push(value),
                _ => return Err(invalid("a place in a vector is a whole number, and not beyond its end")),
            }
            Value::vector(&mut ctx.budget, values)
        }
        other => Err(invalid(format!("`assoc` takes a map or vector, and this is {}", other.type_name()))),
    }
}

/// Calls a function with a value before its other arguments.
fn call_with_first(
    ctx: &mut EvaluationContext<'_>,
    function: &Value,
    first: Value,
    rest: &[Value],
) -> Result<Value> {
    let args: Vec<_> = std::iter::once(first).chain(rest.iter().cloned()).collect();
    call(ctx, function, &args)
}

/// The new value from the old one.
type Update<'f, 'c> = dyn FnMut(&mut EvaluationContext<'c>, Value) -> Result<Value> + 'f;

/// Updates the value at the end of a path of keys. An empty path is the key nil, as in Clojure.
fn update_at_path<'c>(
    ctx: &mut EvaluationContext<'c>,
    value: &Value,
    path: &[Value],
    update: &mut Update<'_, 'c>,
) -> Result<Value> {
    ctx.budget.enter_level()?;
    let (key, rest) = path.split_first().unwrap_or((&Value::Nil, &[]));
    let before = get(ctx, value, key)?.unwrap_or(Value::Nil);
    let after =
        if rest.is_empty() { update(ctx, before)? } else { update_at_path(ctx, &before, rest, update)? };
    let updated = assoc(ctx, value, key, after)?;
    ctx.budget.leave_level();
    Ok(updated)
}

/// What of each entry a function is called with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Keys,
    Values,
}

fn update_all(ctx: &mut EvaluationContext<'_>, map: &Value, function: &Value, part: Part) -> Result<Value> {
    if let (Value::Vector(items), Part::Values) = (map, part)
        && !items.is_map_entry
    {
        let values = call_each(ctx, function, &items.values)?;
        return Value::vector(&mut ctx.budget, values);
    }
    let map = match map {
        Value::Vector(items) => {
            let mut map = Map::default();
            for (index, value) in items.values.iter().enumerate() {
                map.put(ctx, Value::Long(index as i64), value.clone())?;
            }
            Rc::new(map)
        }
        Value::Map(map) => Rc::clone(map),
        Value::Nil => Rc::new(Map::default()),
        other => return Err(invalid(format!("a map is needed here, and this is {}", other.type_name()))),
    };
    let mut updated = match part {
        Part::Keys => Map::default(),
        // A map whose keys stay remains an array map or a hash map.
        Part::Values => map.copy(&mut ctx.budget)?,
    };
    for entry in map.entries() {
        let before = match part {
            Part::Keys => &entry.key,
            Part::Values => &entry.value,
        };
        let after = call(ctx, function, std::slice::from_ref(before))?;
        let (key, value) = match part {
            Part::Keys => (after, entry.value.clone()),
            Part::Values => (entry.key.clone(), after),
        };
        updated.put(ctx, key, value)?;
    }
    Ok(Value::Map(Rc::new(updated)))
}
