//! Equality (`=`): vectors and sequences by their items, maps and sets whatever their order.

use super::Value;
use super::number::{comparison, number_kind};
use super::sequence::Sequence;
use crate::cost;
use crate::error::Result;
use crate::evaluation_context::EvaluationContext;

/// Whether two values are equal.
pub(crate) fn equal(ctx: &mut EvaluationContext<'_>, a: &Value, b: &Value) -> Result<bool> {
    ctx.budget.take_steps(1)?;
    // An object equals itself, even if there is a NaN in it.
    if a.is_identical(b) {
        return Ok(true);
    }
    Ok(match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Char(a), Value::Char(b)) => a == b,
        (Value::Str(a), Value::Str(b))
        | (Value::Keyword(a), Value::Keyword(b))
        | (Value::Symbol(a), Value::Symbol(b)) => {
            ctx.budget.take_steps(cost::scan_text(a.len().min(b.len())))?;
            a == b
        }
        (Value::Function(a), Value::Function(b)) => a.is_same_builtin(b),
        _ if a.is_compound() && b.is_compound() => {
            ctx.budget.enter_level()?;
            let equal = collections_equal(ctx, a, b)?;
            ctx.budget.leave_level();
            equal
        }
        _ => number_kind(a).is_some() && comparison::equal(&mut ctx.budget, a, b)?,
    })
}

fn collections_equal(ctx: &mut EvaluationContext<'_>, a: &Value, b: &Value) -> Result<bool> {
    match (a, b) {
        (Value::Vector(a), Value::Vector(b)) => {
            if a.values.len() != b.values.len() {
                return Ok(false);
            }
            items_equal(ctx, &Sequence::of_vector(a), &Sequence::of_vector(b))
        }
        (Value::Vector(a), Value::Sequence(b)) => items_equal(ctx, &Sequence::of_vector(a), b),
        (Value::Sequence(a), Value::Vector(b)) => items_equal(ctx, a, &Sequence::of_vector(b)),
        (Value::Sequence(a), Value::Sequence(b)) => items_equal(ctx, a, b),
        (Value::Map(a), Value::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for entry in a.entries() {
                match b.find(ctx, &entry.key)? {
                    Some(other) if equal(ctx, &entry.value, &other.value)? => {}
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
                if b.get(ctx, value)?.is_none() {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn items_equal(ctx: &mut EvaluationContext<'_>, a: &Sequence, b: &Sequence) -> Result<bool> {
    let mut index = 0;
    loop {
        match (a.nth(ctx, index)?, b.nth(ctx, index)?) {
            (Some(a), Some(b)) if equal(ctx, &a, &b)? => index += 1,
            (None, None) => return Ok(true),
            _ => return Ok(false),
        }
    }
}
