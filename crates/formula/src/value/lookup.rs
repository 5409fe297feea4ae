//! Look-ups in any value: by key, as `get` does, and by index, as `nth` does.

use super::Value;
use super::iteration::char_value;
use super::number::{conversion, number_kind, require_number};
use crate::cost;
use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;

/// The value at a key; none where there is none, and in values that have no keys.
pub(crate) fn get(ctx: &mut EvaluationContext<'_>, from: &Value, key: &Value) -> Result<Option<Value>> {
    match from {
        Value::Map(map) => map.get(ctx, key),
        Value::Set(set) => set.get(ctx, key),
        Value::Vector(items) => Ok(vector_index(key).and_then(|index| items.values.get(index).cloned())),
        // Java casts any number to an int here.
        Value::Str(text) => match string_index(key) {
            Some(index) => char_at(ctx, text, index),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The item at an index. Past the end it is `default`, or an error where there is none.
pub(crate) fn nth(
    ctx: &mut EvaluationContext<'_>,
    from: &Value,
    index: &Value,
    default: Option<&Value>,
) -> Result<Value> {
    require_number(index)?;
    let index = usize::try_from(conversion::int(index)?).ok();
    let found = match (from, index) {
        (Value::Nil, _) => return Ok(default.cloned().unwrap_or(Value::Nil)),
        (Value::Vector(items), Some(index)) => items.values.get(index).cloned(),
        (Value::Str(text), Some(index)) => char_at(ctx, text, index)?,
        (Value::Sequence(sequence), Some(index)) => sequence.nth(ctx, index)?,
        (Value::Vector(_) | Value::Str(_) | Value::Sequence(_), None) => None,
        (other, _) => {
            return Err(invalid(format!("`nth` takes a sequence, and this is {}", other.type_name())));
        }
    };
    match (found, default) {
        (Some(found), _) => Ok(found),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => {
            Err(invalid("there is nothing at this place: `(nth coll n default)` gives a default"))
        }
    }
}

/// The index into a vector that a key is; none if it is no whole number, or negative.
pub(crate) fn vector_index(key: &Value) -> Option<usize> {
    match key {
        Value::Long(index) => usize::try_from(*index).ok(),
        Value::BigInt(index) => usize::try_from(&**index).ok(),
        _ => None,
    }
}

fn string_index(key: &Value) -> Option<usize> {
    number_kind(key)?;
    usize::try_from(conversion::long(key).ok()?).ok()
}

/// The character at an index that counts 16-bit units, as Java does.
fn char_at(ctx: &mut EvaluationContext<'_>, text: &str, index: usize) -> Result<Option<Value>> {
    ctx.budget.take_steps(cost::scan_text(text.len()))?;
    if text.is_ascii() {
        return Ok(text.as_bytes().get(index).map(|byte| Value::Char(char::from(*byte))));
    }
    match text.encode_utf16().nth(index) {
        None => Ok(None),
        Some(unit) => match char::from_u32(u32::from(unit)) {
            Some(char) => Ok(Some(Value::Char(char))),
            // Half of a surrogate pair: refused as the whole character is.
            None => char_value('\u{10000}').map(Some),
        },
    }
}
