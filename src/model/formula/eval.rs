//! Running a formula.

use std::rc::Rc;

use super::cx::Cx;
use super::error::{R, wrong};
use super::function::{Function, Kind, not_a_function};
use super::functions::{get, nth};
use super::hash::hash;
use super::map::{Map, Set};
use super::node::{Arity, Capture, Case, Node, Proto};
use super::value::{Items, Value};

/// What a function has while it runs.
pub(super) struct Frame<'f> {
    places: Vec<Value>,
    captured: &'f [Value],
    own: Option<&'f Value>,
    /// What `recur` gave the loop or function around it to go on with.
    again: Option<Vec<Value>>,
}

impl Frame<'_> {
    pub(super) fn new(places: usize) -> Self {
        Self { places: vec![Value::Nil; places], captured: &[], own: None, again: None }
    }
}

pub(super) fn eval(cx: &mut Cx<'_>, frame: &mut Frame<'_>, node: &Node) -> R<Value> {
    match node {
        Node::Literal(literal) => Ok(Value::from(literal)),
        Node::Local(place) => Ok(frame.places.get(*place).cloned().unwrap_or(Value::Nil)),
        Node::Captured(place) => Ok(frame.captured.get(*place).cloned().unwrap_or(Value::Nil)),
        Node::Variable(name) => cx.variable(name),
        _ => {
            cx.budget.enter()?;
            cx.budget.steps(1)?;
            let value = compound(cx, frame, node)?;
            cx.budget.leave();
            Ok(value)
        }
    }
}

fn compound(cx: &mut Cx<'_>, frame: &mut Frame<'_>, node: &Node) -> R<Value> {
    match node {
        Node::CallBuiltin { at, builtin, args } => match args.as_slice() {
            [] => (builtin.run)(cx, &[]),
            [only] => {
                let args = [eval(cx, frame, only)?];
                (builtin.run)(cx, &args)
            }
            [first, second] => {
                let args = [eval(cx, frame, first)?, eval(cx, frame, second)?];
                (builtin.run)(cx, &args)
            }
            all => {
                let args = eval_all(cx, frame, all)?;
                (builtin.run)(cx, &args)
            }
        }
        .map_err(|fail| fail.at(*at)),
        Node::If(parts) => {
            let mut parts = parts;
            loop {
                let [test, then, otherwise] = &**parts;
                let test = eval(cx, frame, test)?.is_true();
                match if test { then } else { otherwise } {
                    // The clauses of a `cond` follow each other; they do not nest.
                    Node::If(next) => parts = next,
                    next => return eval(cx, frame, next),
                }
                cx.budget.steps(1)?;
            }
        }
        Node::And(nodes) => {
            let mut last = Value::Bool(true);
            for node in nodes {
                last = eval(cx, frame, node)?;
                if !last.is_true() {
                    break;
                }
            }
            Ok(last)
        }
        Node::Or(nodes) => {
            let mut last = Value::Nil;
            for node in nodes {
                last = eval(cx, frame, node)?;
                if last.is_true() {
                    break;
                }
            }
            Ok(last)
        }
        Node::Do(nodes) => {
            let mut last = Value::Nil;
            for node in nodes {
                last = eval(cx, frame, node)?;
            }
            Ok(last)
        }
        Node::Let(binds, body) => {
            bind(cx, frame, binds)?;
            eval(cx, frame, body)
        }
        Node::Call { at, function, args } => {
            let function = eval(cx, frame, function)?;
            let args = eval_all(cx, frame, args)?;
            call(cx, &function, &args).map_err(|fail| fail.at(*at))
        }
        Node::Function(proto) => Ok(closure(frame, proto)),
        Node::Case(case) => eval_case(cx, frame, case),
        Node::Loop { places, begin, rebind, body } => {
            bind(cx, frame, begin)?;
            loop {
                cx.budget.steps(1)?;
                bind(cx, frame, rebind)?;
                let value = eval(cx, frame, body)?;
                let Some(again) = frame.again.take() else { return Ok(value) };
                for (place, value) in places.iter().zip(again) {
                    put(frame, *place, value);
                }
            }
        }
        Node::Recur(args) => {
            let args = eval_all(cx, frame, args)?;
            frame.again = Some(args);
            Ok(Value::Nil)
        }
        _ => made(cx, frame, node),
    }
}

/// What collections are written as, and the rest.
fn made(cx: &mut Cx<'_>, frame: &mut Frame<'_>, node: &Node) -> R<Value> {
    match node {
        Node::Vector(nodes) => {
            let values = eval_all(cx, frame, nodes)?;
            Value::vector(&mut cx.budget, values)
        }
        Node::List(nodes) => {
            let values = eval_all(cx, frame, nodes)?;
            Value::list(&mut cx.budget, values)
        }
        Node::Map(nodes, at) => {
            let values = eval_all(cx, frame, nodes)?;
            Map::literal(cx, values).map(|map| Value::Map(Rc::new(map))).map_err(|fail| fail.at(*at))
        }
        Node::Set(nodes, at) => {
            let values = eval_all(cx, frame, nodes)?;
            Set::literal(cx, values).map(|set| Value::Set(Rc::new(set))).map_err(|fail| fail.at(*at))
        }
        Node::Symbol(name) => Ok(Value::Symbol(std::sync::Arc::clone(name))),
        Node::Own => Ok(frame.own.cloned().unwrap_or(Value::Nil)),
        Node::Builtin(builtin) => {
            Ok(Value::Function(Rc::new(Function { kind: Kind::Builtin(builtin), values: Vec::new() })))
        }
        _ => Ok(Value::Nil),
    }
}

fn eval_all(cx: &mut Cx<'_>, frame: &mut Frame<'_>, nodes: &[Node]) -> R<Vec<Value>> {
    nodes.iter().map(|node| eval(cx, frame, node)).collect()
}

fn put(frame: &mut Frame<'_>, place: usize, value: Value) {
    if let Some(held) = frame.places.get_mut(place) {
        *held = value;
    }
}

fn bind(cx: &mut Cx<'_>, frame: &mut Frame<'_>, binds: &[(usize, Node)]) -> R<()> {
    for (place, node) in binds {
        let value = eval(cx, frame, node)?;
        put(frame, *place, value);
    }
    Ok(())
}

fn closure(frame: &Frame<'_>, proto: &std::sync::Arc<Proto>) -> Value {
    let take = |capture: &Capture| match capture {
        Capture::Local(place) => frame.places.get(*place).cloned(),
        Capture::Captured(place) => frame.captured.get(*place).cloned(),
        Capture::Own => frame.own.cloned(),
    };
    let values = proto.captures.iter().map(|capture| take(capture).unwrap_or(Value::Nil)).collect();
    Value::Function(Rc::new(Function { kind: Kind::Written(std::sync::Arc::clone(proto)), values }))
}

fn eval_case(cx: &mut Cx<'_>, frame: &mut Frame<'_>, case: &Case) -> R<Value> {
    let value = eval(cx, frame, &case.of)?;
    if case.hashes && matches!(value, Value::Seq(_)) {
        // Clojure goes by the hash of the value, for which a lazy sequence is computed to its end.
        hash(cx, &value)?;
    }
    for (constants, then) in &case.clauses {
        for constant in constants {
            let constant = eval(cx, frame, constant)?;
            if super::equal::equal(cx, &value, &constant)? {
                return eval(cx, frame, then);
            }
        }
    }
    match &case.otherwise {
        Some(otherwise) => eval(cx, frame, otherwise),
        None => Err(wrong("no clause of this `case` matches, and it has no default").at(case.at)),
    }
}

/// Calls anything that can be called.
pub(super) fn call(cx: &mut Cx<'_>, function: &Value, args: &[Value]) -> R<Value> {
    cx.budget.enter()?;
    cx.budget.steps(1)?;
    let value = match function {
        Value::Function(called) => match &called.kind {
            Kind::Builtin(builtin) => {
                builtin.check(args.len())?;
                (builtin.run)(cx, args)?
            }
            Kind::Written(proto) => call_written(cx, function, proto, &called.values, args)?,
            kind => call_made(cx, kind, &called.values, args)?,
        },
        Value::Keyword(_) | Value::Symbol(_) => match args {
            [from] => get(cx, from, function)?.unwrap_or(Value::Nil),
            [from, otherwise] => get(cx, from, function)?.unwrap_or_else(|| otherwise.clone()),
            _ => return Err(wrong("a keyword or symbol that is called takes 1 or 2 arguments")),
        },
        Value::Map(_) => match args {
            [key] => get(cx, function, key)?.unwrap_or(Value::Nil),
            [key, otherwise] => get(cx, function, key)?.unwrap_or_else(|| otherwise.clone()),
            _ => return Err(wrong("a map that is called takes 1 or 2 arguments")),
        },
        Value::Set(_) => match args {
            [key] => get(cx, function, key)?.unwrap_or(Value::Nil),
            _ => return Err(wrong("a set that is called takes 1 argument")),
        },
        Value::Vector(_) => match args {
            [place] => nth(cx, function, place, None)?,
            _ => return Err(wrong("a vector that is called takes 1 argument")),
        },
        other => return Err(not_a_function(other)),
    };
    cx.budget.leave();
    Ok(value)
}

fn call_written(cx: &mut Cx<'_>, own: &Value, proto: &Proto, captured: &[Value], args: &[Value]) -> R<Value> {
    let fits = |arity: &&Arity| args.len() == arity.fixed && !arity.variadic;
    let takes_rest = |arity: &&Arity| arity.variadic && args.len() >= arity.fixed;
    let arity = proto.arities.iter().find(fits).or_else(|| proto.arities.iter().find(takes_rest));
    let Some(arity) = arity else {
        return Err(wrong(format!("this function does not take {} arguments", args.len())));
    };
    cx.budget.values(arity.places)?;
    let mut places = Vec::with_capacity(arity.places);
    places.extend_from_slice(&args[..arity.fixed]);
    if arity.variadic {
        let rest = &args[arity.fixed..];
        places.push(if rest.is_empty() {
            Value::Nil
        } else {
            let items = Items::new(&mut cx.budget, rest.to_vec())?;
            Value::Seq(super::seq::Seq::plain(items))
        });
    }
    places.resize(arity.places.max(places.len()), Value::Nil);
    let mut frame = Frame { places, captured, own: Some(own), again: None };
    loop {
        let value = eval(cx, &mut frame, &arity.body)?;
        let Some(again) = frame.again.take() else { return Ok(value) };
        cx.budget.steps(1)?;
        for (place, value) in again.into_iter().enumerate() {
            put(&mut frame, place, value);
        }
    }
}

fn call_made(cx: &mut Cx<'_>, kind: &Kind, values: &[Value], args: &[Value]) -> R<Value> {
    let Some((first, others)) = values.split_first() else {
        return Ok(args.first().cloned().unwrap_or(Value::Nil));
    };
    match kind {
        Kind::Partial => {
            let all: Vec<_> = others.iter().chain(args).cloned().collect();
            call(cx, first, &all)
        }
        Kind::Comp => {
            let (last, before) = values.split_last().unwrap_or((first, &[]));
            let mut value = call(cx, last, args)?;
            for function in before.iter().rev() {
                value = call(cx, function, &[value])?;
            }
            Ok(value)
        }
        Kind::Juxt => {
            let all = values.iter().map(|function| call(cx, function, args)).collect::<R<_>>()?;
            Value::vector(&mut cx.budget, all)
        }
        Kind::Complement => Ok(Value::Bool(!call(cx, first, args)?.is_true())),
        Kind::Constantly => Ok(first.clone()),
        Kind::Fnil => {
            let mut args = args.to_vec();
            for (arg, otherwise) in args.iter_mut().zip(others) {
                if arg.is_nil() {
                    *arg = otherwise.clone();
                }
            }
            call(cx, first, &args)
        }
        Kind::EveryPred => {
            for arg in args {
                for function in values {
                    if !call(cx, function, std::slice::from_ref(arg))?.is_true() {
                        return Ok(Value::Bool(false));
                    }
                }
            }
            Ok(Value::Bool(true))
        }
        Kind::SomeFn => {
            let mut last = Value::Nil;
            for arg in args {
                for function in values {
                    last = call(cx, function, std::slice::from_ref(arg))?;
                    if last.is_true() {
                        return Ok(last);
                    }
                }
            }
            Ok(last)
        }
        Kind::Builtin(_) | Kind::Written(_) => Ok(Value::Nil),
    }
}
