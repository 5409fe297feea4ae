//! Filter of JSON lines: prints those for which a formula is true. The formula is parsed once.
//!
//! ```sh
//! printf '{"amount": 80}\n{"amount": 120}\n' | cargo run -p loanhook-formula --example filter -- '(> amount 100)'
//! ```

#![expect(clippy::print_stdout, reason = "the lines are what it is run for")]

use std::error::Error;
use std::time::SystemTime;

use loanhook_formula::{Context, Formula};
use serde_json::value::RawValue;

fn main() -> Result<(), Box<dyn Error>> {
    let formula = std::env::args().nth(1).ok_or("usage: filter FORMULA < LINES")?;
    let formula = Formula::parse(&formula)?;
    for line in std::io::stdin().lines() {
        let line = line?;
        let json: &RawValue = serde_json::from_str(&line)?;
        let context = Context::new(json, SystemTime::now().into())?;
        match formula.is_true(&context).0 {
            Ok(true) => println!("{line}"),
            Ok(false) => {}
            // A formula may fail on one line and be true of the next.
            Err(error) => eprintln!("{error}: {line}"),
        }
    }
    Ok(())
}
