//! Calls of values: functions, and the collections, keywords and symbols that can be called like functions.
//!
//! The evaluator calls what a formula calls, and built-in functions call the functions that they are handed. Each call
//! takes a step and a level of depth.

use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::function::{FunctionKind, not_a_function};
use crate::value::lookup::{get, nth};

/// Calls a value, one level deeper.
pub(crate) fn call(ctx: &mut EvaluationContext<'_>, function: &Value, args: &[Value]) -> Result<Value> {
    ctx.budget.enter_level()?;
    ctx.budget.take_steps(1 + args.len() / 16)?;
    let value = match function {
        Value::Function(called) => match &called.kind {
            FunctionKind::Builtin(builtin) => {
                builtin.check_arity(args.len())?;
                builtin.call(ctx, args)?
            }
            FunctionKind::Closure(code) => code.call(ctx, function, &called.values, args)?,
            kind => call_combinator(ctx, kind, &called.values, args)?,
        },
        Value::Keyword(_) | Value::Symbol(_) => match args {
            [from] => get(ctx, from, function)?.unwrap_or(Value::Nil),
            [from, default] => get(ctx, from, function)?.unwrap_or_else(|| default.clone()),
            _ => return Err(invalid("a keyword or symbol that is called takes 1 or 2 arguments")),
        },
        Value::Map(_) => match args {
            [key] => get(ctx, function, key)?.unwrap_or(Value::Nil),
            [key, default] => get(ctx, function, key)?.unwrap_or_else(|| default.clone()),
            _ => return Err(invalid("a map that is called takes 1 or 2 arguments")),
        },
        Value::Set(_) => match args {
            [key] => get(ctx, function, key)?.unwrap_or(Value::Nil),
            _ => return Err(invalid("a set that is called takes 1 argument")),
        },
        Value::Vector(_) => match args {
            [index] => nth(ctx, function, index, None)?,
            _ => return Err(invalid("a vector that is called takes 1 argument")),
        },
        other => return Err(not_a_function(other)),
    };
    ctx.budget.leave_level();
    Ok(value)
}

/// Calls a function that is made of other values.
fn call_combinator(
    ctx: &mut EvaluationContext<'_>,
    kind: &FunctionKind,
    values: &[Value],
    args: &[Value],
) -> Result<Value> {
    let Some((first, others)) = values.split_first() else {
        // `(comp)` is the identity.
        return Ok(args.first().cloned().unwrap_or(Value::Nil));
    };
    match kind {
        FunctionKind::Partial => {
            let all: Vec<_> = others.iter().chain(args).cloned().collect();
            call(ctx, first, &all)
        }
        FunctionKind::Comp => {
            let (last, before) = values.split_last().unwrap_or((first, &[]));
            let mut value = call(ctx, last, args)?;
            for function in before.iter().rev() {
                value = call(ctx, function, &[value])?;
            }
            Ok(value)
        }
        FunctionKind::Juxt => {
            let all = values.iter().map(|function| call(ctx, function, args)).collect::<Result<_>>()?;
            Value::vector(&mut ctx.budget, all)
        }
        FunctionKind::Complement => Ok(Value::Bool(!call(ctx, first, args)?.is_true())),
        FunctionKind::Constantly => Ok(first.clone()),
        FunctionKind::Fnil => {
            if args.len() < others.len().min(2) {
                return Err(invalid("what `fnil` gives takes as many arguments as it has values for"));
            }
            let mut args = args.to_vec();
            for (arg, default) in args.iter_mut().zip(others) {
                if arg.is_nil() {
                    *arg = default.clone();
                }
            }
            call(ctx, first, &args)
        }
        FunctionKind::EveryPred => {
            for arg in args {
                for function in values {
                    if !call(ctx, function, std::slice::from_ref(arg))?.is_true() {
                        return Ok(Value::Bool(false));
                    }
                }
            }
            Ok(Value::Bool(true))
        }
        FunctionKind::SomeFn => {
            let mut last = Value::Nil;
            for arg in args {
                for function in values {
                    last = call(ctx, function, std::slice::from_ref(arg))?;
                    if last.is_true() {
                        return Ok(last);
                    }
                }
            }
            Ok(last)
        }
        FunctionKind::Builtin(_) | FunctionKind::Closure(_) => Ok(Value::Nil),
    }
}
