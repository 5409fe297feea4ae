//! Functions that make functions of others, and `apply`.

use std::rc::Rc;

use crate::call::call;
use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::function::{ANY_COUNT, Builtin, Function, FunctionKind};
use crate::value::iteration::items_of;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("identity", (1, 1), |_, args| Ok(args[0].clone())),
    Builtin::new("constantly", (1, 1), |ctx, args| combinator(ctx, FunctionKind::Constantly, args)),
    Builtin::new("comp", (0, ANY_COUNT), |ctx, args| match args {
        [only] => Ok(only.clone()),
        _ => combinator(ctx, FunctionKind::Comp, args),
    }),
    Builtin::new("partial", (1, ANY_COUNT), |ctx, args| match args {
        [only] => Ok(only.clone()),
        _ => combinator(ctx, FunctionKind::Partial, args),
    }),
    Builtin::new("juxt", (1, ANY_COUNT), |ctx, args| combinator(ctx, FunctionKind::Juxt, args)),
    Builtin::new("complement", (1, 1), |ctx, args| combinator(ctx, FunctionKind::Complement, args)),
    Builtin::new("fnil", (2, 4), |ctx, args| combinator(ctx, FunctionKind::Fnil, args)),
    Builtin::new("every-pred", (1, ANY_COUNT), |ctx, args| combinator(ctx, FunctionKind::EveryPred, args)),
    Builtin::new("some-fn", (1, ANY_COUNT), |ctx, args| combinator(ctx, FunctionKind::SomeFn, args)),
    Builtin::new("memoize", (1, 1), |_, args| Ok(args[0].clone())),
    Builtin::new("apply", (2, ANY_COUNT), |ctx, args| {
        let [function, before @ .., last] = args else { return Ok(Value::Nil) };
        let mut all = before.to_vec();
        all.extend(items_of(ctx, last)?);
        call(ctx, function, &all)
    }),
];

/// A function made of the values.
fn combinator(ctx: &mut EvaluationContext<'_>, kind: FunctionKind, values: &[Value]) -> Result<Value> {
    ctx.budget.take_values(values.len() + 2)?;
    Ok(Value::Function(Rc::new(Function { kind, values: values.to_vec() })))
}
