//! Evaluations with a trace against those without: the same results, errors and use.

use loanhook_formula::{Context, Formula, MAX_PRINTED_CHARS, MAX_TRACE_STEPS, TracedFormula};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::value::RawValue;

use crate::unbounded_formulas::{growing_loops, long_numbers, regexes, repeating_macros};
use crate::{CONTEXT, NOW, costly_formulas, random_formulas, table_files};

/// Checks that a trace changes nothing of what a formula comes to, and keeps its bounds. Nothing for a text that is no
/// formula, which both refuse alike.
fn check_same_as_without(text: &str, json: &RawValue) {
    let context = || Context::new(json, NOW).expect("an object");
    let shown = costly_formulas::label(text);
    let (formula, traced) = (Formula::parse(text), TracedFormula::parse(text));
    let (formula, traced) = match (formula, traced) {
        (Ok(formula), Ok(traced)) => (formula, traced),
        (formula, traced) => {
            assert_eq!(formula.err(), traced.err(), "{shown}");
            return;
        }
    };
    let (is_true, usage) = formula.is_true(&context());
    let trace = traced.trace(&context());
    assert_eq!(trace.result.as_ref().map(|value| value.is_true), is_true.as_ref().copied(), "{shown}");
    assert_eq!(trace.usage, usage, "{shown}");
    assert!(trace.steps.len() <= MAX_TRACE_STEPS, "{shown}");
    for value in trace.steps.iter().map(|step| &step.value).chain(&trace.result) {
        assert!(value.printed.chars().count() <= MAX_PRINTED_CHARS, "{shown}");
        assert!(!value.is_cut || (value.json.get() == "null" && value.printed.contains('…')), "{shown}");
    }
    let evaluated = formula.evaluate(&context());
    if let (Ok(value), Ok(evaluated)) = (&trace.result, &evaluated)
        && !value.is_cut
    {
        assert_eq!(value.printed, evaluated.printed, "{shown}");
        assert_eq!(value.json.get(), evaluated.value.get(), "{shown}");
    }
}

fn context_json() -> Box<RawValue> {
    serde_json::from_str(CONTEXT).expect("JSON")
}

#[test]
fn a_trace_changes_nothing_of_what_the_formulas_of_the_tables_come_to() {
    let json = context_json();
    for (formula, _) in table_files::clojure().into_iter().chain(table_files::extensions()) {
        check_same_as_without(formula, &json);
    }
    let json = costly_formulas::context();
    for formula in costly_formulas::formulas() {
        check_same_as_without(&formula, &json);
    }
}

proptest! {
    #![proptest_config(Config { cases: 1500, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_trace_changes_nothing_of_what_a_random_formula_comes_to(text in random_formulas::formula()) {
        check_same_as_without(&text, &context_json());
    }
}

proptest! {
    #![proptest_config(Config { cases: 100, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_trace_changes_nothing_of_what_an_unbounded_formula_comes_to(
        text in prop_oneof![repeating_macros(), growing_loops(), long_numbers(), regexes()],
    ) {
        check_same_as_without(&text, &context_json());
    }
}

#[test]
fn conditionals_in_conditionals_take_as_many_levels_with_a_trace_as_without() {
    let branches = |open: &str, times: usize| {
        let close = ")".repeat(open.matches('(').count() * times);
        format!("((fn f [n] {}(f (inc n)){close}) 0)", open.repeat(times))
    };
    for open in [
        "(if n ",
        "(if nil 1 ",
        "(and (if n ",
        "(when n ",
        "(cond nil 1 :else ",
        "(if-let [m n] ",
        "(do (or (if n ",
    ] {
        for times in [1, 7, 15] {
            check_same_as_without(&branches(open, times), &context_json());
        }
    }
}
