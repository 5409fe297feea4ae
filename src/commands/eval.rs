//! `loanhook eval`: a formula tried out here.

use loanhook_core::model::time::Timestamp;
use loanhook_core::try_out;
use serde_json::value::RawValue;

use crate::Outcome;
use crate::arguments::EvalArgs;
use crate::terminal::{input, output};

pub(crate) fn run(args: &EvalArgs) -> Outcome {
    let text = args.context.as_deref().map_or_else(|| Ok("{}".to_owned()), input::text)?;
    let context: Box<RawValue> = serde_json::from_str(&text).map_err(|error| {
        let name = args.context.as_deref().map(input::name).unwrap_or_default();
        format!("{name}: not JSON: {error}")
    })?;
    let outcome = try_out::evaluate(&args.formula, context, Timestamp::now()).map_err(|faults| {
        let first = faults.0.into_iter().next();
        first.map_or_else(String::new, |fault| match fault.pointer.as_str() {
            "/context" => format!("the context {}", fault.detail),
            _ => fault.detail,
        })
    })?;
    if !args.json {
        return output::line(outcome.printed);
    }
    let printed = serde_json::Value::from(outcome.printed);
    output::line(format_args!("{{\"value\":{},\"printed\":{printed}}}", outcome.value))
}
