//! Collections: what makes them, adds to them and takes from them.

use std::rc::Rc;

use crate::error::{Result, invalid, unsupported};
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::function::{ANY_COUNT, Builtin};
use crate::value::items::Items;
use crate::value::iteration::{items_of, sequence_of};
use crate::value::map::Map;
use crate::value::number::conversion;
use crate::value::sequence::Sequence;
use crate::value::set::Set;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("vector", (0, ANY_COUNT), |ctx, args| Value::vector(&mut ctx.budget, args.to_vec())),
    Builtin::new("list", (0, ANY_COUNT), |ctx, args| Value::list(&mut ctx.budget, args.to_vec())),
    Builtin::new("vec", (1, 1), |ctx, args| {
        let values = items_of(ctx, &args[0])?;
        Value::vector(&mut ctx.budget, values)
    }),
    Builtin::new("hash-map", (0, ANY_COUNT), |ctx, args| {
        let map = if args.is_empty() { Map::default() } else { Map::hash_map() };
        put_pairs(ctx, map, args)
    }),
    Builtin::new("array-map", (0, ANY_COUNT), |ctx, args| {
        if args.len() > 16 {
            return Err(unsupported("`array-map` takes at most 8 keys here"));
        }
        put_pairs(ctx, Map::default(), args)
    }),
    Builtin::new("list*", (1, ANY_COUNT), |ctx, args| {
        let (last, before) = args.split_last().unwrap_or((&Value::Nil, &[]));
        let mut items = sequence_of(ctx, last)?;
        if before.is_empty() && items.is_empty(ctx)? {
            return Ok(Value::Nil);
        }
        for value in before.iter().rev() {
            items = items.cons(ctx, value.clone(), false)?;
        }
        Ok(Value::Sequence(items))
    }),
    Builtin::new("cons", (2, 2), |ctx, args| {
        let items = sequence_of(ctx, &args[1])?;
        // On nil it gives a list.
        items.cons(ctx, args[0].clone(), args[1].is_nil()).map(Value::Sequence)
    }),
    Builtin::new("conj", (0, ANY_COUNT), |ctx, args| match args.split_first() {
        None => Value::vector(&mut ctx.budget, Vec::new()),
        Some((to, [])) => Ok(to.clone()),
        Some((to, values)) => conj_all(ctx, to, values.to_vec()),
    }),
    Builtin::new("into", (0, 3), |ctx, args| match args {
        [] => Value::vector(&mut ctx.budget, Vec::new()),
        [to] => Ok(to.clone()),
        [to, from] => {
            let values = items_of(ctx, from)?;
            if values.is_empty() { Ok(to.clone()) } else { conj_all(ctx, to, values) }
        }
        _ => Err(unsupported("transducers, as in `(into to xform from)`, are not supported")),
    }),
    Builtin::new("pop", (1, 1), |ctx, args| match &args[0] {
        Value::Nil => Ok(Value::Nil),
        Value::Vector(items) => match items.values.split_last() {
            Some((_, rest)) => Value::vector(&mut ctx.budget, rest.to_vec()),
            None => Err(invalid("nothing can be popped off an empty vector")),
        },
        Value::Sequence(list) if list.is_list() => {
            if list.is_empty(ctx)? {
                return Err(invalid("nothing can be popped off an empty list"));
            }
            Ok(Value::Sequence(list.skip(1)))
        }
        other => Err(invalid(format!("`pop` takes a vector or list, and this is {}", other.type_name()))),
    }),
    Builtin::new("subvec", (2, 3), |ctx, args| {
        let Value::Vector(items) = &args[0] else {
            return Err(invalid(format!("`subvec` takes a vector, and this is {}", args[0].type_name())));
        };
        let start = conversion::int(&args[1])?;
        let end = args.get(2).map_or(Ok(items.values.len() as i64), conversion::int)?;
        let range =
            usize::try_from(start).ok().zip(usize::try_from(end).ok()).filter(|(start, end)| start <= end);
        let part = range.and_then(|(start, end)| items.values.get(start..end));
        let part = part.ok_or_else(|| invalid("`subvec` reaches beyond its vector"))?;
        Value::vector(&mut ctx.budget, part.to_vec())
    }),
    Builtin::new("empty", (1, 1), |ctx, args| match &args[0] {
        Value::Vector(items) if items.is_map_entry => Ok(Value::Nil),
        Value::Vector(_) => Value::vector(&mut ctx.budget, Vec::new()),
        Value::Sequence(_) => Value::list(&mut ctx.budget, Vec::new()),
        Value::Map(map) => Ok(Value::Map(Rc::new(map.empty_copy()))),
        Value::Set(_) => Ok(Value::Set(Rc::new(Set::default()))),
        _ => Ok(Value::Nil),
    }),
    Builtin::new("not-empty", (1, 1), |ctx, args| {
        let items = sequence_of(ctx, &args[0])?;
        Ok(if items.is_empty(ctx)? { Value::Nil } else { args[0].clone() })
    }),
];

fn put_pairs(ctx: &mut EvaluationContext<'_>, mut map: Map, pairs: &[Value]) -> Result<Value> {
    for pair in pairs.chunks(2) {
        let [key, value] = pair else { return Err(invalid("the last key has no value")) };
        map.put(ctx, key.clone(), value.clone())?;
    }
    Ok(Value::Map(Rc::new(map)))
}

/// Adds values where the collection takes them: at the end of a vector, before the first item of a list.
pub(super) fn conj_all(ctx: &mut EvaluationContext<'_>, to: &Value, values: Vec<Value>) -> Result<Value> {
    match to {
        Value::Nil => {
            let all = values.into_iter().rev().collect();
            Value::list(&mut ctx.budget, all)
        }
        Value::Vector(items) => {
            ctx.budget.take_steps(items.values.len() / 16)?;
            let all = items.values.iter().cloned().chain(values).collect();
            Value::vector(&mut ctx.budget, all)
        }
        Value::Sequence(items) if items.is_lazy() || !items.is_fixed() => {
            let mut items = items.clone();
            for value in values {
                items = items.cons(ctx, value, false)?;
            }
            Ok(Value::Sequence(items))
        }
        Value::Sequence(items) => {
            let rest = items.to_values(ctx)?;
            let all = values.into_iter().rev().chain(rest).collect();
            let all = Items::new(&mut ctx.budget, all)?;
            Ok(Value::Sequence(if items.is_list() { Sequence::list(all) } else { Sequence::realized(all) }))
        }
        Value::Map(map) => {
            let mut map = map.copy(&mut ctx.budget)?;
            for value in values {
                put_entry(ctx, &mut map, &value)?;
            }
            Ok(Value::Map(Rc::new(map)))
        }
        Value::Set(set) => {
            let mut set = set.copy(&mut ctx.budget)?;
            for value in values {
                set.put(ctx, value)?;
            }
            Ok(Value::Set(Rc::new(set)))
        }
        other => Err(invalid(format!("nothing can be put into {}", other.type_name()))),
    }
}

/// Adds what `conj` takes to a map: an entry, a vector of a key and a value, or another map.
fn put_entry(ctx: &mut EvaluationContext<'_>, map: &mut Map, value: &Value) -> Result<()> {
    match value {
        Value::Nil => {}
        Value::Vector(items) => {
            let [key, value] = items.values.as_slice() else {
                return Err(invalid("a vector that goes into a map has a key and a value"));
            };
            map.put(ctx, key.clone(), value.clone())?;
        }
        Value::Map(other) => {
            for entry in other.entries() {
                map.put(ctx, entry.key.clone(), entry.value.clone())?;
            }
        }
        other => {
            // A sequence is added entry by entry; all its items must be entries of a map.
            for entry in items_of(ctx, other)? {
                match &entry {
                    Value::Vector(items) if items.is_map_entry => {
                        map.put(ctx, items.values[0].clone(), items.values[1].clone())?;
                    }
                    _ => {
                        return Err(invalid(
                            "what goes into a map is an entry: a vector of a key and a value",
                        ));
                    }
                }
            }
        }
    }
    Ok(())
}
