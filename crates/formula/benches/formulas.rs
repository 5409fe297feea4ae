//! Times of typical formulas, and of the slowest of those that end at a limit: `cargo bench --bench formulas`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use chrono::DateTime;
use loanhook_formula::{Context, Formula};
use serde_json::value::RawValue;

#[path = "../tests/formulas/costly_formulas.rs"]
mod costly_formulas;

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
            black_box(formula.is_true(black_box(&context)).0.expect(text));
        }
        println!("{:>8.0} ns  {text}", start.elapsed().as_nanos() as f64 / f64::from(ROUNDS));
    }
    for (took, text) in slowest() {
        println!("{:>8.1} ms  {}", took.as_secs_f64() * 1e3, costly_formulas::label(&text));
    }
}

/// The ten of the costly formulas that take longest, with their times.
fn slowest() -> Vec<(Duration, String)> {
    let json = costly_formulas::context();
    let context = Context::new(&json, DateTime::UNIX_EPOCH).expect("an object");
    let timed = costly_formulas::formulas().into_iter().map(|text| {
        let formula = Formula::parse(&text).expect("a formula");
        let start = Instant::now();
        black_box(formula.is_true(&context).0.expect_err("a limit"));
        (start.elapsed(), text)
    });
    let mut timed: Vec<_> = timed.collect();
    timed.sort_by(|a, b| b.cmp(a));
    timed.truncate(10);
    timed
}
