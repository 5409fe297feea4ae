//! Calling functions, and everything else that can be called.

use super::cx::Cx;
use super::error::{R, wrong};
use super::eval::{Frame, eval, put};
use super::function::{Kind, not_a_function};
use super::functions::{get, nth};
use super::node::{Arity, Proto};
use super::value::{Items, Value};

/// Calls anything that can be called.
pub(super) fn call(cx: &mut Cx<'_>, function: &Value, args: &[Value]) -> R<Value> {
    cx.budget.enter()?;
    cx.budget.steps(1 + args.len() / 16)?;
    let value = match function {
        Value::Function(called) => match &called.kind {
            Kind::Builtin(builtin) => {
                builtin.check(args.len())?;
                builtin.call(cx, args)?
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
    let mut frame = Frame::of(places, captured, own);
    loop {
        let value = eval(cx, &mut frame, &arity.body)?;
        let Some(again) = frame.again() else { return Ok(value) };
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
            if args.len() < others.len().min(2) {
                return Err(wrong("what `fnil` gives takes as many arguments as it has values for"));
            }
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
