//! `loanhook eval`: a formula evaluated in this process, with no loanhook running.

use std::path::PathBuf;

use clap::Args;
use loanhook_core::model::time::Timestamp;
use loanhook_core::try_out;
use serde_json::value::RawValue;

use crate::error::CommandResult;
use crate::terminal::{input, output};

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// The formula, such as `(> status-days-past-due 30)`
    #[arg(allow_hyphen_values = true)]
    formula: String,
    /// A JSON file with the loan's variables, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,
    /// Print `{"value": …, "printed": …}`, as the API does
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &EvalArgs) -> CommandResult {
    let context = match &args.context {
        Some(file) => input::read_json(file)?,
        None => RawValue::from_string("{}".to_owned()).map_err(|error| error.to_string())?,
    };
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
