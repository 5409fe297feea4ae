//! The items of anything that has some.

use super::cx::Cx;
use super::error::{R, unsupported, wrong};
use super::value::Value;

/// The items of anything that has a sequence.
pub(super) fn values(cx: &mut Cx<'_>, value: &Value) -> R<Vec<Value>> {
    match value {
        Value::Nil => Ok(Vec::new()),
        Value::Seq(seq) => seq.all(cx),
        Value::Vector(items) => {
            cx.budget.values(items.values.len())?;
            Ok(items.values.clone())
        }
        Value::Map(map) => map.pairs(&mut cx.budget),
        Value::Set(set) => {
            cx.budget.values(set.len())?;
            Ok(set.values().cloned().collect())
        }
        Value::Str(text) => {
            cx.budget.values(text.len())?;
            text.chars().map(character).collect()
        }
        other => Err(wrong(format!("a collection is needed here, and this is {}", other.kind_name()))),
    }
}

pub(super) fn character(char: char) -> R<Value> {
    if char > '\u{ffff}' {
        return Err(unsupported("single characters beyond 16 bits, such as emoji, are not supported"));
    }
    Ok(Value::Char(char))
}
