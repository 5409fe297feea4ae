//! Functions over maps.

use std::rc::Rc;

use super::lookup::entry;
use crate::call::call;
use crate::cx::Cx;
use crate::error::{R, wrong};
use crate::function::{ANY, Builtin};
use crate::map::Map;
use crate::seq;
use crate::seq::Seq;
use crate::seqable;
use crate::value::{Items, Value};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("keys", (1, 1), |cx, args| parts(cx, &args[0], 0)),
    Builtin::new("vals", (1, 1), |cx, args| parts(cx, &args[0], 1)),
    Builtin::new("dissoc", (1, ANY), |cx, args| match &args[0] {
        Value::Nil => Ok(Value::Nil),
        _ if args.len() == 1 => Ok(args[0].clone()),
        Value::Map(map) => {
            let mut left = map.copy(&mut cx.budget)?;
            for key in &args[1..] {
                left.remove(cx, key)?;
            }
            Ok(Value::Map(Rc::new(left)))
        }
        other => Err(wrong(format!("`dissoc` takes a map, and this is {}", other.kind_name()))),
    }),
    Builtin::new("merge", (0, ANY), |cx, args| {
        if !args.iter().any(Value::is_true) {
            return Ok(Value::Nil);
        }
        let mut merged = args[0].clone();
        for arg in &args[1..] {
            // `conj`, on nil as on an empty map.
            if !merged.is_true() {
                merged = Value::Map(Rc::new(Map::default()));
            }
            merged = super::collections::into(cx, &merged, vec![arg.clone()])?;
        }
        Ok(merged)
    }),
    Builtin::new("merge-with", (1, ANY), |cx, args| {
        let [function, maps @ ..] = args else { return Ok(Value::Nil) };
        if !maps.iter().any(Value::is_true) {
            return Ok(Value::Nil);
        }
        let mut merged = match &maps[0] {
            Value::Map(map) => map.copy(&mut cx.budget)?,
            Value::Nil => Map::default(),
            other => {
                return Err(wrong(format!("`merge-with` takes maps, and this is {}", other.kind_name())));
            }
        };
        for map in &maps[1..] {
            let other = match map {
                Value::Map(other) => other,
                Value::Nil => continue,
                other => {
                    return Err(wrong(format!("`merge-with` takes maps, and this is {}", other.kind_name())));
                }
            };
            for entry in other.entries() {
                let value = match merged.get(cx, &entry.key)? {
                    Some(before) => call(cx, function, &[before, entry.value.clone()])?,
                    None => entry.value.clone(),
                };
                merged.put(cx, entry.key.clone(), value)?;
            }
        }
        Ok(Value::Map(Rc::new(merged)))
    }),
    Builtin::new("select-keys", (2, 2), |cx, args| {
        let mut kept = Map::default();
        for key in seqable::values(cx, &args[1])? {
            if let Some((key, value)) = entry(cx, &args[0], &key)? {
                kept.put(cx, key, value)?;
            }
        }
        Ok(Value::Map(Rc::new(kept)))
    }),
    Builtin::new("zipmap", (2, 2), |cx, args| {
        let (keys, values) = (seq::of(cx, &args[0])?, seq::of(cx, &args[1])?);
        let (mut map, mut place) = (Map::default(), 0);
        while let (Some(key), Some(value)) = (keys.nth(cx, place)?, values.nth(cx, place)?) {
            cx.budget.steps(1)?;
            map.put(cx, key, value)?;
            place += 1;
        }
        Ok(Value::Map(Rc::new(map)))
    }),
    Builtin::new("reduce-kv", (3, 3), |cx, args| {
        let mut result = args[1].clone();
        let pairs: Vec<(Value, Value)> = match &args[2] {
            Value::Nil => Vec::new(),
            Value::Map(map) => {
                map.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect()
            }
            Value::Vector(items) => items
                .values
                .iter()
                .enumerate()
                .map(|(place, value)| (Value::Long(place as i64), value.clone()))
                .collect(),
            other => {
                return Err(wrong(format!(
                    "`reduce-kv` takes a map or vector, and this is {}",
                    other.kind_name()
                )));
            }
        };
        cx.budget.values(pairs.len() * 2)?;
        for (key, value) in pairs {
            result = call(cx, &args[0], &[result, key, value])?;
        }
        Ok(result)
    }),
    // What a map's pattern looks into: a sequence stands for the map of its keys and values.
    Builtin::new("loanhook/map-of", (1, 1), |cx, args| {
        let Value::Seq(items) = &args[0] else { return Ok(args[0].clone()) };
        let values = items.all(cx)?;
        let mut map = Map::default();
        let (pairs, last) = values.split_at(values.len() / 2 * 2);
        for pair in pairs.chunks_exact(2) {
            map.put(cx, pair[0].clone(), pair[1].clone())?;
        }
        match last {
            [Value::Map(trailing)] => {
                for entry in trailing.entries() {
                    map.put(cx, entry.key.clone(), entry.value.clone())?;
                }
            }
            [Value::Nil] | [] => {}
            [only] if pairs.is_empty() => return Ok(only.clone()),
            _ => return Err(wrong("the last key has no value")),
        }
        Ok(Value::Map(Rc::new(map)))
    }),
];

fn parts(cx: &mut Cx<'_>, value: &Value, part: usize) -> R<Value> {
    let values: Vec<Value> = match value {
        Value::Map(map) => map
            .entries()
            .iter()
            .map(|entry| if part == 0 { entry.key.clone() } else { entry.value.clone() })
            .collect(),
        other => {
            let mut values = Vec::new();
            for entry in seqable::values(cx, other)? {
                match &entry {
                    Value::Vector(items) if items.entry => values.push(items.values[part].clone()),
                    other => {
                        return Err(wrong(format!(
                            "entries of a map are needed here, and this is {}",
                            other.kind_name()
                        )));
                    }
                }
            }
            values
        }
    };
    if values.is_empty() {
        return Ok(Value::Nil);
    }
    Ok(Value::Seq(Seq::plain(Items::new(&mut cx.budget, values)?)))
}
