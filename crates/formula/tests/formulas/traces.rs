//! Traces: the steps with their values and places, and bounds.

use loanhook_formula::{
    Context, FormulaErrorKind, MAX_PRINTED_CHARS, MAX_TRACE_STEPS, MAX_TRACE_STEPS_OF_FORM, Trace, TraceStep,
    TracedFormula,
};
use serde_json::value::RawValue;

use crate::{CONTEXT, NOW};

/// The trace of a formula over [`CONTEXT`].
fn trace(text: &str) -> Trace {
    let json: Box<RawValue> = serde_json::from_str(CONTEXT).expect("JSON");
    TracedFormula::parse(text).expect(text).trace(&Context::new(&json, NOW).expect("an object"))
}

/// The steps of a formula over [`CONTEXT`], each as its source, an arrow and its value.
fn steps(text: &str) -> Vec<String> {
    let step = |step: &TraceStep| format!("{} => {}", &text[step.source.clone()], step.value.printed);
    trace(text).steps.iter().map(step).collect()
}

#[test]
fn the_steps_are_the_sub_expressions_that_were_evaluated() {
    for (formula, expected) in [
        (
            "(> status-days-past-due 30)",
            &["status-days-past-due => 13", "(> status-days-past-due 30) => false"][..],
        ),
        // What is not evaluated has no step.
        (
            "(and (= zip \"1\") (> rate 1))",
            &["zip => \"84101\"", "(= zip \"1\") => false", "(and (= zip \"1\") (> rate 1)) => false"],
        ),
        (
            "(or autopay zip rate)",
            &["autopay => nil", "zip => \"84101\"", "(or autopay zip rate) => \"84101\""],
        ),
        (
            "(if autopay rate zip)",
            &["autopay => nil", "zip => \"84101\"", "(if autopay rate zip) => \"84101\""],
        ),
        ("(when autopay rate)", &["autopay => nil", "(when autopay rate) => nil"]),
        (
            "(cond autopay 1 zip rate :else big)",
            &[
                "autopay => nil",
                "zip => \"84101\"",
                "rate => 0.0725",
                "(cond autopay 1 zip rate :else big) => 0.0725",
            ],
        ),
        (
            "(case zip \"84101\" rate big)",
            &["zip => \"84101\"", "rate => 0.0725", "(case zip \"84101\" rate big) => 0.0725"],
        ),
        // A conditional in the branch of a conditional.
        (
            "(if zip (if autopay 1 rate) 2)",
            &[
                "zip => \"84101\"",
                "autopay => nil",
                "rate => 0.0725",
                "(if autopay 1 rate) => 0.0725",
                "(if zip (if autopay 1 rate) 2) => 0.0725",
            ],
        ),
        // Macros write forms; those of the author are shown.
        (
            "(-> rate (* 2) inc)",
            &["rate => 0.0725", "(* 2) => 0.145", "inc => 1.145", "(-> rate (* 2) inc) => 1.145"],
        ),
        ("(some-> autopay inc)", &["autopay => nil", "(some-> autopay inc) => nil"]),
        (
            "(when-let [z zip] z)",
            &["zip => \"84101\"", "z => \"84101\"", "(when-let [z zip] z) => \"84101\""],
        ),
        (
            "(let [{:keys [name]} portfolio] name)",
            &[
                "portfolio => {:name \"Prime\", :tags [\"a\" \"b\"]}",
                "name => \"Prime\"",
                "(let [{:keys [name]} portfolio] name) => \"Prime\"",
            ],
        ),
        // Constants and functions have none.
        (
            "(contains? #{\"Open\" \"Paid\"} loan-status)",
            &["loan-status => \"Open\"", "(contains? #{\"Open\" \"Paid\"} loan-status) => true"],
        ),
        ("(mapv inc '(1 2))", &["(mapv inc '(1 2)) => [2 3]"]),
        ("true", &[]),
        // A function has the steps of each call.
        (
            "(some #(> % 1) [1 2])",
            &["% => 1", "#(> % 1) => false", "% => 2", "#(> % 1) => true", "(some #(> % 1) [1 2]) => true"],
        ),
        // The rounds of a loop, but for the `recur` itself.
        (
            "(loop [n 0] (if (< n 1) (recur (inc n)) n))",
            &[
                "n => 0",
                "(< n 1) => true",
                "n => 0",
                "(inc n) => 1",
                "n => 1",
                "(< n 1) => false",
                "n => 1",
                "(if (< n 1) (recur (inc n)) n) => 1",
                "(loop [n 0] (if (< n 1) (recur (inc n)) n)) => 1",
            ],
        ),
    ] {
        assert_eq!(steps(formula), expected, "{formula}");
    }
}

#[test]
fn a_step_has_its_line_its_column_and_its_json() {
    let text = "(and true\n     \"ä\" (> last-payment-amount\n 100))";
    let trace = trace(text);
    let places: Vec<_> = trace.steps.iter().map(|step| (step.position.line, step.position.column)).collect();
    assert_eq!(places, [(2, 13), (2, 10), (1, 1)]);
    let json: Vec<_> = trace.steps.iter().map(|step| step.value.json.get()).collect();
    assert_eq!(json, ["250.0", "true", "true"]);
    let variables: Vec<_> = trace.steps.iter().map(|step| step.is_variable).collect();
    assert_eq!(variables, [true, false, false]);
    assert_eq!(&text[trace.steps[1].source.clone()], "(> last-payment-amount\n 100)");
}

#[test]
fn the_variables_are_those_that_the_formula_names_evaluated_or_not() {
    let formula = "(let [rate 1] (or zip (map (fn [a] (+ a rate x)) y) (= zip :zip 'z)))";
    let traced = TracedFormula::parse(formula).expect(formula);
    assert_eq!(traced.variables().collect::<Vec<_>>(), ["x", "y", "zip"]);
}

#[test]
fn a_formula_that_fails_has_the_steps_before_and_the_place_of_the_error() {
    let formula = "(and (= zip \"84101\")\n     (> loan-status rate))";
    assert_eq!(
        steps(formula),
        ["zip => \"84101\"", "(= zip \"84101\") => true", "loan-status => \"Open\"", "rate => 0.0725"]
    );
    let error = trace(formula).result.expect_err("a string is no number");
    assert_eq!((error.kind, error.position.line, error.position.column), (FormulaErrorKind::Invalid, 2, 6));
    // The items of a lazy sequence that failed are not taken for all of them.
    assert_eq!(steps("(reduce + (map inc payments))")[1], "(map inc payments) => (…)");
}

#[test]
fn a_trace_computes_nothing_that_the_formula_does_not() {
    let formula = "(> (first (filter #(> % 1) (map inc (range)))) 5)";
    assert_eq!(
        steps(formula)[..3],
        [
            "(range) => (0 1 …)",
            "(map inc (range)) => (1 2 …)",
            "(filter #(> % 1) (map inc (range))) => (2 …)"
        ]
    );
    assert_eq!(trace("(map inc (range))").result.expect("a sequence").printed, "(…)");
}

#[test]
fn a_function_that_is_called_often_leaves_room_for_what_is_around_it() {
    let formula =
        "(and (every? (fn [n] (< n 1000)) (range 1000)) (reduce + (map (fn [n] (* n 2)) (range 1000))))";
    let trace = trace(formula);
    assert!(trace.is_cut);
    let count =
        |source: &str| trace.steps.iter().filter(|step| &formula[step.source.clone()] == source).count();
    assert_eq!(count("(< n 1000)"), MAX_TRACE_STEPS_OF_FORM);
    assert_eq!(count("(* n 2)"), MAX_TRACE_STEPS_OF_FORM);
    assert_eq!(trace.steps.last().expect("steps").value.printed, "999000");
}

#[test]
fn a_trace_is_cut_and_says_so() {
    let many = format!("(+ {} rate)", "(+ rate) ".repeat(MAX_TRACE_STEPS));
    let trace_of_many = trace(&many);
    assert!(trace_of_many.is_cut);
    assert_eq!(trace_of_many.steps.len(), MAX_TRACE_STEPS);
    assert_eq!(trace_of_many.steps.last().expect("steps").source, 0..many.len());
    assert!(!trace("(+ rate 1)").is_cut);
    for (formula, beginning, json) in [
        ("(apply str (repeat 100 \"é\\\"\"))", "\"é\\\"é\\\"", "null"),
        ("(vec (range 100))", "[0 1 2 3 4", "null"),
        ("(reduce (fn [v _] [v]) [] (range 1000))", "[[[[[", "null"),
        ("(subs (apply str (repeat 100 \"ab\")) 0 198)", "\"ababa", ""),
    ] {
        let value = trace(formula).result.expect(formula);
        assert!(value.printed.starts_with(beginning), "{value:?}");
        assert_eq!(value.printed.chars().count(), MAX_PRINTED_CHARS);
        assert_eq!(
            (value.is_cut, value.printed.ends_with('…')),
            (json == "null", json == "null"),
            "{formula}"
        );
        assert_eq!(value.json.get() == "null", json == "null");
    }
}

#[test]
fn the_deepest_traced_evaluation_fits_into_the_stack_of_a_thread() {
    for formula in [
        "((fn f [n] (+ 1 (if (pos? n) (let [m (dec n)] (apply f [m])) 0))) 1000)",
        "((fn f [n] (first (map (fn [x] (first (filter (fn [y] (f (inc y))) [x]))) [n]))) 0)",
        "((fn f [n] (sort-by (fn [x] (f x)) [n 1])) 0)",
        "((fn f [n] (reduce (fn [a b] (f b)) [n 1])) 0)",
        "((fn f [n] (and (or (and (or (f (inc n))))))) 0)",
        "((fn f [n] (if n (if n (if n (if n (if n (if n (if n (f n)))))))) ) 0)",
    ] {
        let thread = std::thread::Builder::new().stack_size(3 << 19);
        let ended =
            thread.spawn(move || trace(formula).result.expect_err("a limit").kind).expect("a thread").join();
        assert_eq!(ended.expect("no overflow"), FormulaErrorKind::LimitExceeded, "{formula}");
    }
}
