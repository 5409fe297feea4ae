//! Calls of functions that a formula defines.

use std::sync::Arc;

use super::frame::Frame;
use super::node_value;
use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;
use crate::node::{Arity, FunctionDefinition};
use crate::value::Value;
use crate::value::function::ClosureCode;

impl ClosureCode for FunctionDefinition {
    fn call(
        &self,
        ctx: &mut EvaluationContext<'_>,
        function: &Value,
        captured: &[Value],
        args: &[Value],
    ) -> Result<Value> {
        call_definition::<false>(self, ctx, function, captured, args)
    }
}

/// A function whose calls are traced.
#[derive(Debug)]
pub(super) struct TracedFunction(pub(super) Arc<FunctionDefinition>);

impl ClosureCode for TracedFunction {
    fn call(
        &self,
        ctx: &mut EvaluationContext<'_>,
        function: &Value,
        captured: &[Value],
        args: &[Value],
    ) -> Result<Value> {
        call_definition::<true>(&self.0, ctx, function, captured, args)
    }
}

// Inlined, since each call of the other function would cost as much as a few nodes.
#[inline(always)]
fn call_definition<const TRACED: bool>(
    definition: &FunctionDefinition,
    ctx: &mut EvaluationContext<'_>,
    function: &Value,
    captured: &[Value],
    args: &[Value],
) -> Result<Value> {
    let takes_exactly = |arity: &&Arity| args.len() == arity.fixed_parameters && !arity.is_variadic;
    let takes_at_least = |arity: &&Arity| arity.is_variadic && args.len() >= arity.fixed_parameters;
    let arity = definition
        .arities
        .iter()
        .find(takes_exactly)
        .or_else(|| definition.arities.iter().find(takes_at_least));
    let Some(arity) = arity else {
        return Err(invalid(format!("this function does not take {} arguments", args.len())));
    };
    ctx.budget.take_values(arity.slot_count)?;
    let mut slots = Vec::with_capacity(arity.slot_count);
    slots.extend_from_slice(&args[..arity.fixed_parameters]);
    if arity.is_variadic {
        let rest = &args[arity.fixed_parameters..];
        slots.push(if rest.is_empty() {
            Value::Nil
        } else {
            Value::realized_sequence(&mut ctx.budget, rest.to_vec())?
        });
    }
    // Not `resize`, which is a call now that this function is compiled twice.
    while slots.len() < arity.slot_count {
        slots.push(Value::Nil);
    }
    let mut frame = Frame::of_call(slots, captured, function);
    loop {
        let value = node_value::<TRACED>(ctx, &mut frame, &arity.body)?;
        let Some(arguments) = frame.take_recur_arguments() else { return Ok(value) };
        ctx.budget.take_steps(1)?;
        for (slot, argument) in arguments.into_iter().enumerate() {
            frame.set_local(slot, argument);
        }
    }
}
