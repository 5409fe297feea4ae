//! Making collections, and putting into them.

use std::rc::Rc;

use crate::cx::Cx;
use crate::error::{R, unsupported, wrong};
use crate::function::{ANY, Builtin};
use crate::map::{Map, Set};
use crate::number::integer;
use crate::seq::{self, Seq};
use crate::seqable;
use crate::value::{Items, Value};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("vector", (0, ANY), |cx, args| Value::vector(&mut cx.budget, args.to_vec())),
    Builtin::new("list", (0, ANY), |cx, args| Value::list(&mut cx.budget, args.to_vec())),
    Builtin::new("vec", (1, 1), |cx, args| {
        let values = seqable::values(cx, &args[0])?;
        Value::vector(&mut cx.budget, values)
    }),
    Builtin::new("hash-map", (0, ANY), |cx, args| {
        let map = if args.is_empty() { Map::default() } else { Map::hashed() };
        put_pairs(cx, map, args)
    }),
    Builtin::new("array-map", (0, ANY), |cx, args| {
        if args.len() > 16 {
            return Err(unsupported("`array-map` takes at most 8 keys here"));
        }
        put_pairs(cx, Map::default(), args)
    }),
    Builtin::new("list*", (1, ANY), |cx, args| {
        let (last, before) = args.split_last().unwrap_or((&Value::Nil, &[]));
        let mut items = seq::of(cx, last)?;
        if before.is_empty() && items.is_empty(cx)? {
            return Ok(Value::Nil);
        }
        for value in before.iter().rev() {
            items = items.cons(cx, value.clone(), false)?;
        }
        Ok(Value::Seq(items))
    }),
    Builtin::new("cons", (2, 2), |cx, args| {
        let items = seq::of(cx, &args[1])?;
        // On nil it makes a list.
        items.cons(cx, args[0].clone(), args[1].is_nil()).map(Value::Seq)
    }),
    Builtin::new("conj", (0, ANY), |cx, args| match args.split_first() {
        None => Value::vector(&mut cx.budget, Vec::new()),
        Some((to, [])) => Ok(to.clone()),
        Some((to, values)) => into(cx, to, values.to_vec()),
    }),
    Builtin::new("into", (0, 3), |cx, args| match args {
        [] => Value::vector(&mut cx.budget, Vec::new()),
        [to] => Ok(to.clone()),
        [to, from] => {
            let values = seqable::values(cx, from)?;
            if values.is_empty() { Ok(to.clone()) } else { into(cx, to, values) }
        }
        _ => Err(unsupported("transducers, as in `(into to xform from)`, are not supported")),
    }),
    Builtin::new("pop", (1, 1), |cx, args| match &args[0] {
        Value::Nil => Ok(Value::Nil),
        Value::Vector(items) => match items.values.split_last() {
            Some((_, rest)) => Value::vector(&mut cx.budget, rest.to_vec()),
            None => Err(wrong("nothing can be popped off an empty vector")),
        },
        Value::Seq(list) if list.is_list() => {
            if list.is_empty(cx)? {
                return Err(wrong("nothing can be popped off an empty list"));
            }
            Ok(Value::Seq(list.skip(1)))
        }
        other => Err(wrong(format!("`pop` takes a vector or list, and this is {}", other.kind_name()))),
    }),
    Builtin::new("subvec", (2, 3), |cx, args| {
        let Value::Vector(items) = &args[0] else {
            return Err(wrong(format!("`subvec` takes a vector, and this is {}", args[0].kind_name())));
        };
        let start = integer::int(&args[1])?;
        let end = args.get(2).map_or(Ok(items.values.len() as i64), integer::int)?;
        let range =
            usize::try_from(start).ok().zip(usize::try_from(end).ok()).filter(|(start, end)| start <= end);
        let part = range.and_then(|(start, end)| items.values.get(start..end));
        let part = part.ok_or_else(|| wrong("`subvec` reaches beyond its vector"))?;
        Value::vector(&mut cx.budget, part.to_vec())
    }),
    Builtin::new("empty", (1, 1), |cx, args| match &args[0] {
        Value::Vector(items) if items.entry => Ok(Value::Nil),
        Value::Vector(_) => Value::vector(&mut cx.budget, Vec::new()),
        Value::Seq(_) => Value::list(&mut cx.budget, Vec::new()),
        Value::Map(map) => Ok(Value::Map(Rc::new(map.emptied()))),
        Value::Set(_) => Ok(Value::Set(Rc::new(Set::default()))),
        _ => Ok(Value::Nil),
    }),
    Builtin::new("not-empty", (1, 1), |cx, args| {
        let items = seq::of(cx, &args[0])?;
        Ok(if items.is_empty(cx)? { Value::Nil } else { args[0].clone() })
    }),
];

fn put_pairs(cx: &mut Cx<'_>, mut map: Map, pairs: &[Value]) -> R<Value> {
    for pair in pairs.chunks(2) {
        let [key, value] = pair else { return Err(wrong("the last key has no value")) };
        map.put(cx, key.clone(), value.clone())?;
    }
    Ok(Value::Map(Rc::new(map)))
}

/// Puts values into a collection where it takes them: at a vector's end, before a list's first.
pub(super) fn into(cx: &mut Cx<'_>, to: &Value, values: Vec<Value>) -> R<Value> {
    match to {
        Value::Nil => {
            let all = values.into_iter().rev().collect();
            Value::list(&mut cx.budget, all)
        }
        Value::Vector(items) => {
            cx.budget.steps(items.values.len() / 16)?;
            let all = items.values.iter().cloned().chain(values).collect();
            Value::vector(&mut cx.budget, all)
        }
        Value::Seq(items) if items.is_lazy() || !items.is_fixed() => {
            let mut items: Seq = items.clone();
            for value in values {
                items = items.cons(cx, value, false)?;
            }
            Ok(Value::Seq(items))
        }
        Value::Seq(items) => {
            let rest = items.all(cx)?;
            let all = values.into_iter().rev().chain(rest).collect();
            let all = Items::new(&mut cx.budget, all)?;
            Ok(Value::Seq(if items.is_list() { Seq::list(all) } else { Seq::plain(all) }))
        }
        Value::Map(map) => {
            let mut map = map.copy(&mut cx.budget)?;
            for value in values {
                put_entry(cx, &mut map, &value)?;
            }
            Ok(Value::Map(Rc::new(map)))
        }
        Value::Set(set) => {
            let mut set = set.copy(&mut cx.budget)?;
            for value in values {
                set.put(cx, value)?;
            }
            Ok(Value::Set(Rc::new(set)))
        }
        other => Err(wrong(format!("nothing can be put into {}", other.kind_name()))),
    }
}

/// What `conj` takes into a map: an entry, a vector of a key and a value, or another map.
fn put_entry(cx: &mut Cx<'_>, map: &mut Map, value: &Value) -> R<()> {
    match value {
        Value::Nil => {}
        Value::Vector(items) => {
            let [key, value] = items.values.as_slice() else {
                return Err(wrong("a vector that goes into a map has a key and a value"));
            };
            map.put(cx, key.clone(), value.clone())?;
        }
        Value::Map(other) => {
            for entry in other.entries() {
                map.put(cx, entry.key.clone(), entry.value.clone())?;
            }
        }
        other => {
            // A sequence of entries goes in; what is in it must be entries.
            for entry in seqable::values(cx, other)? {
                match &entry {
                    Value::Vector(items) if items.entry => {
                        map.put(cx, items.values[0].clone(), items.values[1].clone())?;
                    }
                    _ => {
                        return Err(wrong("what goes into a map is an entry: a vector of a key and a value"));
                    }
                }
            }
        }
    }
    Ok(())
}
