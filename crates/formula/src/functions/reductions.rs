//! Reductions: functions that go through a collection, as far as needed, and give one value.

use std::cmp::Ordering;
use std::rc::Rc;

use super::sequences::call_each;
use super::sorting::{SortOrder, sort};
use crate::call::call;
use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;
use crate::lazy_sequences::{ItemCursor, MAX_PEEKED_MAP_INPUTS, next_of_each};
use crate::value::Value;
use crate::value::function::{ANY_COUNT, Builtin};
use crate::value::iteration::{items_of, sequence_of};
use crate::value::map::Map;
use crate::value::number::comparison;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("mapv", (2, ANY_COUNT), |ctx, args| {
        let [function, inputs @ ..] = args else { return Ok(Value::Nil) };
        let values = match inputs {
            [input] => {
                let values = items_of(ctx, input)?;
                call_each(ctx, function, &values)?
            }
            _ => map_together(ctx, function, inputs)?,
        };
        Value::vector(&mut ctx.budget, values)
    }),
    Builtin::new("filterv", (2, 2), |ctx, args| {
        let mut kept = Vec::new();
        for value in items_of(ctx, &args[1])? {
            if call(ctx, &args[0], std::slice::from_ref(&value))?.is_true() {
                kept.push(value);
            }
        }
        Value::vector(&mut ctx.budget, kept)
    }),
    Builtin::new("some", (2, 2), |ctx, args| {
        let items = sequence_of(ctx, &args[1])?;
        let mut index = 0;
        while let Some(item) = items.nth(ctx, index)? {
            let found = call(ctx, &args[0], &[item])?;
            if found.is_true() {
                return Ok(found);
            }
            index += 1;
        }
        Ok(Value::Nil)
    }),
    Builtin::new("every?", (2, 2), |ctx, args| is_true_of_all(ctx, &args[0], &args[1]).map(Value::Bool)),
    Builtin::new("not-every?", (2, 2), |ctx, args| {
        is_true_of_all(ctx, &args[0], &args[1]).map(|all| Value::Bool(!all))
    }),
    Builtin::new("not-any?", (2, 2), |ctx, args| {
        let items = sequence_of(ctx, &args[1])?;
        let mut index = 0;
        while let Some(item) = items.nth(ctx, index)? {
            if call(ctx, &args[0], &[item])?.is_true() {
                return Ok(Value::Bool(false));
            }
            index += 1;
        }
        Ok(Value::Bool(true))
    }),
    Builtin::new("reduce", (2, 3), |ctx, args| match args {
        [function, input] => {
            let mut values = items_of(ctx, input)?.into_iter();
            match values.next() {
                None => call(ctx, function, &[]),
                Some(first) => reduce(ctx, function, first, values),
            }
        }
        _ => {
            let values = items_of(ctx, &args[2])?;
            reduce(ctx, &args[0], args[1].clone(), values.into_iter())
        }
    }),
    Builtin::new("sort", (1, 2), |ctx, args| match args {
        [input] => sorted(ctx, SortOrder::Compare, None, input),
        [comparator, input] => sorted_by(ctx, comparator, None, input),
        _ => Ok(Value::Nil),
    }),
    Builtin::new("sort-by", (2, 3), |ctx, args| match args {
        [key, input] => sorted(ctx, SortOrder::Compare, Some(key), input),
        [key, comparator, input] => sorted_by(ctx, comparator, Some(key), input),
        _ => Ok(Value::Nil),
    }),
    Builtin::new("group-by", (2, 2), |ctx, args| {
        let values = items_of(ctx, &args[1])?;
        let keys = call_each(ctx, &args[0], &values)?;
        let mut groups: Vec<Vec<Value>> = Vec::new();
        let mut group_indexes = Map::default();
        for (key, value) in keys.into_iter().zip(values) {
            match group_indexes.get(ctx, &key)? {
                Some(Value::Long(index)) => groups[index as usize].push(value),
                _ => {
                    group_indexes.put(ctx, key, Value::Long(groups.len() as i64))?;
                    groups.push(vec![value]);
                }
            }
        }
        let mut map = Map::default();
        let keys: Vec<_> =
            group_indexes.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
        for (key, index) in keys {
            let Value::Long(index) = index else { continue };
            let group = std::mem::take(&mut groups[index as usize]);
            let group = Value::vector(&mut ctx.budget, group)?;
            map.put(ctx, key, group)?;
        }
        Ok(Value::Map(Rc::new(map)))
    }),
    Builtin::new("frequencies", (1, 1), |ctx, args| {
        let mut counts = Map::default();
        for value in items_of(ctx, &args[0])? {
            let count = match counts.get(ctx, &value)? {
                Some(Value::Long(count)) => count,
                _ => 0,
            };
            counts.put(ctx, value, Value::Long(count + 1))?;
        }
        Ok(Value::Map(Rc::new(counts)))
    }),
    Builtin::new("max-key", (2, ANY_COUNT), |ctx, args| extreme_by_key(ctx, args, Ordering::Greater)),
    Builtin::new("min-key", (2, ANY_COUNT), |ctx, args| extreme_by_key(ctx, args, Ordering::Less)),
];

/// The results of a function for the first item of each collection, the second of each, and so on.
fn map_together(ctx: &mut EvaluationContext<'_>, function: &Value, inputs: &[Value]) -> Result<Vec<Value>> {
    let mut inputs: Vec<_> = inputs.iter().map(ItemCursor::of).collect();
    let mut results = Vec::new();
    while let Some(args) = next_of_each(ctx, &mut inputs, MAX_PEEKED_MAP_INPUTS)? {
        results.push(call(ctx, function, &args)?);
    }
    Ok(results)
}

fn is_true_of_all(ctx: &mut EvaluationContext<'_>, function: &Value, input: &Value) -> Result<bool> {
    let items = sequence_of(ctx, input)?;
    let mut index = 0;
    while let Some(item) = items.nth(ctx, index)? {
        if !call(ctx, function, &[item])?.is_true() {
            return Ok(false);
        }
        index += 1;
    }
    Ok(true)
}

fn reduce(
    ctx: &mut EvaluationContext<'_>,
    function: &Value,
    first: Value,
    values: std::vec::IntoIter<Value>,
) -> Result<Value> {
    let mut result = first;
    for value in values {
        result = call(ctx, function, &[result, value])?;
    }
    Ok(result)
}

fn sorted_by(
    ctx: &mut EvaluationContext<'_>,
    comparator: &Value,
    key: Option<&Value>,
    input: &Value,
) -> Result<Value> {
    match comparator {
        Value::Function(_) => sorted(ctx, SortOrder::Function(comparator), key, input),
        // `sort` hands a nil comparator to Java, which then uses the order of the values themselves.
        Value::Nil if key.is_none() => sorted(ctx, SortOrder::Java, key, input),
        _ => {
            let values = items_of(ctx, input)?;
            // `sort-by` does not use the comparator until there are two values.
            if values.len() > usize::from(key.is_some()) {
                return Err(invalid(format!(
                    "a function to compare by is needed here, and this is {}",
                    comparator.type_name()
                )));
            }
            sorted(ctx, SortOrder::Compare, None, input)
        }
    }
}

fn sorted(
    ctx: &mut EvaluationContext<'_>,
    order: SortOrder<'_>,
    key: Option<&Value>,
    input: &Value,
) -> Result<Value> {
    let values = items_of(ctx, input)?;
    if values.is_empty() {
        return Value::list(&mut ctx.budget, values);
    }
    let keys = match key {
        // The key of a single value is not needed.
        Some(key) if values.len() > 1 => call_each(ctx, key, &values)?,
        _ => values.clone(),
    };
    let sorted = sort(ctx, order, keys.into_iter().zip(values).collect())?;
    let sorted = sorted.into_iter().map(|(_, value)| value).collect();
    Value::realized_sequence(&mut ctx.budget, sorted)
}

/// The value whose key is the greatest or least, as `wanted` says; of equal keys that of the last. A key that is NaN
/// replaces the first key if it is the second, and no key if it comes later.
fn extreme_by_key(ctx: &mut EvaluationContext<'_>, args: &[Value], wanted: Ordering) -> Result<Value> {
    let [function, first, rest @ ..] = args else { return Ok(Value::Nil) };
    if rest.is_empty() {
        return Ok(first.clone());
    }
    let mut best = (call(ctx, function, std::slice::from_ref(first))?, first.clone());
    for (index, value) in rest.iter().enumerate() {
        let key = call(ctx, function, std::slice::from_ref(value))?;
        let order = comparison::order(&mut ctx.budget, &key, &best.0)?;
        let is_better = order == Some(wanted) || order == Some(Ordering::Equal);
        if is_better || index == 0 && order != Some(wanted.reverse()) {
            best = (key, value.clone());
        }
    }
    Ok(best.1)
}
