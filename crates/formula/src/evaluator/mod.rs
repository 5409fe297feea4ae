//! Evaluator: the value of a node.
//!
//! It walks the tree of nodes, and takes a step and a level of depth from the budget for each that is compound. An
//! error gets the position of the innermost call that it happened in.
//!
//! Its functions are compiled twice, by their constant `TRACED`: what records values is in one of them only, so that
//! an evaluation that is not traced does nothing for it.

mod closure;
mod collections;
mod frame;
mod tracing;
mod variables;

use std::rc::Rc;
use std::sync::Arc;

use crate::call::call;
use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;
use crate::node::{Binding, Capture, Case, FunctionDefinition, Loop, Node};
use crate::value::Value;
use crate::value::equality::equal;
use crate::value::function::{ClosureCode, Function, FunctionKind};
use crate::value::hash::hash;
use closure::TracedFunction;
use collections::collection_value;
use frame::Frame;

/// The value of a formula's node, whose frame has so many slots.
pub(crate) fn evaluate(ctx: &mut EvaluationContext<'_>, node: &Node, slot_count: usize) -> Result<Value> {
    node_value::<false>(ctx, &mut Frame::of_formula(slot_count), node)
}

/// The same, with the values of traced nodes recorded in the trace of `ctx`.
pub(crate) fn evaluate_traced(
    ctx: &mut EvaluationContext<'_>,
    node: &Node,
    slot_count: usize,
) -> Result<Value> {
    node_value::<true>(ctx, &mut Frame::of_formula(slot_count), node)
}

fn node_value<const TRACED: bool>(
    ctx: &mut EvaluationContext<'_>,
    frame: &mut Frame<'_>,
    node: &Node,
) -> Result<Value> {
    match node {
        Node::Literal(literal) => Ok(Value::from(literal)),
        Node::Local(slot) => Ok(frame.local(*slot)),
        Node::Captured(index) => Ok(frame.captured(*index)),
        Node::Variable(name) => variables::variable(ctx, name),
        Node::Traced(traced) if TRACED => tracing::traced_value(ctx, frame, traced),
        _ => {
            ctx.budget.enter_level()?;
            ctx.budget.take_steps(1)?;
            let value = compound_value::<TRACED>(ctx, frame, node)?;
            ctx.budget.leave_level();
            Ok(value)
        }
    }
}

fn compound_value<const TRACED: bool>(
    ctx: &mut EvaluationContext<'_>,
    frame: &mut Frame<'_>,
    node: &Node,
) -> Result<Value> {
    match node {
        Node::CallBuiltin { position, builtin, args } => match args.as_slice() {
            [] => builtin.call(ctx, &[]),
            [only] => {
                let args = [node_value::<TRACED>(ctx, frame, only)?];
                builtin.call(ctx, &args)
            }
            [first, second] => {
                let args =
                    [node_value::<TRACED>(ctx, frame, first)?, node_value::<TRACED>(ctx, frame, second)?];
                builtin.call(ctx, &args)
            }
            all => {
                let args = node_values::<TRACED>(ctx, frame, all)?;
                builtin.call(ctx, &args)
            }
        }
        .map_err(|failure| failure.at(*position)),
        Node::If(branches) if TRACED => tracing::conditional_value(ctx, frame, branches),
        Node::If(branches) => {
            let mut branches = branches;
            loop {
                let [test, then, otherwise] = &**branches;
                let test = node_value::<TRACED>(ctx, frame, test)?.is_true();
                match if test { then } else { otherwise } {
                    // The clauses of a `cond` follow each other here, so that they do not nest.
                    Node::If(next) => branches = next,
                    next => return node_value::<TRACED>(ctx, frame, next),
                }
                ctx.budget.take_steps(1)?;
            }
        }
        Node::And(nodes) => {
            ctx.budget.take_steps(nodes.len() / 8)?;
            let mut last = Value::Bool(true);
            for node in nodes {
                last = node_value::<TRACED>(ctx, frame, node)?;
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
                last = node_value::<TRACED>(ctx, frame, node)?;
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
                last = node_value::<TRACED>(ctx, frame, node)?;
            }
            Ok(last)
        }
        Node::Let(bindings, body) => {
            bind::<TRACED>(ctx, frame, bindings)?;
            node_value::<TRACED>(ctx, frame, body)
        }
        Node::Call { position, function, args } => {
            let function = node_value::<TRACED>(ctx, frame, function)?;
            let args = node_values::<TRACED>(ctx, frame, args)?;
            call(ctx, &function, &args).map_err(|failure| failure.at(*position))
        }
        Node::Function(definition) => {
            ctx.budget.take_values(definition.captures.len() + 2)?;
            Ok(closure_value::<TRACED>(frame, definition))
        }
        Node::Case(case) => case_value::<TRACED>(ctx, frame, case),
        Node::Loop(node) => loop_value::<TRACED>(ctx, frame, node),
        Node::Recur(args) => {
            let args = node_values::<TRACED>(ctx, frame, args)?;
            frame.set_recur_arguments(args);
            Ok(Value::Nil)
        }
        _ => collection_value::<TRACED>(ctx, frame, node),
    }
}

fn node_values<const TRACED: bool>(
    ctx: &mut EvaluationContext<'_>,
    frame: &mut Frame<'_>,
    nodes: &[Node],
) -> Result<Vec<Value>> {
    ctx.budget.take_steps(nodes.len() / 8)?;
    nodes.iter().map(|node| node_value::<TRACED>(ctx, frame, node)).collect()
}

fn bind<const TRACED: bool>(
    ctx: &mut EvaluationContext<'_>,
    frame: &mut Frame<'_>,
    bindings: &[Binding],
) -> Result<()> {
    ctx.budget.take_steps(bindings.len() / 8)?;
    for (slot, node) in bindings {
        let value = node_value::<TRACED>(ctx, frame, node)?;
        frame.set_local(*slot, value);
    }
    Ok(())
}

fn loop_value<const TRACED: bool>(
    ctx: &mut EvaluationContext<'_>,
    frame: &mut Frame<'_>,
    node: &Loop,
) -> Result<Value> {
    bind::<TRACED>(ctx, frame, &node.initial_bindings)?;
    loop {
        ctx.budget.take_steps(1)?;
        bind::<TRACED>(ctx, frame, &node.round_bindings)?;
        let value = node_value::<TRACED>(ctx, frame, &node.body)?;
        let Some(arguments) = frame.take_recur_arguments() else { return Ok(value) };
        for (slot, argument) in node.slots.iter().zip(arguments) {
            frame.set_local(*slot, argument);
        }
    }
}

fn closure_value<const TRACED: bool>(frame: &Frame<'_>, definition: &Arc<FunctionDefinition>) -> Value {
    let captured_value = |capture: &Capture| match capture {
        Capture::Local(slot) => frame.local(*slot),
        Capture::Captured(index) => frame.captured(*index),
        Capture::CurrentFunction => frame.current_function(),
    };
    let values = definition.captures.iter().map(captured_value).collect();
    let code: Arc<dyn ClosureCode> = if TRACED {
        Arc::new(TracedFunction(Arc::clone(definition)))
    } else {
        Arc::<FunctionDefinition>::clone(definition)
    };
    Value::Function(Rc::new(Function { kind: FunctionKind::Closure(code), values }))
}

fn case_value<const TRACED: bool>(
    ctx: &mut EvaluationContext<'_>,
    frame: &mut Frame<'_>,
    case: &Case,
) -> Result<Value> {
    let subject = node_value::<TRACED>(ctx, frame, &case.subject)?;
    if case.hashes_subject && matches!(subject, Value::Sequence(_)) {
        // Clojure hashes it, which computes a lazy sequence to its end.
        hash(ctx, &subject)?;
    }
    for clause in &case.clauses {
        for constant in &clause.constants {
            let constant = node_value::<TRACED>(ctx, frame, constant)?;
            if equal(ctx, &subject, &constant)? {
                return node_value::<TRACED>(ctx, frame, &clause.then);
            }
        }
    }
    match &case.default {
        Some(default) => node_value::<TRACED>(ctx, frame, default),
        None => Err(invalid("no clause of this `case` matches, and it has no default").at(case.position)),
    }
}
