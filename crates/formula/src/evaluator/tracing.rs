//! Recording of the values of traced nodes.
//!
//! An evaluation that is traced takes the same steps, bytes and levels as one that is not, and so ends in the same way.

use super::frame::Frame;
use super::node_value;
use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use crate::node::{Node, TracedNode};
use crate::value::Value;

pub(super) fn traced_value(
    ctx: &mut EvaluationContext<'_>,
    frame: &mut Frame<'_>,
    traced: &TracedNode,
) -> Result<Value> {
    let step = begin_step(ctx, traced);
    let value = node_value::<true>(ctx, frame, &traced.node)?;
    end_step(ctx, frame, step, &value);
    Ok(value)
}

/// The value of an `if`. Conditionals in its branches do not nest here either, though they are traced.
pub(super) fn conditional_value(
    ctx: &mut EvaluationContext<'_>,
    frame: &mut Frame<'_>,
    branches: &[Node; 3],
) -> Result<Value> {
    let (mut branches, mut open_steps) = (branches, Vec::new());
    loop {
        let [test, then, otherwise] = branches;
        let test = node_value::<true>(ctx, frame, test)?.is_true();
        let branch = if test { then } else { otherwise };
        let (mut node, mut around) = (branch, Vec::new());
        while let Node::Traced(traced) = node {
            around.push(traced);
            node = &traced.node;
        }
        let Node::If(next) = node else {
            let value = node_value::<true>(ctx, frame, branch)?;
            for step in open_steps.into_iter().rev() {
                end_step(ctx, frame, step, &value);
            }
            return Ok(value);
        };
        open_steps.extend(around.into_iter().map(|traced| begin_step(ctx, traced)));
        branches = next;
        ctx.budget.take_steps(1)?;
    }
}

/// Begins a step of the trace; none where the trace is full.
fn begin_step(ctx: &EvaluationContext<'_>, traced: &TracedNode) -> Option<usize> {
    ctx.trace?.borrow_mut().begin(traced.form)
}

fn end_step(ctx: &EvaluationContext<'_>, frame: &Frame<'_>, step: Option<usize>, value: &Value) {
    if let (Some(trace), Some(step)) = (ctx.trace, step) {
        let mut trace = trace.borrow_mut();
        if frame.is_recurring() {
            trace.discard(step);
        } else {
            trace.end(step, value.clone());
        }
    }
}
