//! Iteration over anything that has items: collections, strings, and nil, which has none.

use super::Value;
use super::items::Items;
use super::sequence::Sequence;
use crate::error::{Result, invalid, unsupported};
use crate::evaluation_context::EvaluationContext;

/// The sequence of a value, as `seq` finds it; an empty one where there are no items.
pub(crate) fn sequence_of(ctx: &mut EvaluationContext<'_>, value: &Value) -> Result<Sequence> {
    Ok(match value {
        Value::Sequence(sequence) => sequence.clone(),
        Value::Vector(items) => Sequence::of_vector(items),
        other => {
            let values = items_of(ctx, other)?;
            Sequence::realized(Items::new(&mut ctx.budget, values)?)
        }
    })
}

/// All items of a value. A lazy sequence is computed to its end.
pub(crate) fn items_of(ctx: &mut EvaluationContext<'_>, value: &Value) -> Result<Vec<Value>> {
    match value {
        Value::Nil => Ok(Vec::new()),
        Value::Sequence(sequence) => sequence.to_values(ctx),
        Value::Vector(items) => {
            ctx.budget.take_values(items.values.len())?;
            Ok(items.values.clone())
        }
        Value::Map(map) => map.entry_values(&mut ctx.budget),
        Value::Set(set) => {
            ctx.budget.take_values(set.len())?;
            Ok(set.values().cloned().collect())
        }
        Value::Str(text) => {
            ctx.budget.take_values(text.len())?;
            text.chars().map(char_value).collect()
        }
        other => Err(invalid(format!("a collection is needed here, and this is {}", other.type_name()))),
    }
}

/// A character as a value; an error where it does not fit into the 16 bits that Java has for one.
pub(crate) fn char_value(char: char) -> Result<Value> {
    if char > '\u{ffff}' {
        return Err(unsupported("single characters beyond 16 bits, such as emoji, are not supported"));
    }
    Ok(Value::Char(char))
}
