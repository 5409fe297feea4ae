//! A formula's value as JSON, where JSON has such a value.

use serde_json::value::RawValue;

use super::cx::Cx;
use super::error::R;
use super::price;
use super::print::{printed, text};
use super::value::Value;

/// The value as JSON; ratios, infinities, functions, regexes and the like are null.
pub(super) fn json(cx: &mut Cx<'_>, value: &Value) -> R<Box<RawValue>> {
    let mut out = String::new();
    write(cx, value, &mut out)?;
    // What was written is JSON.
    Ok(RawValue::from_string(out).unwrap_or_default())
}

fn write(cx: &mut Cx<'_>, value: &Value, out: &mut String) -> R<()> {
    cx.budget.steps(1 + price::value(value))?;
    let before = out.len();
    match value {
        Value::Bool(_) | Value::Long(_) => {
            let plain = text(cx, value)?;
            out.push_str(&plain);
        }
        Value::Double(double) if double.is_finite() => {
            out.push_str(&serde_json::Value::from(*double).to_string())
        }
        Value::Big(big) => out.push_str(&big.to_string()),
        Value::Decimal(decimal) => out.push_str(&decimal.plain()),
        Value::Str(text) | Value::Symbol(text) | Value::Keyword(text) => out.push_str(&quoted(text)),
        Value::Vector(items) => list(cx, items.values.iter().cloned(), out)?,
        Value::Set(set) => {
            let values: Vec<_> = set.values().cloned().collect();
            list(cx, values.into_iter(), out)?;
        }
        Value::Seq(seq) => {
            let values = seq.all(cx)?;
            list(cx, values.into_iter(), out)?;
        }
        Value::Map(map) => {
            cx.budget.enter()?;
            out.push('{');
            let mut names: Vec<String> = Vec::new();
            for entry in map.entries() {
                let name = match &entry.key {
                    Value::Str(text) | Value::Symbol(text) | Value::Keyword(text) => text.to_string(),
                    other => printed(cx, other)?,
                };
                cx.budget.steps(names.len())?;
                // `:a` and `"a"` are one name in JSON: the first stays.
                if names.contains(&name) {
                    continue;
                }
                if !names.is_empty() {
                    out.push(',');
                }
                out.push_str(&quoted(&name));
                out.push(':');
                write(cx, &entry.value, out)?;
                names.push(name);
            }
            out.push('}');
            cx.budget.leave();
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
    cx.budget.text(out.len() - before)
}

fn list(cx: &mut Cx<'_>, values: impl Iterator<Item = Value>, out: &mut String) -> R<()> {
    cx.budget.enter()?;
    out.push('[');
    for (place, value) in values.enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(cx, &value, out)?;
    }
    out.push(']');
    cx.budget.leave();
    Ok(())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
