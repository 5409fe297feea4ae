//! Running a formula.

use std::rc::Rc;

use super::call::call;
use super::cx::Cx;
use super::error::{R, wrong};
use super::function::{Function, Kind};
use super::hash::hash;
use super::map::{Map, Set};
use super::node::{Capture, Case, Node, Proto};
use super::value::Value;

/// What a function has while it runs.
pub(super) struct Frame<'f> {
    places: Vec<Value>,
    captured: &'f [Value],
    own: Option<&'f Value>,
    /// What `recur` gave the loop or function around it to go on with.
    again: Option<Vec<Value>>,
}

impl<'f> Frame<'f> {
    /// Of a function that took values along.
    pub(super) fn of(places: Vec<Value>, captured: &'f [Value], own: &'f Value) -> Self {
        Self { places, captured, own: Some(own), again: None }
    }

    /// What a `recur` gave, if one ended what was evaluated.
    pub(super) fn again(&mut self) -> Option<Vec<Value>> {
        self.again.take()
    }

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
            [] => builtin.call(cx, &[]),
            [only] => {
                let args = [eval(cx, frame, only)?];
                builtin.call(cx, &args)
            }
            [first, second] => {
                let args = [eval(cx, frame, first)?, eval(cx, frame, second)?];
                builtin.call(cx, &args)
            }
            all => {
                let args = eval_all(cx, frame, all)?;
                builtin.call(cx, &args)
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
            cx.budget.steps(nodes.len() / 8)?;
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
            cx.budget.steps(nodes.len() / 8)?;
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
            cx.budget.steps(nodes.len() / 8)?;
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
        Node::Function(proto) => {
            cx.budget.values(proto.captures.len() + 2)?;
            Ok(closure(frame, proto))
        }
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
    cx.budget.steps(nodes.len() / 8)?;
    nodes.iter().map(|node| eval(cx, frame, node)).collect()
}

pub(super) fn put(frame: &mut Frame<'_>, place: usize, value: Value) {
    if let Some(held) = frame.places.get_mut(place) {
        *held = value;
    }
}

fn bind(cx: &mut Cx<'_>, frame: &mut Frame<'_>, binds: &[(usize, Node)]) -> R<()> {
    cx.budget.steps(binds.len() / 8)?;
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
