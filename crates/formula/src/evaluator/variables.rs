//! Values of the context's variables.
//!
//! Whole numbers of JSON are longs, or big integers where they do not fit; other numbers are doubles; `null` is nil; a
//! list is a vector, an object a map with keywords for keys. A variable becomes a value when a formula reads it.

use std::borrow::Cow;
use std::rc::Rc;

use num_bigint::BigInt;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::budget::{Budget, MAX_NUMBER_BITS};
use crate::context::{Members, Text};
use crate::cost;
use crate::error::{Result, invalid, limit_exceeded};
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::map::Map;
use crate::value::number::big_int_value;

/// The value of a variable; nil where the context has none of this name.
pub(super) fn variable(ctx: &mut EvaluationContext<'_>, name: &str) -> Result<Value> {
    ctx.budget.take_steps(1)?;
    match ctx.context.variable(name) {
        Some(json) => value(ctx, json),
        None => Ok(Value::Nil),
    }
}

fn value(ctx: &mut EvaluationContext<'_>, json: &RawValue) -> Result<Value> {
    let text = json.get();
    match text.as_bytes() {
        [b'n', ..] => Ok(Value::Nil),
        [b't', ..] => Ok(Value::Bool(true)),
        [b'f', ..] => Ok(Value::Bool(false)),
        [b'"', ..] => {
            let text: Cow<'_, str> = parsed::<Text<'_>>(ctx, text)?.0;
            Value::string(&mut ctx.budget, &*text)
        }
        [b'[', ..] => {
            let items: Vec<&RawValue> = parsed(ctx, text)?;
            ctx.budget.enter_level()?;
            let values = items.into_iter().map(|item| value(ctx, item)).collect::<Result<_>>()?;
            ctx.budget.leave_level();
            Value::vector(&mut ctx.budget, values)
        }
        [b'{', ..] => {
            let Members(members) = parsed(ctx, text)?;
            ctx.budget.enter_level()?;
            let mut map = Map::default();
            for (name, json) in members {
                let value = value(ctx, json)?;
                map.put(ctx, Value::Keyword(name.into()), value)?;
            }
            ctx.budget.leave_level();
            Ok(Value::Map(Rc::new(map)))
        }
        _ => number(&mut ctx.budget, text),
    }
}

fn parsed<'a, T: Deserialize<'a>>(ctx: &mut EvaluationContext<'_>, text: &'a str) -> Result<T> {
    ctx.budget.take_bytes(text.len())?;
    ctx.budget.take_steps(cost::scan_text(text.len()))?;
    serde_json::from_str(text).map_err(|_| invalid("a variable holds text that is not Unicode"))
}

fn number(budget: &mut Budget, text: &str) -> Result<Value> {
    if text.bytes().any(|byte| byte != b'-' && !byte.is_ascii_digit()) {
        return Ok(Value::Double(text.parse().unwrap_or(f64::NAN)));
    }
    if let Ok(long) = text.parse() {
        return Ok(Value::Long(long));
    }
    if text.len() as u64 * 3 > MAX_NUMBER_BITS {
        return Err(limit_exceeded("a number of the context has too many digits"));
    }
    budget.take_steps(text.len() + cost::multiply(text.len() as u64 * 4))?;
    big_int_value(budget, BigInt::parse_bytes(text.as_bytes(), 10).unwrap_or_default())
}
