//! Functions that take and make functions.

use std::rc::Rc;

use crate::call::call;
use crate::cx::Cx;
use crate::error::R;
use crate::function::{ANY, Builtin, Function, Kind};
use crate::seqable;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("identity", (1, 1), |_, args| Ok(args[0].clone())),
    Builtin::new("constantly", (1, 1), |cx, args| made(cx, Kind::Constantly, args)),
    Builtin::new("comp", (0, ANY), |cx, args| match args {
        [only] => Ok(only.clone()),
        _ => made(cx, Kind::Comp, args),
    }),
    Builtin::new("partial", (1, ANY), |cx, args| match args {
        [only] => Ok(only.clone()),
        _ => made(cx, Kind::Partial, args),
    }),
    Builtin::new("juxt", (1, ANY), |cx, args| made(cx, Kind::Juxt, args)),
    Builtin::new("complement", (1, 1), |cx, args| made(cx, Kind::Complement, args)),
    Builtin::new("fnil", (2, 4), |cx, args| made(cx, Kind::Fnil, args)),
    Builtin::new("every-pred", (1, ANY), |cx, args| made(cx, Kind::EveryPred, args)),
    Builtin::new("some-fn", (1, ANY), |cx, args| made(cx, Kind::SomeFn, args)),
    Builtin::new("memoize", (1, 1), |_, args| Ok(args[0].clone())),
    Builtin::new("apply", (2, ANY), |cx, args| {
        let [function, before @ .., last] = args else { return Ok(Value::Nil) };
        let mut all = before.to_vec();
        all.extend(seqable::values(cx, last)?);
        call(cx, function, &all)
    }),
];

fn made(cx: &mut Cx<'_>, kind: Kind, values: &[Value]) -> R<Value> {
    cx.budget.values(values.len() + 2)?;
    Ok(Value::Function(Rc::new(Function { kind, values: values.to_vec() })))
}
