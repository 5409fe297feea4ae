//! The lazy sequences that look at several items at once.

use super::call::call;
use super::cx::Cx;
use super::equal::equal;
use super::error::R;
use super::input::{Batch, Input, one, together};
use super::seq::Seq;
use super::seqable;
use super::source::Source;
use super::value::{Items, Value};

impl Source {
    pub(super) fn pull_grouped(&mut self, cx: &mut Cx<'_>, batch: &mut Batch) -> R<bool> {
        match self {
            Self::Partition { input, size, step, pad, all } => {
                partition(cx, batch, input, (*size, *step), pad.as_ref(), *all)
            }
            Self::PartitionBy { function, input } => {
                let Some(first) = input.next(cx)? else { return Ok(false) };
                let key = call(cx, function, std::slice::from_ref(&first))?;
                let mut group = vec![first];
                while let Some(next) = input.peek(cx)? {
                    let other = call(cx, function, std::slice::from_ref(&next))?;
                    if !equal(cx, &key, &other)? {
                        break;
                    }
                    input.next(cx)?;
                    group.push(next);
                }
                let group = Items::new(&mut cx.budget, group)?;
                one(batch, Value::Seq(Seq::plain(group)))
            }
            Self::Interleave { inputs } => {
                let Some(items) = together(cx, inputs, 2)? else { return Ok(false) };
                batch.items = items;
                Ok(true)
            }
            Self::Interpose { between, input, begun } => {
                let Some(item) = input.next(cx)? else { return Ok(false) };
                if std::mem::replace(begun, true) {
                    batch.items.push(between.clone());
                }
                one(batch, item)
            }
            Self::Distinct { input, seen } => {
                while let Some(item) = input.next(cx)? {
                    cx.budget.steps(1)?;
                    if seen.put(cx, item.clone())? {
                        return one(batch, item);
                    }
                }
                Ok(false)
            }
            Self::Dedupe { input, last } => {
                while let Some(item) = input.next(cx)? {
                    let same = match last {
                        Some(last) => equal(cx, last, &item)?,
                        None => false,
                    };
                    *last = Some(item.clone());
                    if !same {
                        return one(batch, item);
                    }
                }
                Ok(false)
            }
            Self::Reductions { function, input, last, begun } => {
                if !std::mem::replace(begun, true) {
                    let first = match last.take() {
                        Some(first) => first,
                        None => match input.next(cx)? {
                            Some(first) => first,
                            None => call(cx, function, &[])?,
                        },
                    };
                    *last = Some(first.clone());
                    return one(batch, first);
                }
                let (Some(so_far), Some(item)) = (last.take(), input.next(cx)?) else {
                    return Ok(false);
                };
                let next = call(cx, function, &[so_far, item])?;
                *last = Some(next.clone());
                one(batch, next)
            }
            Self::ForEach { function, input } => {
                while let Some(item) = input.next(cx)? {
                    cx.budget.steps(1)?;
                    let made = call(cx, function, &[item])?;
                    if made.is_nil() {
                        break;
                    }
                    batch.items = seqable::values(cx, &made)?;
                    if !batch.items.is_empty() {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }
}

fn partition(
    cx: &mut Cx<'_>,
    batch: &mut Batch,
    input: &mut Input,
    (size, step): (usize, usize),
    pad: Option<&Value>,
    all: bool,
) -> R<bool> {
    let mut group = Vec::new();
    // The group is looked at from where the input stands; the step may be shorter or longer.
    let mut ahead = input.fork(cx)?;
    while group.len() < size {
        cx.budget.steps(1)?;
        let Some(item) = ahead.next(cx)? else { break };
        group.push(item);
    }
    if group.is_empty() {
        return Ok(false);
    }
    let whole = group.len() == size;
    if !whole && !all {
        let Some(pad) = pad else { return Ok(false) };
        let mut pad = Input::of(pad);
        while group.len() < size {
            let Some(item) = pad.next(cx)? else { break };
            group.push(item);
        }
    }
    let group = Items::new(&mut cx.budget, group)?;
    batch.items.push(Value::Seq(Seq::realized(group)));
    for _ in 0..step {
        cx.budget.steps(1)?;
        if input.next(cx)?.is_none() {
            return Ok(false);
        }
    }
    Ok(whole || all)
}
