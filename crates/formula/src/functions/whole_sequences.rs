//! Functions that give the sequence of a collection, or a part of it.

use std::rc::Rc;

use super::sequences::lazy;
use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;
use crate::lazy_sequences::{Drop, DropWhile, ItemCursor, MapTogether, Take, TakeWhile};
use crate::value::Value;
use crate::value::function::{Builtin, Function, FunctionKind};
use crate::value::items::Items;
use crate::value::iteration::{items_of, sequence_of};
use crate::value::number::conversion;
use crate::value::sequence::Sequence;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("seq", (1, 1), |ctx, args| {
        let items = sequence_of(ctx, &args[0])?;
        Ok(if items.is_empty(ctx)? { Value::Nil } else { Value::Sequence(items) })
    }),
    Builtin::new("sequence", (1, 1), |ctx, args| {
        let items = sequence_of(ctx, &args[0])?;
        if items.is_empty(ctx)? {
            Value::list(&mut ctx.budget, Vec::new())
        } else {
            Ok(Value::Sequence(items))
        }
    }),
    Builtin::new("rest", (1, 1), |ctx, args| skip(ctx, &args[0], 1).map(Value::Sequence)),
    Builtin::new("next", (1, 1), |ctx, args| skip_or_nil(ctx, &args[0], 1)),
    Builtin::new("nnext", (1, 1), |ctx, args| skip_or_nil(ctx, &args[0], 2)),
    Builtin::new("fnext", (1, 1), |ctx, args| {
        let items = sequence_of(ctx, &args[0])?;
        Ok(items.nth(ctx, 1)?.unwrap_or(Value::Nil))
    }),
    Builtin::new("nfirst", (1, 1), |ctx, args| {
        let items = sequence_of(ctx, &args[0])?;
        let first = items.first(ctx)?.unwrap_or(Value::Nil);
        skip_or_nil(ctx, &first, 1)
    }),
    Builtin::new("nthrest", (2, 2), |ctx, args| {
        let count = conversion::item_count(&args[1])?;
        if count == 0 || sequence_of(ctx, &args[0])?.is_empty(ctx)? {
            return Ok(args[0].clone());
        }
        skip(ctx, &args[0], count).map(Value::Sequence)
    }),
    Builtin::new("nthnext", (2, 2), |ctx, args| {
        let count = conversion::item_count(&args[1])?;
        skip_or_nil(ctx, &args[0], count)
    }),
    Builtin::new("butlast", (1, 1), |ctx, args| {
        let mut values = items_of(ctx, &args[0])?;
        values.pop();
        if values.is_empty() { Ok(Value::Nil) } else { Value::realized_sequence(&mut ctx.budget, values) }
    }),
    Builtin::new("drop-last", (1, 2), |ctx, args| {
        let count = if args.len() == 1 { 1 } else { conversion::item_count(&args[0])? };
        let input = &args[args.len() - 1];
        // Each item, as long as there is another one `count` items later.
        let ahead = lazy(ctx, Drop { count, input: ItemCursor::of(input) })?;
        let function = Function { kind: FunctionKind::Builtin(&FIRST_OF_TWO), values: Vec::new() };
        let function = Value::Function(Rc::new(function));
        lazy(ctx, MapTogether { function, inputs: vec![ItemCursor::of(input), ItemCursor::of(&ahead)] })
    }),
    Builtin::new("take-last", (2, 2), |ctx, args| {
        let count = conversion::item_count(&args[0])?;
        let mut values = items_of(ctx, &args[1])?;
        values.drain(..values.len().saturating_sub(count));
        if values.is_empty() { Ok(Value::Nil) } else { Value::realized_sequence(&mut ctx.budget, values) }
    }),
    Builtin::new("split-at", (2, 2), |ctx, args| {
        let count = conversion::item_count(&args[0])?;
        let before = lazy(ctx, Take { count, input: ItemCursor::of(&args[1]) })?;
        let after = lazy(ctx, Drop { count, input: ItemCursor::of(&args[1]) })?;
        Value::vector(&mut ctx.budget, vec![before, after])
    }),
    Builtin::new("split-with", (2, 2), |ctx, args| {
        let function = &args[0];
        let before = lazy(ctx, TakeWhile { function: function.clone(), input: ItemCursor::of(&args[1]) })?;
        let after = lazy(ctx, DropWhile { function: function.clone(), input: ItemCursor::of(&args[1]) })?;
        Value::vector(&mut ctx.budget, vec![before, after])
    }),
    Builtin::new("reverse", (1, 1), |ctx, args| {
        let mut values = items_of(ctx, &args[0])?;
        values.reverse();
        Value::list(&mut ctx.budget, values)
    }),
    Builtin::new("rseq", (1, 1), |ctx, args| match &args[0] {
        Value::Vector(items) if items.values.is_empty() => Ok(Value::Nil),
        Value::Vector(items) => {
            let values = items.values.iter().rev().cloned().collect();
            Value::realized_sequence(&mut ctx.budget, values)
        }
        other => Err(invalid(format!("`rseq` takes a vector, and this is {}", other.type_name()))),
    }),
    Builtin::new("flatten", (1, 1), |ctx, args| {
        let mut flat = Vec::new();
        if matches!(args[0], Value::Vector(_) | Value::Sequence(_)) {
            flatten(ctx, &args[0], &mut flat)?;
        }
        // In Clojure it is lazy, so that `str` does not show it.
        Ok(Value::Sequence(Sequence::realized_as_lazy(Items::new(&mut ctx.budget, flat)?)))
    }),
    Builtin::new("doall", (1, 1), |ctx, args| {
        if let Value::Sequence(items) = &args[0] {
            items.to_values(ctx)?;
        }
        Ok(args[0].clone())
    }),
];

/// The first of two arguments; no formula can name it.
static FIRST_OF_TWO: Builtin = Builtin::new("first-of", (2, 2), |_, args| Ok(args[0].clone()));

/// The sequence without its first items, which are computed.
fn skip(ctx: &mut EvaluationContext<'_>, value: &Value, count: usize) -> Result<Sequence> {
    let items = sequence_of(ctx, value)?;
    if count > 0 && items.nth(ctx, count - 1)?.is_none() {
        return Ok(Sequence::list(Items::new(&mut ctx.budget, Vec::new())?));
    }
    Ok(items.skip(count))
}

/// The sequence without its first items; nil if nothing is left.
fn skip_or_nil(ctx: &mut EvaluationContext<'_>, value: &Value, count: usize) -> Result<Value> {
    let rest = skip(ctx, value, count)?;
    Ok(if rest.is_empty(ctx)? { Value::Nil } else { Value::Sequence(rest) })
}

fn flatten(ctx: &mut EvaluationContext<'_>, value: &Value, flat: &mut Vec<Value>) -> Result<()> {
    ctx.budget.enter_level()?;
    for item in items_of(ctx, value)? {
        match &item {
            Value::Vector(_) | Value::Sequence(_) => flatten(ctx, &item, flat)?,
            _ => flat.push(item),
        }
    }
    ctx.budget.leave_level();
    Ok(())
}
