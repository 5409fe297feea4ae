//! Maps and vectors with something in them changed.

use std::rc::Rc;

use super::get;
use super::lazy::each;
use super::lookup::place_of;
use crate::call::call;
use crate::cx::Cx;
use crate::error::{R, wrong};
use crate::function::{ANY, Builtin};
use crate::map::Map;
use crate::seqable;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("assoc", (3, ANY), |cx, args| {
        if args.len().is_multiple_of(2) {
            return Err(wrong("`assoc` takes a value for each key, and here the last key has none"));
        }
        let mut value = args[0].clone();
        for pair in args[1..].chunks_exact(2) {
            value = assoc(cx, &value, &pair[0], pair[1].clone())?;
        }
        Ok(value)
    }),
    Builtin::new("assoc-in", (3, 3), |cx, args| {
        let path = seqable::values(cx, &args[1])?;
        change_in(cx, &args[0], &path, &mut |_, _| Ok(args[2].clone()))
    }),
    Builtin::new("update", (3, ANY), |cx, args| {
        let before = get(cx, &args[0], &args[1])?.unwrap_or(Value::Nil);
        let after = applied(cx, &args[2], before, &args[3..])?;
        assoc(cx, &args[0], &args[1], after)
    }),
    Builtin::new("update-in", (3, ANY), |cx, args| {
        let path = seqable::values(cx, &args[1])?;
        change_in(cx, &args[0], &path, &mut |cx, before| applied(cx, &args[2], before, &args[3..]))
    }),
    Builtin::new("update-vals", (2, 2), |cx, args| changed(cx, &args[0], &args[1], false)),
    Builtin::new("update-keys", (2, 2), |cx, args| changed(cx, &args[0], &args[1], true)),
];

fn assoc(cx: &mut Cx<'_>, to: &Value, key: &Value, value: Value) -> R<Value> {
    match to {
        Value::Nil => {
            let mut map = Map::default();
            map.put(cx, key.clone(), value)?;
            Ok(Value::Map(Rc::new(map)))
        }
        Value::Map(map) => {
            let mut map = map.copy(&mut cx.budget)?;
            map.put(cx, key.clone(), value)?;
            Ok(Value::Map(Rc::new(map)))
        }
        Value::Vector(items) => {
            let mut values = items.values.clone();
            cx.budget.steps(values.len() / 16)?;
            match place_of(key) {
                Some(place) if place < values.len() => values[place] = value,
                Some(place) if place == values.len() => values.push(value),
                _ => return Err(wrong("a place in a vector is a whole number, and not beyond its end")),
            }
            Value::vector(&mut cx.budget, values)
        }
        other => Err(wrong(format!("`assoc` takes a map or vector, and this is {}", other.kind_name()))),
    }
}

fn applied(cx: &mut Cx<'_>, function: &Value, first: Value, rest: &[Value]) -> R<Value> {
    let args: Vec<_> = std::iter::once(first).chain(rest.iter().cloned()).collect();
    call(cx, function, &args)
}

type Change<'f, 'c> = dyn FnMut(&mut Cx<'c>, Value) -> R<Value> + 'f;

/// Changes what is at the end of a path. An empty path leads to the key nil, as in Clojure.
fn change_in<'c>(cx: &mut Cx<'c>, value: &Value, path: &[Value], change: &mut Change<'_, 'c>) -> R<Value> {
    cx.budget.enter()?;
    let (key, rest) = path.split_first().unwrap_or((&Value::Nil, &[]));
    let before = get(cx, value, key)?.unwrap_or(Value::Nil);
    let after = if rest.is_empty() { change(cx, before)? } else { change_in(cx, &before, rest, change)? };
    let changed = assoc(cx, value, key, after)?;
    cx.budget.leave();
    Ok(changed)
}

fn changed(cx: &mut Cx<'_>, map: &Value, function: &Value, keys: bool) -> R<Value> {
    if let (Value::Vector(items), false) = (map, keys)
        && !items.entry
    {
        let values = each(cx, function, &items.values)?;
        return Value::vector(&mut cx.budget, values);
    }
    let map = match map {
        Value::Vector(items) => {
            let mut map = Map::default();
            for (place, value) in items.values.iter().enumerate() {
                map.put(cx, Value::Long(place as i64), value.clone())?;
            }
            Rc::new(map)
        }
        Value::Map(map) => Rc::clone(map),
        Value::Nil => Rc::new(Map::default()),
        other => return Err(wrong(format!("a map is needed here, and this is {}", other.kind_name()))),
    };
    // A map keeps its kind where its keys stay.
    let mut made = if keys { Map::default() } else { map.copy(&mut cx.budget)? };
    for entry in map.entries() {
        let from = if keys { &entry.key } else { &entry.value };
        let after = call(cx, function, std::slice::from_ref(from))?;
        let (key, value) = if keys { (after, entry.value.clone()) } else { (entry.key.clone(), after) };
        made.put(cx, key, value)?;
    }
    Ok(Value::Map(Rc::new(made)))
}
