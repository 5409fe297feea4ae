//! Maps: their keys and values, and what makes and merges them.

use std::rc::Rc;

use super::lookup::find_entry;
use crate::call::call;
use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::function::{ANY_COUNT, Builtin};
use crate::value::iteration::{items_of, sequence_of};
use crate::value::map::Map;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("keys", (1, 1), |ctx, args| entry_parts(ctx, &args[0], 0)),
    Builtin::new("vals", (1, 1), |ctx, args| entry_parts(ctx, &args[0], 1)),
    Builtin::new("dissoc", (1, ANY_COUNT), |ctx, args| match &args[0] {
        Value::Nil => Ok(Value::Nil),
        _ if args.len() == 1 => Ok(args[0].clone()),
        Value::Map(map) => {
            let mut remaining = map.copy(&mut ctx.budget)?;
            for key in &args[1..] {
                remaining.remove(ctx, key)?;
            }
            Ok(Value::Map(Rc::new(remaining)))
        }
        other => Err(invalid(format!("`dissoc` takes a map, and this is {}", other.type_name()))),
    }),
    Builtin::new("merge", (0, ANY_COUNT), |ctx, args| {
        if !args.iter().any(Value::is_true) {
            return Ok(Value::Nil);
        }
        let mut merged = args[0].clone();
        for arg in &args[1..] {
            // It is `conj`, except that nil counts as an empty map.
            if !merged.is_true() {
                merged = Value::Map(Rc::new(Map::default()));
            }
            merged = super::collections::conj_all(ctx, &merged, vec![arg.clone()])?;
        }
        Ok(merged)
    }),
    Builtin::new("merge-with", (1, ANY_COUNT), |ctx, args| {
        let [function, maps @ ..] = args else { return Ok(Value::Nil) };
        if !maps.iter().any(Value::is_true) {
            return Ok(Value::Nil);
        }
        let mut merged = match &maps[0] {
            Value::Map(map) => map.copy(&mut ctx.budget)?,
            Value::Nil => Map::default(),
            other => {
                return Err(invalid(format!("`merge-with` takes maps, and this is {}", other.type_name())));
            }
        };
        for map in &maps[1..] {
            let other = match map {
                Value::Map(other) => other,
                Value::Nil => continue,
                other => {
                    return Err(invalid(format!(
                        "`merge-with` takes maps, and this is {}",
                        other.type_name()
                    )));
                }
            };
            for entry in other.entries() {
                let value = match merged.get(ctx, &entry.key)? {
                    Some(before) => call(ctx, function, &[before, entry.value.clone()])?,
                    None => entry.value.clone(),
                };
                merged.put(ctx, entry.key.clone(), value)?;
            }
        }
        Ok(Value::Map(Rc::new(merged)))
    }),
    Builtin::new("select-keys", (2, 2), |ctx, args| {
        let mut kept = Map::default();
        for key in items_of(ctx, &args[1])? {
            if let Some((key, value)) = find_entry(ctx, &args[0], &key)? {
                kept.put(ctx, key, value)?;
            }
        }
        Ok(Value::Map(Rc::new(kept)))
    }),
    Builtin::new("zipmap", (2, 2), |ctx, args| {
        let (keys, values) = (sequence_of(ctx, &args[0])?, sequence_of(ctx, &args[1])?);
        let (mut map, mut index) = (Map::default(), 0);
        while let (Some(key), Some(value)) = (keys.nth(ctx, index)?, values.nth(ctx, index)?) {
            ctx.budget.take_steps(1)?;
            map.put(ctx, key, value)?;
            index += 1;
        }
        Ok(Value::Map(Rc::new(map)))
    }),
    Builtin::new("reduce-kv", (3, 3), |ctx, args| {
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
                .map(|(index, value)| (Value::Long(index as i64), value.clone()))
                .collect(),
            other => {
                return Err(invalid(format!(
                    "`reduce-kv` takes a map or vector, and this is {}",
                    other.type_name()
                )));
            }
        };
        ctx.budget.take_values(pairs.len() * 2)?;
        for (key, value) in pairs {
            result = call(ctx, &args[0], &[result, key, value])?;
        }
        Ok(result)
    }),
    // What a map pattern destructures: a sequence stands for the map of its keys and values in turn.
    Builtin::new("loanhook/map-of", (1, 1), |ctx, args| {
        let Value::Sequence(items) = &args[0] else { return Ok(args[0].clone()) };
        let values = items.to_values(ctx)?;
        let mut map = Map::default();
        let (pairs, last) = values.split_at(values.len() / 2 * 2);
        for pair in pairs.chunks_exact(2) {
            map.put(ctx, pair[0].clone(), pair[1].clone())?;
        }
        match last {
            [Value::Map(trailing)] => {
                for entry in trailing.entries() {
                    map.put(ctx, entry.key.clone(), entry.value.clone())?;
                }
            }
            [Value::Nil] | [] => {}
            [only] if pairs.is_empty() => return Ok(only.clone()),
            _ => return Err(invalid("the last key has no value")),
        }
        Ok(Value::Map(Rc::new(map)))
    }),
];

/// The keys (0) or values (1) of all entries, as a sequence; nil if there are none.
fn entry_parts(ctx: &mut EvaluationContext<'_>, value: &Value, part: usize) -> Result<Value> {
    let values: Vec<Value> = match value {
        Value::Map(map) => map
            .entries()
            .iter()
            .map(|entry| if part == 0 { entry.key.clone() } else { entry.value.clone() })
            .collect(),
        other => {
            let mut values = Vec::new();
            for entry in items_of(ctx, other)? {
                match &entry {
                    Value::Vector(items) if items.is_map_entry => values.push(items.values[part].clone()),
                    other => {
                        return Err(invalid(format!(
                            "entries of a map are needed here, and this is {}",
                            other.type_name()
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
    Value::realized_sequence(&mut ctx.budget, values)
}
