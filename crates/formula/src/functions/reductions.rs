//! Functions that come to one value by way of all in a sequence, or as far as it takes.

use std::cmp::Ordering;
use std::rc::Rc;

use super::lazy::each;
use crate::call::call;
use crate::compare::{By, sort};
use crate::cx::Cx;
use crate::error::{R, wrong};
use crate::function::{ANY, Builtin};
use crate::input::{Input, together};
use crate::map::Map;
use crate::number::compare;
use crate::seq::{self, Seq};
use crate::seqable;
use crate::value::{Items, Value};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("mapv", (2, ANY), |cx, args| {
        let [function, inputs @ ..] = args else { return Ok(Value::Nil) };
        let values = match inputs {
            [input] => {
                let values = seqable::values(cx, input)?;
                each(cx, function, &values)?
            }
            _ => zip(cx, function, inputs)?,
        };
        Value::vector(&mut cx.budget, values)
    }),
    Builtin::new("filterv", (2, 2), |cx, args| {
        let mut kept = Vec::new();
        for value in seqable::values(cx, &args[1])? {
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
            let mut values = seqable::values(cx, input)?.into_iter();
            match values.next() {
                None => call(cx, function, &[]),
                Some(first) => reduce(cx, function, first, values),
            }
        }
        _ => {
            let values = seqable::values(cx, &args[2])?;
            reduce(cx, &args[0], args[1].clone(), values.into_iter())
        }
    }),
    Builtin::new("sort", (1, 2), |cx, args| match args {
        [input] => sorted(cx, By::Compare, None, input),
        [by, input] => sorted_by(cx, by, None, input),
        _ => Ok(Value::Nil),
    }),
    Builtin::new("sort-by", (2, 3), |cx, args| match args {
        [key, input] => sorted(cx, By::Compare, Some(key), input),
        [key, by, input] => sorted_by(cx, by, Some(key), input),
        _ => Ok(Value::Nil),
    }),
    Builtin::new("group-by", (2, 2), |cx, args| {
        let values = seqable::values(cx, &args[1])?;
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
        for value in seqable::values(cx, &args[0])? {
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

fn sorted_by(cx: &mut Cx<'_>, by: &Value, key: Option<&Value>, input: &Value) -> R<Value> {
    match by {
        Value::Function(_) => sorted(cx, By::Function(by), key, input),
        // Java has an order of its own where `sort` is told none.
        Value::Nil if key.is_none() => sorted(cx, By::Java, key, input),
        _ => {
            let values = seqable::values(cx, input)?;
            // `sort-by` does not look at what it compares by until there are two.
            if values.len() > usize::from(key.is_some()) {
                return Err(wrong(format!(
                    "a function to compare by is needed here, and this is {}",
                    by.kind_name()
                )));
            }
            sorted(cx, By::Compare, None, input)
        }
    }
}

fn sorted(cx: &mut Cx<'_>, by: By<'_>, key: Option<&Value>, input: &Value) -> R<Value> {
    let values = seqable::values(cx, input)?;
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

/// The value whose key is the greatest or least; of those that are equal the last. A key that is not a number
/// (NaN) at the second place displaces the first, and at a later one none.
fn by_key(cx: &mut Cx<'_>, args: &[Value], greatest: bool) -> R<Value> {
    let [function, first, rest @ ..] = args else { return Ok(Value::Nil) };
    if rest.is_empty() {
        return Ok(first.clone());
    }
    let wanted = if greatest { Ordering::Greater } else { Ordering::Less };
    let mut best = (call(cx, function, std::slice::from_ref(first))?, first.clone());
    for (place, value) in rest.iter().enumerate() {
        let key = call(cx, function, std::slice::from_ref(value))?;
        let order = compare::order(&mut cx.budget, &key, &best.0)?;
        let better = order == Some(wanted) || order == Some(Ordering::Equal);
        if better || place == 0 && order != Some(wanted.reverse()) {
            best = (key, value.clone());
        }
    }
    Ok(best.1)
}

fn plain(cx: &mut Cx<'_>, values: Vec<Value>) -> R<Value> {
    Ok(Value::Seq(Seq::plain(Items::new(&mut cx.budget, values)?)))
}
