//! Functions over whole sequences.

use std::rc::Rc;

use super::lazy::each;
use crate::model::formula::compare::{By, sort};
use crate::model::formula::cx::Cx;
use crate::model::formula::error::{R, wrong};
use crate::model::formula::eval::call;
use crate::model::formula::function::{ANY, Builtin};
use crate::model::formula::map::Map;
use crate::model::formula::number::{self, compare, integer};
use crate::model::formula::seq::{self, Seq};
use crate::model::formula::source::{Input, together};
use crate::model::formula::value::{Items, Value};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("seq", (1, 1), |cx, args| {
        let items = seq::of(cx, &args[0])?;
        Ok(if items.is_empty(cx)? { Value::Nil } else { Value::Seq(items) })
    }),
    Builtin::new("sequence", (1, 1), |cx, args| {
        let items = seq::of(cx, &args[0])?;
        if items.is_empty(cx)? { Value::list(&mut cx.budget, Vec::new()) } else { Ok(Value::Seq(items)) }
    }),
    Builtin::new("rest", (1, 1), |cx, args| skip(cx, &args[0], 1).map(Value::Seq)),
    Builtin::new("next", (1, 1), |cx, args| some_skip(cx, &args[0], 1)),
    Builtin::new("nnext", (1, 1), |cx, args| some_skip(cx, &args[0], 2)),
    Builtin::new("fnext", (1, 1), |cx, args| {
        let items = seq::of(cx, &args[0])?;
        Ok(items.nth(cx, 1)?.unwrap_or(Value::Nil))
    }),
    Builtin::new("nfirst", (1, 1), |cx, args| {
        let items = seq::of(cx, &args[0])?;
        let first = items.first(cx)?.unwrap_or(Value::Nil);
        some_skip(cx, &first, 1)
    }),
    Builtin::new("nthrest", (2, 2), |cx, args| match integer::long(&args[1])? {
        ..=0 => Ok(args[0].clone()),
        count => skip(cx, &args[0], count as usize).map(Value::Seq),
    }),
    Builtin::new("nthnext", (2, 2), |cx, args| {
        let count = integer::long(&args[1])?.max(0) as usize;
        some_skip(cx, &args[0], count)
    }),
    Builtin::new("butlast", (1, 1), |cx, args| {
        let mut values = seq::values(cx, &args[0])?;
        values.pop();
        if values.is_empty() { Ok(Value::Nil) } else { plain(cx, values) }
    }),
    Builtin::new("drop-last", (1, 2), |cx, args| {
        let count = if args.len() == 1 { 1 } else { integer::long(&args[0])?.max(0) as usize };
        let mut values = seq::values(cx, &args[args.len() - 1])?;
        values.truncate(values.len().saturating_sub(count));
        shown_as_lazy(cx, values)
    }),
    Builtin::new("take-last", (2, 2), |cx, args| {
        let count = integer::long(&args[0])?.max(0) as usize;
        let mut values = seq::values(cx, &args[1])?;
        values.drain(..values.len().saturating_sub(count));
        if values.is_empty() { Ok(Value::Nil) } else { plain(cx, values) }
    }),
    Builtin::new("split-at", (2, 2), |cx, args| {
        let count = integer::long(&args[0])?.max(0) as usize;
        let mut before = seq::values(cx, &args[1])?;
        let after = before.split_off(count.min(before.len()));
        pair(cx, before, after)
    }),
    Builtin::new("split-with", (2, 2), |cx, args| {
        let mut before = seq::values(cx, &args[1])?;
        let mut count = 0;
        while let Some(value) = before.get(count) {
            if !call(cx, &args[0], std::slice::from_ref(value))?.is_true() {
                break;
            }
            count += 1;
        }
        let after = before.split_off(count);
        pair(cx, before, after)
    }),
    Builtin::new("reverse", (1, 1), |cx, args| {
        let mut values = seq::values(cx, &args[0])?;
        values.reverse();
        Value::list(&mut cx.budget, values)
    }),
    Builtin::new("rseq", (1, 1), |cx, args| match &args[0] {
        Value::Vector(items) if items.values.is_empty() => Ok(Value::Nil),
        Value::Vector(items) => {
            let values = items.values.iter().rev().cloned().collect();
            plain(cx, values)
        }
        other => Err(wrong(format!("`rseq` takes a vector, and this is {}", other.kind_name()))),
    }),
    Builtin::new("flatten", (1, 1), |cx, args| {
        let mut flat = Vec::new();
        if matches!(args[0], Value::Vector(_) | Value::Seq(_)) {
            flatten(cx, &args[0], &mut flat)?;
        }
        shown_as_lazy(cx, flat)
    }),
    Builtin::new("doall", (1, 1), |cx, args| {
        if let Value::Seq(items) = &args[0] {
            items.all(cx)?;
        }
        Ok(args[0].clone())
    }),
    Builtin::new("mapv", (2, ANY), |cx, args| {
        let [function, inputs @ ..] = args else { return Ok(Value::Nil) };
        let values = match inputs {
            [input] => {
                let values = seq::values(cx, input)?;
                each(cx, function, &values)?
            }
            _ => zip(cx, function, inputs)?,
        };
        Value::vector(&mut cx.budget, values)
    }),
    Builtin::new("filterv", (2, 2), |cx, args| {
        let mut kept = Vec::new();
        for value in seq::values(cx, &args[1])? {
            if call(cx, &args[0], std::slice::from_ref(&value))?.is_true() {
                kept.push(value);
            }
        }
        Value::vector(&mut cx.budget, kept)
    }),
    Builtin::new("some", (2, 2), |cx, args| {
        let items = seq::of(cx, &args[1])?;
        let mut place = 0;
        while let Some(item) = items.nth(cx, place)? {
            let found = call(cx, &args[0], &[item])?;
            if found.is_true() {
                return Ok(found);
            }
            place += 1;
        }
        Ok(Value::Nil)
    }),
    Builtin::new("every?", (2, 2), |cx, args| every(cx, &args[0], &args[1]).map(Value::Bool)),
    Builtin::new("not-every?", (2, 2), |cx, args| {
        every(cx, &args[0], &args[1]).map(|every| Value::Bool(!every))
    }),
    Builtin::new("not-any?", (2, 2), |cx, args| {
        let items = seq::of(cx, &args[1])?;
        let mut place = 0;
        while let Some(item) = items.nth(cx, place)? {
            if call(cx, &args[0], &[item])?.is_true() {
                return Ok(Value::Bool(false));
            }
            place += 1;
        }
        Ok(Value::Bool(true))
    }),
    Builtin::new("reduce", (2, 3), |cx, args| match args {
        [function, input] => {
            let mut values = seq::values(cx, input)?.into_iter();
            match values.next() {
                None => call(cx, function, &[]),
                Some(first) => reduce(cx, function, first, values),
            }
        }
        _ => {
            let values = seq::values(cx, &args[2])?;
            reduce(cx, &args[0], args[1].clone(), values.into_iter())
        }
    }),
    Builtin::new("sort", (1, 2), |cx, args| match args {
        [input] => sorted(cx, By::Compare, None, input),
        [by, input] => sorted(cx, By::Function(by), None, input),
        _ => Ok(Value::Nil),
    }),
    Builtin::new("sort-by", (2, 3), |cx, args| match args {
        [key, input] => sorted(cx, By::Compare, Some(key), input),
        [key, by, input] => sorted(cx, By::Function(by), Some(key), input),
        _ => Ok(Value::Nil),
    }),
    Builtin::new("group-by", (2, 2), |cx, args| {
        let values = seq::values(cx, &args[1])?;
        let keys = each(cx, &args[0], &values)?;
        let mut groups: Vec<Vec<Value>> = Vec::new();
        let mut places = Map::default();
        for (key, value) in keys.into_iter().zip(values) {
            match places.get(cx, &key)? {
                Some(Value::Long(place)) => groups[place as usize].push(value),
                _ => {
                    places.put(cx, key, Value::Long(groups.len() as i64))?;
                    groups.push(vec![value]);
                }
            }
        }
        let mut map = Map::default();
        let keys: Vec<_> =
            places.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
        for (key, place) in keys {
            let Value::Long(place) = place else { continue };
            let group = std::mem::take(&mut groups[place as usize]);
            let group = Value::vector(&mut cx.budget, group)?;
            map.put(cx, key, group)?;
        }
        Ok(Value::Map(Rc::new(map)))
    }),
    Builtin::new("frequencies", (1, 1), |cx, args| {
        let mut counts = Map::default();
        for value in seq::values(cx, &args[0])? {
            let count = match counts.get(cx, &value)? {
                Some(Value::Long(count)) => count,
                _ => 0,
            };
            counts.put(cx, value, Value::Long(count + 1))?;
        }
        Ok(Value::Map(Rc::new(counts)))
    }),
    Builtin::new("max-key", (2, ANY), |cx, args| by_key(cx, args, true)),
    Builtin::new("min-key", (2, ANY), |cx, args| by_key(cx, args, false)),
];

fn plain(cx: &mut Cx<'_>, values: Vec<Value>) -> R<Value> {
    Ok(Value::Seq(Seq::plain(Items::new(&mut cx.budget, values)?)))
}

/// What is a lazy sequence in Clojure, so that `str` does not show it.
fn shown_as_lazy(cx: &mut Cx<'_>, values: Vec<Value>) -> R<Value> {
    Ok(Value::Seq(Seq::realized(Items::new(&mut cx.budget, values)?)))
}

fn pair(cx: &mut Cx<'_>, before: Vec<Value>, after: Vec<Value>) -> R<Value> {
    let pair = vec![shown_as_lazy(cx, before)?, shown_as_lazy(cx, after)?];
    Value::vector(&mut cx.budget, pair)
}

fn skip(cx: &mut Cx<'_>, value: &Value, count: usize) -> R<Seq> {
    let items = seq::of(cx, value)?;
    if count > 0 && items.nth(cx, count - 1)?.is_none() {
        return Ok(Seq::list(Items::new(&mut cx.budget, Vec::new())?));
    }
    Ok(items.skip(count))
}

fn some_skip(cx: &mut Cx<'_>, value: &Value, count: usize) -> R<Value> {
    let rest = skip(cx, value, count)?;
    Ok(if rest.is_empty(cx)? { Value::Nil } else { Value::Seq(rest) })
}

fn flatten(cx: &mut Cx<'_>, value: &Value, flat: &mut Vec<Value>) -> R<()> {
    cx.budget.enter()?;
    for item in seq::values(cx, value)? {
        match &item {
            Value::Vector(_) | Value::Seq(_) => flatten(cx, &item, flat)?,
            _ => flat.push(item),
        }
    }
    cx.budget.leave();
    Ok(())
}

fn zip(cx: &mut Cx<'_>, function: &Value, inputs: &[Value]) -> R<Vec<Value>> {
    let mut inputs: Vec<_> = inputs.iter().map(Input::of).collect();
    let mut made = Vec::new();
    while let Some(args) = together(cx, &mut inputs, 3)? {
        made.push(call(cx, function, &args)?);
    }
    Ok(made)
}

fn every(cx: &mut Cx<'_>, function: &Value, input: &Value) -> R<bool> {
    let items = seq::of(cx, input)?;
    let mut place = 0;
    while let Some(item) = items.nth(cx, place)? {
        if !call(cx, function, &[item])?.is_true() {
            return Ok(false);
        }
        place += 1;
    }
    Ok(true)
}

fn reduce(cx: &mut Cx<'_>, function: &Value, first: Value, values: std::vec::IntoIter<Value>) -> R<Value> {
    let mut result = first;
    for value in values {
        result = call(cx, function, &[result, value])?;
    }
    Ok(result)
}

fn sorted(cx: &mut Cx<'_>, by: By<'_>, key: Option<&Value>, input: &Value) -> R<Value> {
    let values = seq::values(cx, input)?;
    if values.is_empty() {
        return Value::list(&mut cx.budget, values);
    }
    let keys = match key {
        // A value by itself is compared with none.
        Some(key) if values.len() > 1 => each(cx, key, &values)?,
        _ => values.clone(),
    };
    let sorted = sort(cx, by, keys.into_iter().zip(values).collect())?;
    plain(cx, sorted.into_iter().map(|(_, value)| value).collect())
}

/// The value whose key is the greatest or least; of those that are equal the last.
fn by_key(cx: &mut Cx<'_>, args: &[Value], greatest: bool) -> R<Value> {
    let [function, first, rest @ ..] = args else { return Ok(Value::Nil) };
    if rest.is_empty() {
        return Ok(first.clone());
    }
    let mut best = (call(cx, function, std::slice::from_ref(first))?, first.clone());
    number::kind(&best.0)?;
    for value in rest {
        let key = call(cx, function, std::slice::from_ref(value))?;
        let order = compare::order(&mut cx.budget, &key, &best.0)?;
        let worse = if greatest {
            order.is_some_and(|order| order.is_lt())
        } else {
            order.is_some_and(|order| order.is_gt())
        };
        if !worse {
            best = (key, value.clone());
        }
    }
    Ok(best.1)
}
