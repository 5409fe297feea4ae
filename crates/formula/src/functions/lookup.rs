//! Look-ups: values of collections by key, by index or by their position, and how many there are.

use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::function::Builtin;
use crate::value::items::Items;
use crate::value::iteration::{items_of, sequence_of};
use crate::value::lookup::{get, nth, vector_index};
use crate::value::number::conversion;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("get", (2, 3), |ctx, args| {
        Ok(get(ctx, &args[0], &args[1])?.unwrap_or_else(|| args.get(2).cloned().unwrap_or(Value::Nil)))
    }),
    Builtin::new("get-in", (2, 3), get_in),
    Builtin::new("nth", (2, 3), |ctx, args| nth(ctx, &args[0], &args[1], args.get(2))),
    Builtin::new("contains?", (2, 2), |ctx, args| contains(ctx, &args[0], &args[1]).map(Value::Bool)),
    Builtin::new("find", (2, 2), find),
    Builtin::new("first", (1, 1), |ctx, args| item_or_nil(ctx, &args[0], 0)),
    Builtin::new("second", (1, 1), |ctx, args| item_or_nil(ctx, &args[0], 1)),
    Builtin::new("ffirst", (1, 1), |ctx, args| {
        let first = item_or_nil(ctx, &args[0], 0)?;
        item_or_nil(ctx, &first, 0)
    }),
    Builtin::new("last", (1, 1), |ctx, args| match &args[0] {
        Value::Vector(items) => Ok(items.values.last().cloned().unwrap_or(Value::Nil)),
        other => Ok(items_of(ctx, other)?.pop().unwrap_or(Value::Nil)),
    }),
    Builtin::new("peek", (1, 1), |ctx, args| match &args[0] {
        Value::Nil => Ok(Value::Nil),
        Value::Vector(items) => Ok(items.values.last().cloned().unwrap_or(Value::Nil)),
        Value::Sequence(list) if list.is_list() => item_or_nil(ctx, &args[0], 0),
        other => Err(invalid(format!("`peek` takes a vector or list, and this is {}", other.type_name()))),
    }),
    Builtin::new("key", (1, 1), |_, args| entry_part(&args[0], 0)),
    Builtin::new("val", (1, 1), |_, args| entry_part(&args[0], 1)),
    Builtin::new("count", (1, 1), |ctx, args| count(ctx, &args[0])),
    Builtin::new("bounded-count", (2, 2), |ctx, args| {
        let max_count = conversion::item_count(&args[0])?;
        match &args[1] {
            Value::Sequence(items) if !items.is_counted() => {
                let mut count = 0;
                while count < max_count && items.nth(ctx, count)?.is_some() {
                    count += 1;
                }
                Ok(Value::Long(count as i64))
            }
            counted => count(ctx, counted),
        }
    }),
    Builtin::new("empty?", (1, 1), |ctx, args| {
        let items = sequence_of(ctx, &args[0])?;
        items.is_empty(ctx).map(Value::Bool)
    }),
];

fn get_in(ctx: &mut EvaluationContext<'_>, args: &[Value]) -> Result<Value> {
    let keys = items_of(ctx, &args[1])?;
    let mut value = args[0].clone();
    for key in &keys {
        match get(ctx, &value, key)? {
            Some(next) => value = next,
            None => return Ok(args.get(2).cloned().unwrap_or(Value::Nil)),
        }
    }
    Ok(value)
}

fn contains(ctx: &mut EvaluationContext<'_>, from: &Value, key: &Value) -> Result<bool> {
    match from {
        Value::Nil => Ok(false),
        Value::Map(map) => Ok(map.find(ctx, key)?.is_some()),
        Value::Set(set) => Ok(set.get(ctx, key)?.is_some()),
        Value::Vector(items) => Ok(vector_index(key).is_some_and(|index| index < items.values.len())),
        Value::Str(text) => match key {
            Value::Long(index) => {
                Ok(usize::try_from(*index).is_ok_and(|index| index < text.encode_utf16().count()))
            }
            _ => Err(invalid(
                "`contains?` of a string takes a place in it: for a part of it use `str/includes?`",
            )),
        },
        other => Err(invalid(format!(
            "`contains?` looks for a key, which {} has none of: use `some`",
            other.type_name()
        ))),
    }
}

fn find(ctx: &mut EvaluationContext<'_>, args: &[Value]) -> Result<Value> {
    match find_entry(ctx, &args[0], &args[1])? {
        Some((key, value)) => Items::map_entry(&mut ctx.budget, key, value).map(Value::Vector),
        None => Ok(Value::Nil),
    }
}

/// A key of a map or vector, and its value; none where the key is not there.
pub(super) fn find_entry(
    ctx: &mut EvaluationContext<'_>,
    from: &Value,
    key: &Value,
) -> Result<Option<(Value, Value)>> {
    match from {
        Value::Nil => Ok(None),
        Value::Map(map) => Ok(map.find(ctx, key)?.map(|entry| (entry.key.clone(), entry.value.clone()))),
        Value::Vector(items) => {
            let found = vector_index(key).and_then(|index| items.values.get(index));
            Ok(found.map(|found| (key.clone(), found.clone())))
        }
        other => Err(invalid(format!("a map is needed here, and this is {}", other.type_name()))),
    }
}

/// The item at an index; nil past the end.
fn item_or_nil(ctx: &mut EvaluationContext<'_>, from: &Value, index: usize) -> Result<Value> {
    match from {
        Value::Nil => Ok(Value::Nil),
        Value::Vector(items) => Ok(items.values.get(index).cloned().unwrap_or(Value::Nil)),
        other => {
            let items = sequence_of(ctx, other)?;
            Ok(items.nth(ctx, index)?.unwrap_or(Value::Nil))
        }
    }
}

/// The key (0) or value (1) of an entry of a map.
fn entry_part(value: &Value, part: usize) -> Result<Value> {
    match value {
        Value::Vector(items) if items.is_map_entry => {
            Ok(items.values.get(part).cloned().unwrap_or(Value::Nil))
        }
        other => Err(invalid(format!("an entry of a map is needed here, and this is {}", other.type_name()))),
    }
}

/// `count`: strings are counted in 16-bit units.
fn count(ctx: &mut EvaluationContext<'_>, value: &Value) -> Result<Value> {
    let count = match value {
        Value::Nil => 0,
        Value::Vector(items) => items.values.len(),
        Value::Map(map) => map.len(),
        Value::Set(set) => set.len(),
        Value::Str(text) => text.encode_utf16().count(),
        Value::Sequence(items) => items.count(ctx)?,
        other => {
            return Err(invalid(format!("`count` takes a collection, and this is {}", other.type_name())));
        }
    };
    Ok(Value::Long(count as i64))
}
