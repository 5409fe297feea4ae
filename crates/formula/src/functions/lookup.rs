//! Looking into collections.

use crate::cx::Cx;
use crate::error::{R, wrong};
use crate::function::Builtin;
use crate::number::integer;
use crate::price;
use crate::seq;
use crate::seqable;
use crate::value::{Items, Value};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("get", (2, 3), |cx, args| {
        Ok(get(cx, &args[0], &args[1])?.unwrap_or_else(|| args.get(2).cloned().unwrap_or(Value::Nil)))
    }),
    Builtin::new("get-in", (2, 3), get_in),
    Builtin::new("nth", (2, 3), |cx, args| nth(cx, &args[0], &args[1], args.get(2))),
    Builtin::new("contains?", (2, 2), |cx, args| contains(cx, &args[0], &args[1]).map(Value::Bool)),
    Builtin::new("find", (2, 2), find),
    Builtin::new("first", (1, 1), |cx, args| at(cx, &args[0], 0)),
    Builtin::new("second", (1, 1), |cx, args| at(cx, &args[0], 1)),
    Builtin::new("ffirst", (1, 1), |cx, args| {
        let first = at(cx, &args[0], 0)?;
        at(cx, &first, 0)
    }),
    Builtin::new("last", (1, 1), |cx, args| match &args[0] {
        Value::Vector(items) => Ok(items.values.last().cloned().unwrap_or(Value::Nil)),
        other => Ok(seqable::values(cx, other)?.pop().unwrap_or(Value::Nil)),
    }),
    Builtin::new("peek", (1, 1), |cx, args| match &args[0] {
        Value::Nil => Ok(Value::Nil),
        Value::Vector(items) => Ok(items.values.last().cloned().unwrap_or(Value::Nil)),
        Value::Seq(list) if list.is_list() => at(cx, &args[0], 0),
        other => Err(wrong(format!("`peek` takes a vector or list, and this is {}", other.kind_name()))),
    }),
    Builtin::new("key", (1, 1), |_, args| entry_part(&args[0], 0)),
    Builtin::new("val", (1, 1), |_, args| entry_part(&args[0], 1)),
    Builtin::new("count", (1, 1), |cx, args| count(cx, &args[0]).map(|count| Value::Long(count as i64))),
    Builtin::new("bounded-count", (2, 2), |cx, args| {
        let most = integer::times(&args[0])?;
        let Value::Seq(items) = &args[1] else {
            return count(cx, &args[1]).map(|count| Value::Long(count as i64));
        };
        if items.is_counted() {
            return count(cx, &args[1]).map(|count| Value::Long(count as i64));
        }
        let mut place = 0;
        while place < most && items.nth(cx, place)?.is_some() {
            place += 1;
        }
        Ok(Value::Long(place as i64))
    }),
    Builtin::new("empty?", (1, 1), |cx, args| {
        let items = seq::of(cx, &args[0])?;
        items.is_empty(cx).map(Value::Bool)
    }),
];

/// The value at a key, as `get` finds it: nothing in what has no keys.
pub(crate) fn get(cx: &mut Cx<'_>, from: &Value, key: &Value) -> R<Option<Value>> {
    match from {
        Value::Map(map) => map.get(cx, key),
        Value::Set(set) => set.get(cx, key),
        Value::Vector(items) => Ok(place_of(key).and_then(|place| items.values.get(place).cloned())),
        // Java casts any number to an int here.
        Value::Str(text) => match number_place(key) {
            Some(place) => unit(cx, text, place),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The place in a vector that a key tells.
pub(super) fn place_of(key: &Value) -> Option<usize> {
    match key {
        Value::Long(place) => usize::try_from(*place).ok(),
        Value::Big(place) => usize::try_from(&**place).ok(),
        _ => None,
    }
}

fn number_place(key: &Value) -> Option<usize> {
    crate::number::kind_of(key)?;
    usize::try_from(integer::long(key).ok()?).ok()
}

/// The 16-bit unit of a text at a place.
fn unit(cx: &mut Cx<'_>, text: &str, place: usize) -> R<Option<Value>> {
    cx.budget.steps(price::text(text.len()))?;
    if text.is_ascii() {
        return Ok(text.as_bytes().get(place).map(|byte| Value::Char(char::from(*byte))));
    }
    match text.encode_utf16().nth(place) {
        None => Ok(None),
        Some(unit) => match char::from_u32(u32::from(unit)) {
            Some(char) => Ok(Some(Value::Char(char))),
            None => seqable::character('\u{10000}').map(Some),
        },
    }
}

fn get_in(cx: &mut Cx<'_>, args: &[Value]) -> R<Value> {
    let keys = seqable::values(cx, &args[1])?;
    let mut value = args[0].clone();
    for key in &keys {
        match get(cx, &value, key)? {
            Some(next) => value = next,
            None => return Ok(args.get(2).cloned().unwrap_or(Value::Nil)),
        }
    }
    Ok(value)
}

/// The item at a place, as `nth` finds it.
pub(crate) fn nth(cx: &mut Cx<'_>, from: &Value, place: &Value, otherwise: Option<&Value>) -> R<Value> {
    crate::number::kind(place)?;
    let index = usize::try_from(integer::int(place)?).ok();
    let found = match (from, index) {
        (Value::Nil, _) => return Ok(otherwise.cloned().unwrap_or(Value::Nil)),
        (Value::Vector(items), Some(index)) => items.values.get(index).cloned(),
        (Value::Str(text), Some(index)) => unit(cx, text, index)?,
        (Value::Seq(items), Some(index)) => items.nth(cx, index)?,
        (Value::Vector(_) | Value::Str(_) | Value::Seq(_), None) => None,
        (other, _) => {
            return Err(wrong(format!("`nth` takes a sequence, and this is {}", other.kind_name())));
        }
    };
    match (found, otherwise) {
        (Some(found), _) => Ok(found),
        (None, Some(otherwise)) => Ok(otherwise.clone()),
        (None, None) => Err(wrong("there is nothing at this place: `(nth coll n default)` gives a default")),
    }
}

fn contains(cx: &mut Cx<'_>, from: &Value, key: &Value) -> R<bool> {
    match from {
        Value::Nil => Ok(false),
        Value::Map(map) => Ok(map.find(cx, key)?.is_some()),
        Value::Set(set) => Ok(set.get(cx, key)?.is_some()),
        Value::Vector(items) => Ok(place_of(key).is_some_and(|place| place < items.values.len())),
        Value::Str(text) => match key {
            Value::Long(place) => {
                Ok(usize::try_from(*place).is_ok_and(|place| place < text.encode_utf16().count()))
            }
            _ => Err(wrong(
                "`contains?` of a string takes a place in it: for a part of it use `str/includes?`",
            )),
        },
        other => Err(wrong(format!(
            "`contains?` looks for a key, which {} has none of: use `some`",
            other.kind_name()
        ))),
    }
}

fn find(cx: &mut Cx<'_>, args: &[Value]) -> R<Value> {
    match entry(cx, &args[0], &args[1])? {
        Some((key, value)) => Items::entry(&mut cx.budget, key, value).map(Value::Vector),
        None => Ok(Value::Nil),
    }
}

/// A key of a map or vector, and what is there.
pub(super) fn entry(cx: &mut Cx<'_>, from: &Value, key: &Value) -> R<Option<(Value, Value)>> {
    match from {
        Value::Nil => Ok(None),
        Value::Map(map) => Ok(map.find(cx, key)?.map(|entry| (entry.key.clone(), entry.value.clone()))),
        Value::Vector(items) => {
            let found = place_of(key).and_then(|place| items.values.get(place));
            Ok(found.map(|found| (key.clone(), found.clone())))
        }
        other => Err(wrong(format!("a map is needed here, and this is {}", other.kind_name()))),
    }
}

fn at(cx: &mut Cx<'_>, from: &Value, place: usize) -> R<Value> {
    match from {
        Value::Nil => Ok(Value::Nil),
        Value::Vector(items) => Ok(items.values.get(place).cloned().unwrap_or(Value::Nil)),
        other => {
            let items = seq::of(cx, other)?;
            Ok(items.nth(cx, place)?.unwrap_or(Value::Nil))
        }
    }
}

fn entry_part(value: &Value, part: usize) -> R<Value> {
    match value {
        Value::Vector(items) if items.entry => Ok(items.values.get(part).cloned().unwrap_or(Value::Nil)),
        other => Err(wrong(format!("an entry of a map is needed here, and this is {}", other.kind_name()))),
    }
}

pub(super) fn count(cx: &mut Cx<'_>, value: &Value) -> R<usize> {
    match value {
        Value::Nil => Ok(0),
        Value::Vector(items) => Ok(items.values.len()),
        Value::Map(map) => Ok(map.len()),
        Value::Set(set) => Ok(set.len()),
        Value::Str(text) => Ok(text.encode_utf16().count()),
        Value::Seq(items) => items.count(cx),
        other => Err(wrong(format!("`count` takes a collection, and this is {}", other.kind_name()))),
    }
}
