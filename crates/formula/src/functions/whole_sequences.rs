//! Functions over whole sequences.

use std::rc::Rc;

use super::lazy::lazy;
use crate::cx::Cx;
use crate::error::{R, wrong};
use crate::function::{Builtin, Function, Kind};
use crate::input::Input;
use crate::number::integer;
use crate::seq::{self, Seq};
use crate::seqable;
use crate::source::Source;
use crate::value::{Items, Value};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("seq", (1, 1), |cx, args| {
        let items = seq::of(cx, &args[0])?;
        Ok(if items.is_empty(cx)? { Value::Nil } else { Value::Seq(items) })
    }),
    Builtin::new("sequence", (1, 1), |cx, args| {
        let items = seq::of(cx, &args[0])?;
        if items.is_empty(cx)? { Value::list(&mut cx.budget, Vec::new()) } else { Ok(Value::Seq(items)) }
    }),
    Builtin::new("rest", (1, 1), |cx, args| skip(cx, &args[0], 1).map(Value::Seq)),
    Builtin::new("next", (1, 1), |cx, args| some_skip(cx, &args[0], 1)),
    Builtin::new("nnext", (1, 1), |cx, args| some_skip(cx, &args[0], 2)),
    Builtin::new("fnext", (1, 1), |cx, args| {
        let items = seq::of(cx, &args[0])?;
        Ok(items.nth(cx, 1)?.unwrap_or(Value::Nil))
    }),
    Builtin::new("nfirst", (1, 1), |cx, args| {
        let items = seq::of(cx, &args[0])?;
        let first = items.first(cx)?.unwrap_or(Value::Nil);
        some_skip(cx, &first, 1)
    }),
    Builtin::new("nthrest", (2, 2), |cx, args| {
        let count = integer::times(&args[1])?;
        if count == 0 || seq::of(cx, &args[0])?.is_empty(cx)? {
            return Ok(args[0].clone());
        }
        skip(cx, &args[0], count).map(Value::Seq)
    }),
    Builtin::new("nthnext", (2, 2), |cx, args| {
        let count = integer::times(&args[1])?;
        some_skip(cx, &args[0], count)
    }),
    Builtin::new("butlast", (1, 1), |cx, args| {
        let mut values = seqable::values(cx, &args[0])?;
        values.pop();
        if values.is_empty() { Ok(Value::Nil) } else { plain(cx, values) }
    }),
    Builtin::new("drop-last", (1, 2), |cx, args| {
        let count = if args.len() == 1 { 1 } else { integer::times(&args[0])? };
        let input = &args[args.len() - 1];
        // As long as there is another so many places ahead.
        let ahead = lazy(cx, Source::Drop { count, input: Input::of(input) })?;
        let function = Function { kind: Kind::Builtin(&FIRST_OF), values: Vec::new() };
        let function = Value::Function(Rc::new(function));
        lazy(cx, Source::Zip { function, inputs: vec![Input::of(input), Input::of(&ahead)] })
    }),
    Builtin::new("take-last", (2, 2), |cx, args| {
        let count = integer::times(&args[0])?;
        let mut values = seqable::values(cx, &args[1])?;
        values.drain(..values.len().saturating_sub(count));
        if values.is_empty() { Ok(Value::Nil) } else { plain(cx, values) }
    }),
    Builtin::new("split-at", (2, 2), |cx, args| {
        let count = integer::times(&args[0])?;
        let before = lazy(cx, Source::Take { left: count, input: Input::of(&args[1]) })?;
        let after = lazy(cx, Source::Drop { count, input: Input::of(&args[1]) })?;
        Value::vector(&mut cx.budget, vec![before, after])
    }),
    Builtin::new("split-with", (2, 2), |cx, args| {
        let function = &args[0];
        let before = lazy(cx, Source::TakeWhile { function: function.clone(), input: Input::of(&args[1]) })?;
        let after = lazy(cx, Source::DropWhile { function: function.clone(), input: Input::of(&args[1]) })?;
        Value::vector(&mut cx.budget, vec![before, after])
    }),
    Builtin::new("reverse", (1, 1), |cx, args| {
        let mut values = seqable::values(cx, &args[0])?;
        values.reverse();
        Value::list(&mut cx.budget, values)
    }),
    Builtin::new("rseq", (1, 1), |cx, args| match &args[0] {
        Value::Vector(items) if items.values.is_empty() => Ok(Value::Nil),
        Value::Vector(items) => {
            let values = items.values.iter().rev().cloned().collect();
            plain(cx, values)
        }
        other => Err(wrong(format!("`rseq` takes a vector, and this is {}", other.kind_name()))),
    }),
    Builtin::new("flatten", (1, 1), |cx, args| {
        let mut flat = Vec::new();
        if matches!(args[0], Value::Vector(_) | Value::Seq(_)) {
            flatten(cx, &args[0], &mut flat)?;
        }
        shown_as_lazy(cx, flat)
    }),
    Builtin::new("doall", (1, 1), |cx, args| {
        if let Value::Seq(items) = &args[0] {
            items.all(cx)?;
        }
        Ok(args[0].clone())
    }),
];

fn plain(cx: &mut Cx<'_>, values: Vec<Value>) -> R<Value> {
    Ok(Value::Seq(Seq::plain(Items::new(&mut cx.budget, values)?)))
}

/// What is a lazy sequence in Clojure, so that `str` does not show it.
fn shown_as_lazy(cx: &mut Cx<'_>, values: Vec<Value>) -> R<Value> {
    Ok(Value::Seq(Seq::realized(Items::new(&mut cx.budget, values)?)))
}

static FIRST_OF: Builtin = Builtin::new("first-of", (2, 2), |_, args| Ok(args[0].clone()));

fn skip(cx: &mut Cx<'_>, value: &Value, count: usize) -> R<Seq> {
    let items = seq::of(cx, value)?;
    if count > 0 && items.nth(cx, count - 1)?.is_none() {
        return Ok(Seq::list(Items::new(&mut cx.budget, Vec::new())?));
    }
    Ok(items.skip(count))
}

fn some_skip(cx: &mut Cx<'_>, value: &Value, count: usize) -> R<Value> {
    let rest = skip(cx, value, count)?;
    Ok(if rest.is_empty(cx)? { Value::Nil } else { Value::Seq(rest) })
}

fn flatten(cx: &mut Cx<'_>, value: &Value, flat: &mut Vec<Value>) -> R<()> {
    cx.budget.enter()?;
    for item in seqable::values(cx, value)? {
        match &item {
            Value::Vector(_) | Value::Seq(_) => flatten(cx, &item, flat)?,
            _ => flat.push(item),
        }
    }
    cx.budget.leave();
    Ok(())
}
