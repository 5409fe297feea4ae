//! Functions that give lazy sequences.

use std::cmp::Ordering;

use crate::call::call;
use crate::cx::Cx;
use crate::error::{R, unsupported, wrong};
use crate::function::{ANY, Builtin};
use crate::input::Input;
use crate::map::Set;
use crate::number::arithmetic::sign;
use crate::number::{self, integer};
use crate::seq::{self, Seq};
use crate::seqable;
use crate::source::{Pass, Source};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("map", (1, ANY), |cx, args| match args {
        [_] => transducer("map"),
        [function, input] => through(cx, Pass::Map, function, input, None),
        [function, inputs @ ..] => {
            let source =
                Source::Zip { function: function.clone(), inputs: inputs.iter().map(Input::of).collect() };
            lazy(cx, source)
        }
        [] => transducer("map"),
    }),
    Builtin::new("filter", (1, 2), |cx, args| passing(cx, args, Pass::Filter, "filter")),
    Builtin::new("remove", (1, 2), |cx, args| passing(cx, args, Pass::Remove, "remove")),
    Builtin::new("keep", (1, 2), |cx, args| passing(cx, args, Pass::Keep, "keep")),
    Builtin::new("map-indexed", (1, 2), |cx, args| match args {
        [function, input] => through(cx, Pass::Map, function, input, Some(0)),
        _ => transducer("map-indexed"),
    }),
    Builtin::new("keep-indexed", (1, 2), |cx, args| match args {
        [function, input] => through(cx, Pass::Keep, function, input, Some(0)),
        _ => transducer("keep-indexed"),
    }),
    Builtin::new("mapcat", (1, ANY), |cx, args| {
        let [function, inputs @ ..] = args else { return transducer("mapcat") };
        let source = match inputs {
            [] => return transducer("mapcat"),
            [input] => Source::Through {
                pass: Pass::Map,
                function: function.clone(),
                input: Input::of(input),
                index: None,
            },
            _ => Source::Zip { function: function.clone(), inputs: inputs.iter().map(Input::of).collect() },
        };
        let made = Seq::lazy(cx, source)?;
        lazy(cx, Source::Concat { current: None, rest: Default::default(), more: Some(Input::from(made)) })
    }),
    Builtin::new("concat", (0, ANY), |cx, args| {
        lazy(cx, Source::Concat { current: None, rest: args.iter().cloned().collect(), more: None })
    }),
    Builtin::new("range", (0, 3), range),
    Builtin::new("repeat", (1, 2), |cx, args| match args {
        [value] => repeat(cx, value, None),
        [count, value] => repeat(cx, value, Some(integer::long(count)?)),
        _ => Ok(Value::Nil),
    }),
    Builtin::new("iterate", (2, 2), |cx, args| {
        let source = Source::Iterate { function: args[0].clone(), last: Some(args[1].clone()) };
        let rest = Seq::lazy(cx, source)?;
        rest.cons(cx, args[1].clone(), false).map(Value::Seq)
    }),
    Builtin::new("cycle", (1, 1), |cx, args| {
        let all = seq::of(cx, &args[0])?;
        if all.is_empty(cx)? {
            return Value::list(&mut cx.budget, Vec::new());
        }
        Seq::shown(cx, Source::Cycle { rest: all.clone(), all }).map(Value::Seq)
    }),
    Builtin::new("take", (1, 2), |cx, args| match args {
        [count, input] => lazy(cx, Source::Take { left: integer::times(count)?, input: Input::of(input) }),
        _ => transducer("take"),
    }),
    Builtin::new("drop", (1, 2), |cx, args| match args {
        [count, input] => lazy(cx, Source::Drop { count: integer::times(count)?, input: Input::of(input) }),
        _ => transducer("drop"),
    }),
    Builtin::new("take-while", (1, 2), |cx, args| match args {
        [function, input] => {
            lazy(cx, Source::TakeWhile { function: function.clone(), input: Input::of(input) })
        }
        _ => transducer("take-while"),
    }),
    Builtin::new("drop-while", (1, 2), |cx, args| match args {
        [function, input] => {
            lazy(cx, Source::DropWhile { function: function.clone(), input: Input::of(input) })
        }
        _ => transducer("drop-while"),
    }),
    Builtin::new("take-nth", (1, 2), |cx, args| match args {
        [step, input] => {
            let step = integer::times(step)?;
            if step < 1 {
                return Err(unsupported("`take-nth` of less than 1 has no end"));
            }
            lazy(cx, Source::TakeNth { step, due: 0, input: Input::of(input) })
        }
        _ => transducer("take-nth"),
    }),
    Builtin::new("partition", (2, 4), |cx, args| partition(cx, args, false)),
    Builtin::new("partition-all", (1, 3), |cx, args| match args {
        [_] => transducer("partition-all"),
        _ => partition(cx, args, true),
    }),
    Builtin::new("partition-by", (1, 2), |cx, args| match args {
        [function, input] => {
            lazy(cx, Source::PartitionBy { function: function.clone(), input: Input::of(input) })
        }
        _ => transducer("partition-by"),
    }),
    Builtin::new("interleave", (0, ANY), |cx, args| match args {
        [] => Value::list(&mut cx.budget, Vec::new()),
        _ => lazy(cx, Source::Interleave { inputs: args.iter().map(Input::of).collect() }),
    }),
    Builtin::new("interpose", (1, 2), |cx, args| match args {
        [between, input] => {
            lazy(cx, Source::Interpose { between: between.clone(), input: Input::of(input), begun: false })
        }
        _ => transducer("interpose"),
    }),
    Builtin::new("distinct", (0, 1), |cx, args| match args {
        [Value::Map(_) | Value::Set(_)] => Err(unsupported(
            "`distinct` of a map or set is not supported, as it fails in Clojure: nothing in one is twice",
        )),
        [input] => lazy(cx, Source::Distinct { input: Input::of(input), seen: Set::default() }),
        _ => transducer("distinct"),
    }),
    Builtin::new("dedupe", (0, 1), |cx, args| match args {
        [input] => lazy(cx, Source::Dedupe { input: Input::of(input), last: None }),
        _ => transducer("dedupe"),
    }),
    Builtin::new("reductions", (2, 3), |cx, args| {
        let (last, input) = match args {
            [_, first, input] => (Some(first.clone()), input),
            _ => (None, &args[1]),
        };
        lazy(
            cx,
            Source::Reductions { function: args[0].clone(), input: Input::of(input), last, begun: false },
        )
    }),
    Builtin::new("loanhook/for-each", (2, 2), |cx, args| {
        lazy(cx, Source::ForEach { function: args[0].clone(), input: Input::of(&args[1]) })
    }),
    Builtin::new("replace", (1, 2), |cx, args| match args {
        [with, Value::Vector(items)] => {
            let mut values = Vec::with_capacity(items.values.len());
            for value in &items.values {
                values.push(replaced(cx, with, value)?);
            }
            Value::vector(&mut cx.budget, values)
        }
        [with, input] => {
            let values = seqable::values(cx, input)?;
            let values = values.iter().map(|value| replaced(cx, with, value)).collect::<R<_>>()?;
            let items = crate::value::Items::new(&mut cx.budget, values)?;
            Ok(Value::Seq(Seq::plain(items)))
        }
        _ => transducer("replace"),
    }),
];

fn replaced(cx: &mut Cx<'_>, with: &Value, value: &Value) -> R<Value> {
    Ok(super::get(cx, with, value)?.unwrap_or_else(|| value.clone()))
}

fn transducer(name: &str) -> R<Value> {
    Err(unsupported(format!("transducers, as `{name}` without a collection gives, are not supported")))
}

pub(super) fn lazy(cx: &mut Cx<'_>, source: Source) -> R<Value> {
    Seq::lazy(cx, source).map(Value::Seq)
}

fn through(cx: &mut Cx<'_>, pass: Pass, function: &Value, input: &Value, index: Option<i64>) -> R<Value> {
    lazy(cx, Source::Through { pass, function: function.clone(), input: Input::of(input), index })
}

fn passing(cx: &mut Cx<'_>, args: &[Value], pass: Pass, name: &str) -> R<Value> {
    match args {
        [function, input] => through(cx, pass, function, input, None),
        _ => transducer(name),
    }
}

fn range(cx: &mut Cx<'_>, args: &[Value]) -> R<Value> {
    let (next, end, step) = match args {
        [] => (Value::Long(0), None, Value::Long(1)),
        [end] => (Value::Long(0), Some(end.clone()), Value::Long(1)),
        [start, end] => (start.clone(), Some(end.clone()), Value::Long(1)),
        [start, end, step, ..] => (start.clone(), Some(end.clone()), step.clone()),
    };
    number::kind(&next)?;
    number::kind(&step)?;
    let Some(end) = end else { return lazy(cx, Source::Range { next, step, end: None }) };
    number::kind(&end)?;
    let order = number::compare::order(&mut cx.budget, &next, &end)?;
    let past = match sign(&step) {
        0 => false,
        1.. => order == Some(Ordering::Greater),
        _ => order == Some(Ordering::Less),
    };
    if past || order == Some(Ordering::Equal) {
        return Value::list(&mut cx.budget, Vec::new());
    }
    if sign(&step) == 0 {
        return repeat(cx, &next, None);
    }
    Seq::range(cx, Source::Range { next, step, end: Some(end) }).map(Value::Seq)
}

fn repeat(cx: &mut Cx<'_>, value: &Value, left: Option<i64>) -> R<Value> {
    if left.is_some_and(|left| left < 1) {
        return Value::list(&mut cx.budget, Vec::new());
    }
    Seq::shown(cx, Source::Repeat { value: value.clone(), left }).map(Value::Seq)
}

fn partition(cx: &mut Cx<'_>, args: &[Value], all: bool) -> R<Value> {
    let size = integer::long(&args[0])?;
    let (step, pad, input) = match args {
        [_, input] => (size, None, input),
        [_, step, input] => (integer::long(step)?, None, input),
        [_, step, pad, input, ..] => (integer::long(step)?, Some(pad.clone()), input),
        _ => return Err(wrong("`partition` takes a size and a collection")),
    };
    let (Ok(size), Ok(step)) = (usize::try_from(size), usize::try_from(step)) else {
        return Err(unsupported("a `partition` of less than 1 is not supported"));
    };
    if size == 0 || step == 0 {
        return Err(unsupported("a `partition` of less than 1 is not supported"));
    }
    lazy(cx, Source::Partition { input: Input::of(input), size, step, pad, all })
}

/// Calls a function with each of the values, for those here that take functions.
pub(super) fn each(cx: &mut Cx<'_>, function: &Value, values: &[Value]) -> R<Vec<Value>> {
    cx.budget.values(values.len())?;
    values.iter().map(|value| call(cx, function, std::slice::from_ref(value))).collect()
}
