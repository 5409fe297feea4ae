//! Evaluator: the value of a node.
//!
//! It walks the tree of nodes, and takes a step and a level of depth from the budget for each that is compound. An
//! error gets the position of the innermost call that it happened in.

mod closure;
mod frame;
mod variables;

use std::rc::Rc;
use std::sync::Arc;

use crate::call::call;
use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;
use crate::node::{Binding, Capture, Case, FunctionDefinition, Loop, Node};
use crate::value::Value;
use crate::value::equality::equal;
use crate::value::function::{Function, FunctionKind};
use crate::value::hash::hash;
use crate::value::map::Map;
use crate::value::set::Set;
use frame::Frame;

/// The value of a formula's node, whose frame has so many slots.
pub(crate) fn evaluate(ctx: &mut EvaluationContext<'_>, node: &Node, slot_count: usize) -> Result<Value> {
    node_value(ctx, &mut Frame::of_formula(slot_count), node)
}

fn node_value(ctx: &mut EvaluationContext<'_>, frame: &mut Frame<'_>, node: &Node) -> Result<Value> {
    match node {
        Node::Literal(literal) => Ok(Value::from(literal)),
        Node::Local(slot) => Ok(frame.local(*slot)),
        Node::Captured(index) => Ok(frame.captured(*index)),
        Node::Variable(name) => variables::variable(ctx, name),
        _ => {
            ctx.budget.enter_level()?;
            ctx.budget.take_steps(1)?;
            let value = compound_value(ctx, frame, node)?;
            ctx.budget.leave_level();
            Ok(value)
        }
    }
}

fn compound_value(ctx: &mut EvaluationContext<'_>, frame: &mut Frame<'_>, node: &Node) -> Result<Value> {
    match node {
        Node::CallBuiltin { position, builtin, args } => match args.as_slice() {
            [] => builtin.call(ctx, &[]),
            [only] => {
                let args = [node_value(ctx, frame, only)?];
                builtin.call(ctx, &args)
            }
            [first, second] => {
                let args = [node_value(ctx, frame, first)?, node_value(ctx, frame, second)?];
                builtin.call(ctx, &args)
            }
            all => {
                let args = node_values(ctx, frame, all)?;
                builtin.call(ctx, &args)
            }
        }
        .map_err(|failure| failure.at(*position)),
        Node::If(branches) => {
            let mut branches = branches;
            loop {
                let [test, then, otherwise] = &**branches;
                let test = node_value(ctx, frame, test)?.is_true();
                match if test { then } else { otherwise } {
                    // The clauses of a `cond` follow each other here, so that they do not nest.
                    Node::If(next) => branches = next,
                    next => return node_value(ctx, frame, next),
                }
                ctx.budget.take_steps(1)?;
            }
        }
        Node::And(nodes) => {
            ctx.budget.take_steps(nodes.len() / 8)?;
            let mut last = Value::Bool(true);
            for node in nodes {
                last = node_value(ctx, frame, node)?;
                if !last.is_true() {
                    break;
                }
            }
            Ok(last)
        }
        Node::Or(nodes) => {
            ctx.budget.take_steps(nodes.len() / 8)?;
            let mut last = Value::Nil;
            for node in nodes {
                last = node_value(ctx, frame, node)?;
                if last.is_true() {
                    break;
                }
            }
            Ok(last)
        }
        Node::Do(nodes) => {
            ctx.budget.take_steps(nodes.len() / 8)?;
            let mut last = Value::Nil;
            for node in nodes {
                last = node_value(ctx, frame, node)?;
            }
            Ok(last)
        }
        Node::Let(bindings, body) => {
            bind(ctx, frame, bindings)?;
            node_value(ctx, frame, body)
        }
        Node::Call { position, function, args } => {
            let function = node_value(ctx, frame, function)?;
            let args = node_values(ctx, frame, args)?;
            call(ctx, &function, &args).map_err(|failure| failure.at(*position))
        }
        Node::Function(definition) => {
            ctx.budget.take_values(definition.captures.len() + 2)?;
            Ok(closure_value(frame, definition))
        }
        Node::Case(case) => case_value(ctx, frame, case),
        Node::Loop(node) => loop_value(ctx, frame, node),
        Node::Recur(args) => {
            let args = node_values(ctx, frame, args)?;
            frame.set_recur_arguments(args);
            Ok(Value::Nil)
        }
        _ => collection_value(ctx, frame, node),
    }
}

/// The value of a collection, or of one of the rarer nodes that hold no others.
fn collection_value(ctx: &mut EvaluationContext<'_>, frame: &mut Frame<'_>, node: &Node) -> Result<Value> {
    match node {
        Node::Vector(nodes) => {
            let values = node_values(ctx, frame, nodes)?;
            Value::vector(&mut ctx.budget, values)
        }
        Node::List(nodes) => {
            let values = node_values(ctx, frame, nodes)?;
            Value::list(&mut ctx.budget, values)
        }
        Node::Map(nodes, position) => {
            let values = node_values(ctx, frame, nodes)?;
            let map = Map::from_literal(ctx, values).map_err(|failure| failure.at(*position))?;
            Ok(Value::Map(Rc::new(map)))
        }
        Node::Set(nodes, position) => {
            let values = node_values(ctx, frame, nodes)?;
            let set = Set::from_literal(ctx, values).map_err(|failure| failure.at(*position))?;
            Ok(Value::Set(Rc::new(set)))
        }
        Node::Symbol(name) => Ok(Value::Symbol(Arc::clone(name))),
        Node::CurrentFunction => Ok(frame.current_function()),
        Node::Builtin(builtin) => {
            let function = Function { kind: FunctionKind::Builtin(builtin), values: Vec::new() };
            Ok(Value::Function(Rc::new(function)))
        }
        _ => Ok(Value::Nil),
    }
}

fn node_values(ctx: &mut EvaluationContext<'_>, frame: &mut Frame<'_>, nodes: &[Node]) -> Result<Vec<Value>> {
    ctx.budget.take_steps(nodes.len() / 8)?;
    nodes.iter().map(|node| node_value(ctx, frame, node)).collect()
}

fn bind(ctx: &mut EvaluationContext<'_>, frame: &mut Frame<'_>, bindings: &[Binding]) -> Result<()> {
    ctx.budget.take_steps(bindings.len() / 8)?;
    for (slot, node) in bindings {
        let value = node_value(ctx, frame, node)?;
        frame.set_local(*slot, value);
    }
    Ok(())
}

fn loop_value(ctx: &mut EvaluationContext<'_>, frame: &mut Frame<'_>, node: &Loop) -> Result<Value> {
    bind(ctx, frame, &node.initial_bindings)?;
    loop {
        ctx.budget.take_steps(1)?;
        bind(ctx, frame, &node.round_bindings)?;
        let value = node_value(ctx, frame, &node.body)?;
        let Some(arguments) = frame.take_recur_arguments() else { return Ok(value) };
        for (slot, argument) in node.slots.iter().zip(arguments) {
            frame.set_local(*slot, argument);
        }
    }
}

fn closure_value(frame: &Frame<'_>, definition: &Arc<FunctionDefinition>) -> Value {
    let captured_value = |capture: &Capture| match capture {
        Capture::Local(slot) => frame.local(*slot),
        Capture::Captured(index) => frame.captured(*index),
        Capture::CurrentFunction => frame.current_function(),
    };
    let values = definition.captures.iter().map(captured_value).collect();
    let definition = Arc::clone(definition);
    Value::Function(Rc::new(Function { kind: FunctionKind::Closure(definition), values }))
}

fn case_value(ctx: &mut EvaluationContext<'_>, frame: &mut Frame<'_>, case: &Case) -> Result<Value> {
    let subject = node_value(ctx, frame, &case.subject)?;
    if case.hashes_subject && matches!(subject, Value::Sequence(_)) {
        // Clojure hashes it, which computes a lazy sequence to its end.
        hash(ctx, &subject)?;
    }
    for clause in &case.clauses {
        for constant in &clause.constants {
            let constant = node_value(ctx, frame, constant)?;
            if equal(ctx, &subject, &constant)? {
                return node_value(ctx, frame, &clause.then);
            }
        }
    }
    match &case.default {
        Some(default) => node_value(ctx, frame, default),
        None => Err(invalid("no clause of this `case` matches, and it has no default").at(case.position)),
    }
}
