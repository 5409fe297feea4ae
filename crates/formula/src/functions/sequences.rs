//! Functions that give lazy sequences of the items of collections.

use crate::call::call;
use crate::error::{Result, invalid, unsupported};
use crate::evaluation_context::EvaluationContext;
use crate::lazy_sequences::{
    Concat, Dedupe, Distinct, Drop, DropWhile, ForEach, Interleave, Interpose, ItemCursor, ItemRule,
    MapItems, MapTogether, Partition, PartitionBy, Reductions, Take, TakeNth, TakeWhile,
};
use crate::value::Value;
use crate::value::function::{ANY_COUNT, Builtin};
use crate::value::iteration::items_of;
use crate::value::lookup::get;
use crate::value::number::conversion;
use crate::value::sequence::Sequence;
use crate::value::sequence::source::ItemSource;
use crate::value::set::Set;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("map", (1, ANY_COUNT), |ctx, args| match args {
        [] | [_] => transducer("map"),
        [function, input] => lazy(ctx, map_items(ItemRule::Map, function, input, None)),
        [function, inputs @ ..] => lazy(ctx, map_together(function, inputs)),
    }),
    Builtin::new("filter", (1, 2), |ctx, args| by_rule(ctx, args, ItemRule::Filter, "filter")),
    Builtin::new("remove", (1, 2), |ctx, args| by_rule(ctx, args, ItemRule::Remove, "remove")),
    Builtin::new("keep", (1, 2), |ctx, args| by_rule(ctx, args, ItemRule::Keep, "keep")),
    Builtin::new("map-indexed", (1, 2), |ctx, args| match args {
        [function, input] => lazy(ctx, map_items(ItemRule::Map, function, input, Some(0))),
        _ => transducer("map-indexed"),
    }),
    Builtin::new("keep-indexed", (1, 2), |ctx, args| match args {
        [function, input] => lazy(ctx, map_items(ItemRule::Keep, function, input, Some(0))),
        _ => transducer("keep-indexed"),
    }),
    Builtin::new("mapcat", (1, ANY_COUNT), |ctx, args| {
        let collections = match args {
            [] | [_] => return transducer("mapcat"),
            [function, input] => Sequence::lazy(ctx, map_items(ItemRule::Map, function, input, None))?,
            [function, inputs @ ..] => Sequence::lazy(ctx, map_together(function, inputs))?,
        };
        let concat = Concat::of_lazy(ctx, ItemCursor::from(collections))?;
        lazy(ctx, concat)
    }),
    Builtin::new("concat", (0, ANY_COUNT), |ctx, args| lazy(ctx, Concat::of(args))),
    Builtin::new("take", (1, 2), |ctx, args| match args {
        [count, input] => {
            lazy(ctx, Take { count: conversion::item_count(count)?, input: ItemCursor::of(input) })
        }
        _ => transducer("take"),
    }),
    Builtin::new("drop", (1, 2), |ctx, args| match args {
        [count, input] => {
            lazy(ctx, Drop { count: conversion::item_count(count)?, input: ItemCursor::of(input) })
        }
        _ => transducer("drop"),
    }),
    Builtin::new("take-while", (1, 2), |ctx, args| match args {
        [function, input] => {
            lazy(ctx, TakeWhile { function: function.clone(), input: ItemCursor::of(input) })
        }
        _ => transducer("take-while"),
    }),
    Builtin::new("drop-while", (1, 2), |ctx, args| match args {
        [function, input] => {
            lazy(ctx, DropWhile { function: function.clone(), input: ItemCursor::of(input) })
        }
        _ => transducer("drop-while"),
    }),
    Builtin::new("take-nth", (1, 2), |ctx, args| match args {
        [step, input] => {
            let step = conversion::item_count(step)?;
            if step < 1 {
                return Err(unsupported("`take-nth` of less than 1 has no end"));
            }
            lazy(ctx, TakeNth { step, skipped: 0, input: ItemCursor::of(input) })
        }
        _ => transducer("take-nth"),
    }),
    Builtin::new("partition", (2, 4), |ctx, args| partition(ctx, args, false)),
    Builtin::new("partition-all", (1, 3), |ctx, args| match args {
        [_] => transducer("partition-all"),
        _ => partition(ctx, args, true),
    }),
    Builtin::new("partition-by", (1, 2), |ctx, args| match args {
        [function, input] => {
            lazy(ctx, PartitionBy { function: function.clone(), input: ItemCursor::of(input) })
        }
        _ => transducer("partition-by"),
    }),
    Builtin::new("interleave", (0, ANY_COUNT), |ctx, args| match args {
        [] => Value::list(&mut ctx.budget, Vec::new()),
        _ => lazy(ctx, Interleave { inputs: args.iter().map(ItemCursor::of).collect() }),
    }),
    Builtin::new("interpose", (1, 2), |ctx, args| match args {
        [separator, input] => {
            let (separator, input) = (separator.clone(), ItemCursor::of(input));
            lazy(ctx, Interpose { separator, input, has_begun: false })
        }
        _ => transducer("interpose"),
    }),
    Builtin::new("distinct", (0, 1), |ctx, args| match args {
        [Value::Map(_) | Value::Set(_)] => Err(unsupported(
            "`distinct` of a map or set is not supported, as it fails in Clojure: nothing in one is twice",
        )),
        [input] => lazy(ctx, Distinct { input: ItemCursor::of(input), seen: Set::default() }),
        _ => transducer("distinct"),
    }),
    Builtin::new("dedupe", (0, 1), |ctx, args| match args {
        [input] => lazy(ctx, Dedupe { input: ItemCursor::of(input), last: None }),
        _ => transducer("dedupe"),
    }),
    Builtin::new("reductions", (2, 3), |ctx, args| {
        let (last, input) = match args {
            [_, initial, input] => (Some(initial.clone()), input),
            _ => (None, &args[1]),
        };
        let (function, input) = (args[0].clone(), ItemCursor::of(input));
        lazy(ctx, Reductions { function, input, last, has_begun: false })
    }),
    // What the macro `for` is compiled to.
    Builtin::new("loanhook/for-each", (2, 2), |ctx, args| {
        lazy(ctx, ForEach { function: args[0].clone(), input: ItemCursor::of(&args[1]) })
    }),
    Builtin::new("replace", (1, 2), |ctx, args| match args {
        [replacements, Value::Vector(items)] => {
            let mut values = Vec::with_capacity(items.values.len());
            for value in &items.values {
                values.push(replaced(ctx, replacements, value)?);
            }
            Value::vector(&mut ctx.budget, values)
        }
        [replacements, input] => {
            let values = items_of(ctx, input)?;
            let values =
                values.iter().map(|value| replaced(ctx, replacements, value)).collect::<Result<_>>()?;
            Value::realized_sequence(&mut ctx.budget, values)
        }
        _ => transducer("replace"),
    }),
];

fn replaced(ctx: &mut EvaluationContext<'_>, replacements: &Value, value: &Value) -> Result<Value> {
    Ok(get(ctx, replacements, value)?.unwrap_or_else(|| value.clone()))
}

fn transducer(name: &str) -> Result<Value> {
    Err(unsupported(format!("transducers, as `{name}` without a collection gives, are not supported")))
}

pub(super) fn lazy(ctx: &mut EvaluationContext<'_>, source: impl ItemSource + 'static) -> Result<Value> {
    Sequence::lazy(ctx, source).map(Value::Sequence)
}

fn map_items(rule: ItemRule, function: &Value, input: &Value, index: Option<i64>) -> MapItems {
    MapItems { rule, function: function.clone(), input: ItemCursor::of(input), index }
}

fn map_together(function: &Value, inputs: &[Value]) -> MapTogether {
    MapTogether { function: function.clone(), inputs: inputs.iter().map(ItemCursor::of).collect() }
}

fn by_rule(ctx: &mut EvaluationContext<'_>, args: &[Value], rule: ItemRule, name: &str) -> Result<Value> {
    match args {
        [function, input] => lazy(ctx, map_items(rule, function, input, None)),
        _ => transducer(name),
    }
}

fn partition(ctx: &mut EvaluationContext<'_>, args: &[Value], keeps_all: bool) -> Result<Value> {
    let size = conversion::long(&args[0])?;
    let (step, pad, input) = match args {
        [_, input] => (size, None, input),
        [_, step, input] => (conversion::long(step)?, None, input),
        [_, step, pad, input, ..] => (conversion::long(step)?, Some(pad.clone()), input),
        _ => return Err(invalid("`partition` takes a size and a collection")),
    };
    let (Ok(size @ 1..), Ok(step @ 1..)) = (usize::try_from(size), usize::try_from(step)) else {
        return Err(unsupported("a `partition` of less than 1 is not supported"));
    };
    lazy(ctx, Partition { input: ItemCursor::of(input), size, step, pad, keeps_all })
}

/// The results of a function for each of the values.
pub(super) fn call_each(
    ctx: &mut EvaluationContext<'_>,
    function: &Value,
    values: &[Value],
) -> Result<Vec<Value>> {
    ctx.budget.take_values(values.len())?;
    values.iter().map(|value| call(ctx, function, std::slice::from_ref(value))).collect()
}
