//! The sources that pass on what they draw in the chunks it comes in, and ranges.

use std::collections::VecDeque;

use super::call::call;
use super::cx::Cx;
use super::error::R;
use super::input::{Batch, Input, one};
use super::number::arithmetic::{Beyond, add, sign};
use super::number::compare;
use super::seq::CHUNK;
use super::source::Pass;
use super::value::Value;

pub(super) fn through(
    cx: &mut Cx<'_>,
    batch: &mut Batch,
    pass: Pass,
    function: &Value,
    input: &mut Input,
    index: &mut Option<i64>,
) -> R<bool> {
    while batch.items.is_empty() {
        let mut drawn = Batch::default();
        input.batch(cx, &mut drawn)?;
        if drawn.items.is_empty() {
            return Ok(false);
        }
        batch.chunked = drawn.chunked;
        for item in drawn.items {
            cx.budget.steps(1)?;
            let made = match index {
                Some(place) => {
                    *place += 1;
                    call(cx, function, &[Value::Long(*place - 1), item.clone()])?
                }
                None => call(cx, function, std::slice::from_ref(&item))?,
            };
            match pass {
                Pass::Map => batch.items.push(made),
                Pass::Filter if made.is_true() => batch.items.push(item),
                Pass::Remove if !made.is_true() => batch.items.push(item),
                Pass::Keep if !made.is_nil() => batch.items.push(made),
                Pass::Filter | Pass::Remove | Pass::Keep => {}
            }
        }
    }
    Ok(true)
}

pub(super) fn concat(
    cx: &mut Cx<'_>,
    batch: &mut Batch,
    current: &mut Option<Input>,
    rest: &mut VecDeque<Value>,
    more: &mut Option<Input>,
) -> R<bool> {
    loop {
        cx.budget.steps(1)?;
        if let Some(input) = current {
            input.batch(cx, batch)?;
            if !batch.items.is_empty() {
                return Ok(true);
            }
        }
        let next = match (rest.pop_front(), more.as_mut()) {
            (Some(next), _) => Some(next),
            (None, Some(more)) => more.next(cx)?,
            (None, None) => None,
        };
        match next {
            Some(next) => *current = Some(Input::of(&next)),
            None => return Ok(false),
        }
    }
}

pub(super) fn range(
    cx: &mut Cx<'_>,
    batch: &mut Batch,
    next: &mut Value,
    step: &Value,
    end: Option<&Value>,
) -> R<bool> {
    let Some(end) = end else {
        let item = std::mem::replace(next, Value::Nil);
        *next = add(&mut cx.budget, Beyond::Promote, &item, step)?;
        return one(batch, item);
    };
    batch.chunked = true;
    let upwards = sign(step) >= 0;
    while batch.items.len() < CHUNK {
        cx.budget.steps(1)?;
        let order = compare::order(&mut cx.budget, next, end)?;
        let inside = if upwards {
            order.is_some_and(|order| order.is_lt())
        } else {
            order.is_some_and(|order| order.is_gt())
        };
        if !inside {
            return Ok(false);
        }
        let item = std::mem::replace(next, Value::Nil);
        // Past the greatest long there is nothing that is inside.
        *next = add(&mut cx.budget, Beyond::Promote, &item, step)?;
        batch.items.push(item);
    }
    Ok(true)
}
