//! Value of a formula over a JSON object, and what the evaluation used.
//!
//! ```sh
//! cargo run -p loanhook-formula --example evaluate -- '(> days 30)' '{"days": 40}'
//! ```

#![expect(clippy::print_stdout, reason = "the value is what it is run for")]

use std::error::Error;
use std::time::SystemTime;

use loanhook_formula::{Context, Formula};
use serde_json::value::RawValue;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let formula = args.next().ok_or("usage: evaluate FORMULA [JSON OBJECT]")?;
    let json: Box<RawValue> = serde_json::from_str(&args.next().unwrap_or_else(|| "{}".into()))?;

    let formula = Formula::parse(&formula)?;
    let context = Context::new(&json, SystemTime::now().into())?;
    let (evaluation, usage) = formula.evaluate_with_usage(&context);
    let evaluation = evaluation?;
    println!("printed: {}", evaluation.printed);
    println!("JSON:    {}", evaluation.value);
    println!("used:    {} of {} steps", usage.steps, Formula::MAX_USAGE.steps);
    println!("         {} of {} bytes", usage.bytes, Formula::MAX_USAGE.bytes);
    Ok(())
}
