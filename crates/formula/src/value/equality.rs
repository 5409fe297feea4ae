//! `=`.

use super::cx::Cx;
use super::error::R;
use super::number::compare;
use super::price;
use super::value::Value;

/// Whether two values are equal: vectors and sequences by their items, maps and sets whatever their order.
pub(super) fn equal(cx: &mut Cx<'_>, a: &Value, b: &Value) -> R<bool> {
    cx.budget.steps(1)?;
    // What is the same is equal whatever is in it, though it be NaN.
    if a.is_same(b) {
        return Ok(true);
    }
    Ok(match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Char(a), Value::Char(b)) => a == b,
        (Value::Str(a), Value::Str(b))
        | (Value::Keyword(a), Value::Keyword(b))
        | (Value::Symbol(a), Value::Symbol(b)) => {
            cx.budget.steps(price::text(a.len().min(b.len())))?;
            a == b
        }
        (Value::Function(a), Value::Function(b)) => a.same_builtin(b),
        _ if a.holds_others() && b.holds_others() => {
            cx.budget.enter()?;
            let equal = collections_equal(cx, a, b)?;
            cx.budget.leave();
            equal
        }
        _ => super::number::kind_of(a).is_some() && compare::equal(&mut cx.budget, a, b)?,
    })
}

fn collections_equal(cx: &mut Cx<'_>, a: &Value, b: &Value) -> R<bool> {
    match (a, b) {
        (Value::Vector(_) | Value::Seq(_), Value::Vector(_) | Value::Seq(_)) => items_equal(cx, a, b),
        (Value::Map(a), Value::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for entry in a.entries() {
                match b.find(cx, &entry.key)? {
                    Some(other) if equal(cx, &entry.value, &other.value)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (Value::Set(a), Value::Set(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for value in a.values() {
                if b.get(cx, value)?.is_none() {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn items_equal(cx: &mut Cx<'_>, a: &Value, b: &Value) -> R<bool> {
    if let (Value::Vector(a), Value::Vector(b)) = (a, b)
        && a.values.len() != b.values.len()
    {
        return Ok(false);
    }
    let (mut place, a, b) = (0, super::seq::of(cx, a)?, super::seq::of(cx, b)?);
    loop {
        match (a.nth(cx, place)?, b.nth(cx, place)?) {
            (Some(a), Some(b)) if equal(cx, &a, &b)? => place += 1,
            (None, None) => return Ok(true),
            _ => return Ok(false),
        }
    }
}
