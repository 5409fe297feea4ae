//! What makes the items of a lazy sequence, a few at a time.

use std::collections::VecDeque;

use super::cx::Cx;
use super::error::R;
use super::eval::call;
use super::map::Set;
use super::number::arithmetic::{Beyond, add};
use super::seq::{self, CHUNK, Seq};
use super::value::Value;

/// Items that come together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) items: Vec<Value>,
    /// Whether Clojure would hand them on as a chunk.
    pub(super) chunked: bool,
}

/// What a source draws from: looked at only once something is asked of it.
#[derive(Debug)]
pub(super) struct Input {
    value: Value,
    seq: Option<Seq>,
}

impl Input {
    pub(super) fn of(value: &Value) -> Self {
        Self { value: value.clone(), seq: None }
    }

    fn open(&mut self, cx: &mut Cx<'_>) -> R<&mut Seq> {
        let seq = match self.seq.take() {
            Some(seq) => seq,
            None => seq::of(cx, &std::mem::replace(&mut self.value, Value::Nil))?,
        };
        Ok(self.seq.insert(seq))
    }

    fn next(&mut self, cx: &mut Cx<'_>) -> R<Option<Value>> {
        let seq = self.open(cx)?;
        let first = seq.first(cx)?;
        *seq = seq.skip(1);
        Ok(first)
    }

    /// The next items that come together; nothing at the end.
    fn batch(&mut self, cx: &mut Cx<'_>, batch: &mut Batch) -> R<()> {
        let seq = self.open(cx)?;
        let chunk = seq.chunk(cx)?;
        batch.chunked = chunk.is_some();
        let count = chunk.unwrap_or(1);
        for place in 0..count {
            batch.items.extend(seq.nth(cx, place)?);
        }
        *seq = seq.skip(count);
        Ok(())
    }
}

impl From<Seq> for Input {
    fn from(seq: Seq) -> Self {
        Self { value: Value::Nil, seq: Some(seq) }
    }
}

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
        left: i64,
    },
    TakeWhile {
        function: Value,
        input: Input,
    },
    Drop {
        input: Input,
        count: i64,
    },
    DropWhile {
        function: Value,
        input: Input,
    },
    TakeNth {
        input: Input,
        step: i64,
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
            Self::Take { left: ..=0, .. } => Ok(false),
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
            Self::TakeNth { input, step } => {
                let Some(item) = input.next(cx)? else { return Ok(false) };
                for _ in 1..*step {
                    cx.budget.steps(1)?;
                    if input.next(cx)?.is_none() {
                        break;
                    }
                }
                one(batch, item)
            }
            _ => self.pull_grouped(cx, batch),
        }
    }
}

pub(super) fn one(batch: &mut Batch, item: Value) -> R<bool> {
    batch.items.push(item);
    Ok(true)
}

fn next(cx: &mut Cx<'_>, batch: &mut Batch, input: &mut Input) -> R<bool> {
    match input.next(cx)? {
        Some(item) => one(batch, item),
        None => Ok(false),
    }
}

impl Input {
    /// For the sources in the file beside this.
    pub(super) fn take_next(&mut self, cx: &mut Cx<'_>) -> R<Option<Value>> {
        self.next(cx)
    }

    pub(super) fn peek(&mut self, cx: &mut Cx<'_>) -> R<Option<Value>> {
        self.open(cx)?.first(cx)
    }

    /// Another that begins where this one stands.
    pub(super) fn fork(&mut self, cx: &mut Cx<'_>) -> R<Self> {
        Ok(Self::from(self.open(cx)?.clone()))
    }
}

/// The next of each. Clojure looks at all of a few before it finds that one has ended.
pub(super) fn together(cx: &mut Cx<'_>, inputs: &mut [Input], few: usize) -> R<Option<Vec<Value>>> {
    if inputs.len() <= few {
        for input in inputs.iter_mut() {
            input.peek(cx)?;
        }
    }
    inputs.iter_mut().map(|input| input.next(cx)).collect()
}

fn through(
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

fn concat(
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

fn range(cx: &mut Cx<'_>, batch: &mut Batch, next: &mut Value, step: &Value, end: Option<&Value>) -> R<bool> {
    let Some(end) = end else {
        let item = std::mem::replace(next, Value::Nil);
        *next = add(&mut cx.budget, Beyond::Promote, &item, step)?;
        return one(batch, item);
    };
    batch.chunked = true;
    let upwards = super::number::arithmetic::sign(step) >= 0;
    while batch.items.len() < CHUNK {
        cx.budget.steps(1)?;
        let order = super::number::compare::order(&mut cx.budget, next, end)?;
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
