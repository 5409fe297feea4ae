//! Functions that make sequences of no input, or repeat it: `range`, `repeat`, `iterate` and `cycle`.

use std::cmp::Ordering;

use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use crate::lazy_sequences::{Cycle, Iterate, Range, Repeat};
use crate::value::Value;
use crate::value::function::Builtin;
use crate::value::iteration::sequence_of;
use crate::value::number::arithmetic::sign;
use crate::value::number::{comparison, conversion, require_number};
use crate::value::sequence::Sequence;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("range", (0, 3), range),
    Builtin::new("repeat", (1, 2), |ctx, args| match args {
        [value] => repeat(ctx, value, None),
        [count, value] => repeat(ctx, value, Some(conversion::long(count)?)),
        _ => Ok(Value::Nil),
    }),
    Builtin::new("iterate", (2, 2), |ctx, args| {
        let source = Iterate { function: args[0].clone(), last: Some(args[1].clone()) };
        let rest = Sequence::lazy(ctx, source)?;
        rest.cons(ctx, args[1].clone(), false).map(Value::Sequence)
    }),
    Builtin::new("cycle", (1, 1), |ctx, args| {
        let all = sequence_of(ctx, &args[0])?;
        if all.is_empty(ctx)? {
            return Value::list(&mut ctx.budget, Vec::new());
        }
        Sequence::shown_lazy(ctx, Cycle { rest: all.clone(), all }).map(Value::Sequence)
    }),
];

fn range(ctx: &mut EvaluationContext<'_>, args: &[Value]) -> Result<Value> {
    let (next, end, step) = match args {
        [] => (Value::Long(0), None, Value::Long(1)),
        [end] => (Value::Long(0), Some(end.clone()), Value::Long(1)),
        [start, end] => (start.clone(), Some(end.clone()), Value::Long(1)),
        [start, end, step, ..] => (start.clone(), Some(end.clone()), step.clone()),
    };
    require_number(&next)?;
    require_number(&step)?;
    let Some(end) = end else {
        return Sequence::lazy(ctx, Range { next, step, end: None }).map(Value::Sequence);
    };
    require_number(&end)?;
    let order = comparison::order(&mut ctx.budget, &next, &end)?;
    let is_past_end = match sign(&step) {
        0 => false,
        1.. => order == Some(Ordering::Greater),
        _ => order == Some(Ordering::Less),
    };
    if is_past_end || order == Some(Ordering::Equal) {
        return Value::list(&mut ctx.budget, Vec::new());
    }
    if sign(&step) == 0 {
        return repeat(ctx, &next, None);
    }
    Sequence::counted_lazy(ctx, Range { next, step, end: Some(end) }).map(Value::Sequence)
}

/// `count` times the value, or for ever.
fn repeat(ctx: &mut EvaluationContext<'_>, value: &Value, count: Option<i64>) -> Result<Value> {
    if count.is_some_and(|count| count < 1) {
        return Value::list(&mut ctx.budget, Vec::new());
    }
    Sequence::shown_lazy(ctx, Repeat { value: value.clone(), count }).map(Value::Sequence)
}
