//! JSON of a formula's value.
//!
//! Values that JSON does not have (ratios, characters, infinities, NaN, functions, regexes) are null. Keywords and symbols
//! are strings; keys of maps that are neither are strings as `pr-str` prints them.

use serde_json::value::RawValue;

use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use crate::printing::{pr_str, str_text};
use crate::value::Value;

/// The JSON of a value.
pub(crate) fn to_json(ctx: &mut EvaluationContext<'_>, value: &Value) -> Result<Box<RawValue>> {
    let mut out = String::new();
    write(ctx, value, &mut out)?;
    // `write` writes JSON, so this does not fail.
    Ok(RawValue::from_string(out).unwrap_or_default())
}

fn write(ctx: &mut EvaluationContext<'_>, value: &Value, out: &mut String) -> Result<()> {
    ctx.budget.take_steps(1 + value.scan_steps())?;
    let before = out.len();
    match value {
        Value::Bool(_) | Value::Long(_) => {
            let text = str_text(ctx, value)?;
            out.push_str(&text);
        }
        Value::Double(double) if double.is_finite() => {
            out.push_str(&serde_json::Value::from(*double).to_string())
        }
        Value::BigInt(big) => out.push_str(&big.to_string()),
        Value::Decimal(decimal) => out.push_str(&decimal.to_plain_string()),
        Value::Str(text) | Value::Symbol(text) | Value::Keyword(text) => out.push_str(&quoted(text)),
        Value::Vector(items) => list(ctx, items.values.iter().cloned(), out)?,
        Value::Set(set) => {
            let values: Vec<_> = set.values().cloned().collect();
            list(ctx, values.into_iter(), out)?;
        }
        Value::Sequence(sequence) => {
            let values = sequence.to_values(ctx)?;
            list(ctx, values.into_iter(), out)?;
        }
        Value::Map(map) => {
            ctx.budget.enter_level()?;
            out.push('{');
            let mut names: Vec<String> = Vec::new();
            for entry in map.entries() {
                let name = match &entry.key {
                    Value::Str(text) | Value::Symbol(text) | Value::Keyword(text) => text.to_string(),
                    other => pr_str(ctx, other)?,
                };
                ctx.budget.take_steps(names.len())?;
                // `:a` and `"a"` are one name in JSON: the first of them counts.
                if names.contains(&name) {
                    continue;
                }
                if !names.is_empty() {
                    out.push(',');
                }
                out.push_str(&quoted(&name));
                out.push(':');
                write(ctx, &entry.value, out)?;
                names.push(name);
            }
            out.push('}');
            ctx.budget.leave_level();
        }
        Value::Nil
        | Value::Double(_)
        | Value::Ratio(_)
        | Value::Char(_)
        | Value::Regex(_)
        | Value::Function(_) => {
            out.push_str("null");
        }
    }
    ctx.budget.take_string(out.len() - before)
}

fn list(
    ctx: &mut EvaluationContext<'_>,
    values: impl Iterator<Item = Value>,
    out: &mut String,
) -> Result<()> {
    ctx.budget.enter_level()?;
    out.push('[');
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(ctx, &value, out)?;
    }
    out.push(']');
    ctx.budget.leave_level();
    Ok(())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
