//! What makes the items of a lazy sequence, a few at a time.

use std::collections::VecDeque;

use super::call::call;
use super::cx::Cx;
use super::error::R;
use super::input::{Batch, Input, one, together};
use super::map::Set;
use super::seq::Seq;
use super::source_streams::{concat, range, through};
use super::value::Value;

/// How a source passes on what it draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// What the function makes of it.
    Map,
    /// It, where the function says yes.
    Filter,
    /// It, where the function says no.
    Remove,
    /// What the function makes of it, but for nil.
    Keep,
}

#[derive(Debug)]
pub(super) enum Source {
    /// One input through a function, in the chunks it comes in; with its place where `index` is there.
    Through {
        pass: Pass,
        function: Value,
        input: Input,
        index: Option<i64>,
    },
    /// `map` over several.
    Zip {
        function: Value,
        inputs: Vec<Input>,
    },
    /// The items of each in turn.
    Concat {
        current: Option<Input>,
        rest: VecDeque<Value>,
        more: Option<Input>,
    },
    /// What follows items that are there.
    Tail(Seq),
    Range {
        next: Value,
        step: Value,
        end: Option<Value>,
    },
    Iterate {
        function: Value,
        last: Option<Value>,
    },
    Repeat {
        value: Value,
        left: Option<i64>,
    },
    Cycle {
        all: Seq,
        rest: Seq,
    },
    Take {
        input: Input,
        left: usize,
    },
    TakeWhile {
        function: Value,
        input: Input,
    },
    Drop {
        input: Input,
        count: usize,
    },
    DropWhile {
        function: Value,
        input: Input,
    },
    TakeNth {
        input: Input,
        step: usize,
        /// How many are passed over before the next.
        due: usize,
    },
    /// `partition`, with what fills the last one up, and `partition-all`.
    Partition {
        input: Input,
        size: usize,
        step: usize,
        pad: Option<Value>,
        all: bool,
    },
    PartitionBy {
        function: Value,
        input: Input,
    },
    Interleave {
        inputs: Vec<Input>,
    },
    Interpose {
        between: Value,
        input: Input,
        begun: bool,
    },
    Distinct {
        input: Input,
        seen: Set,
    },
    Dedupe {
        input: Input,
        last: Option<Value>,
    },
    Reductions {
        function: Value,
        input: Input,
        last: Option<Value>,
        begun: bool,
    },
    /// `for`: what the function gives for each item, in turn, until it gives nil.
    ForEach {
        function: Value,
        input: Input,
    },
}

impl Source {
    /// Puts at least one item into the batch, unless it is at its end; false if nothing will follow.
    pub(super) fn pull(&mut self, cx: &mut Cx<'_>, batch: &mut Batch) -> R<bool> {
        match self {
            Self::Through { pass, function, input, index } => {
                through(cx, batch, *pass, function, input, index)
            }
            Self::Zip { function, inputs } => {
                let Some(args) = together(cx, inputs, 3)? else { return Ok(false) };
                one(batch, call(cx, function, &args)?)
            }
            Self::Concat { current, rest, more } => concat(cx, batch, current, rest, more),
            Self::Tail(seq) => {
                let mut input = Input::from(seq.clone());
                input.batch(cx, batch)?;
                *seq = input.open(cx)?.clone();
                Ok(!batch.items.is_empty())
            }
            Self::Range { next, step, end } => range(cx, batch, next, step, end.as_ref()),
            Self::Iterate { function, last } => {
                let next = match last.take() {
                    Some(last) => call(cx, function, &[last])?,
                    None => return Ok(false),
                };
                *last = Some(next.clone());
                one(batch, next)
            }
            Self::Repeat { left: Some(0), .. } => Ok(false),
            Self::Repeat { value, left } => {
                *left = left.map(|left| left - 1);
                one(batch, value.clone())
            }
            Self::Cycle { all, rest } => {
                if rest.is_empty(cx)? {
                    *rest = all.clone();
                }
                let Some(first) = rest.first(cx)? else { return Ok(false) };
                *rest = rest.skip(1);
                one(batch, first)
            }
            Self::Take { left: 0, .. } => Ok(false),
            Self::Take { input, left } => {
                *left -= 1;
                next(cx, batch, input)
            }
            Self::TakeWhile { function, input } => match input.next(cx)? {
                Some(item) if call(cx, function, std::slice::from_ref(&item))?.is_true() => one(batch, item),
                _ => Ok(false),
            },
            Self::Drop { input, count } => {
                for _ in 0..std::mem::take(count) {
                    cx.budget.steps(1)?;
                    if input.next(cx)?.is_none() {
                        return Ok(false);
                    }
                }
                input.batch(cx, batch)?;
                Ok(!batch.items.is_empty())
            }
            Self::DropWhile { function, input } => {
                if !function.is_nil() {
                    while let Some(item) = input.open(cx)?.first(cx)? {
                        cx.budget.steps(1)?;
                        if !call(cx, function, &[item])?.is_true() {
                            break;
                        }
                        input.next(cx)?;
                    }
                    *function = Value::Nil;
                }
                input.batch(cx, batch)?;
                Ok(!batch.items.is_empty())
            }
            Self::TakeNth { input, step, due } => {
                for _ in 0..std::mem::replace(due, *step - 1) {
                    cx.budget.steps(1)?;
                    if input.next(cx)?.is_none() {
                        return Ok(false);
                    }
                }
                next(cx, batch, input)
            }
            _ => self.pull_grouped(cx, batch),
        }
    }
}

fn next(cx: &mut Cx<'_>, batch: &mut Batch, input: &mut Input) -> R<bool> {
    match input.next(cx)? {
        Some(item) => one(batch, item),
        None => Ok(false),
    }
}
