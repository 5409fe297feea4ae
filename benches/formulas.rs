//! What a typical formula costs once it is parsed: `cargo bench --bench formulas`.

use std::hint::black_box;
use std::time::Instant;

use chrono::DateTime;
use loanhook::model::formula::{Context, Formula};
use serde_json::value::RawValue;

const CONTEXT: &str = include_str!("../tests/formulas/context.json");

const FORMULAS: [&str; 5] = [
    "(> status-days-past-due 30)",
    "(and (> status-days-past-due 10) (not status-stoplight) (= loan-status \"Open\"))",
    "(contains? #{\"Open\" \"Active\" \"Frozen\"} loan-status)",
    "(and (some? last-payment-amount) (< (* last-payment-amount 12) 5000.0) (not= zip \"84000\"))",
    "(> (reduce + (map :amount payments)) 300)",
];

const ROUNDS: u32 = 100_000;

#[expect(clippy::print_stdout, reason = "it is what a benchmark is for")]
fn main() {
    let json: Box<RawValue> = serde_json::from_str(CONTEXT).expect("JSON");
    let context = Context::new(&json, DateTime::UNIX_EPOCH).expect("an object");
    for text in FORMULAS {
        let formula = Formula::parse(text).expect(text);
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(formula.holds(black_box(&context)).expect(text));
        }
        println!("{:>8.0} ns  {text}", start.elapsed().as_nanos() as f64 / f64::from(ROUNDS));
    }
}
