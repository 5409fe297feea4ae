//! The tables of formulas, the examples of the reference, and the JSON of values.

use loanhook_formula::{Context, Formula};
use serde_json::value::RawValue;

use crate::{NOW, answer, table_files};

#[test]
fn every_formula_of_the_tables_has_the_expected_answer() {
    let cases: Vec<_> = table_files::clojure().into_iter().chain(table_files::extensions()).collect();
    assert!(cases.len() > 300);
    let wrong: Vec<_> = cases
        .iter()
        .map(|(formula, expected)| (formula, expected, answer(formula)))
        .filter(|(_, expected, answer)| answer != *expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_example_and_function_of_the_reference_works() {
    let page = include_str!("../../../../docs/formulas.md");
    let examples: Vec<_> = page.lines().filter_map(|line| line.split_once(" ;=> ")).collect();
    assert!(examples.len() > 20);
    for (formula, expected) in examples {
        assert_eq!(answer(formula), expected, "{formula}");
    }
    let names = table_files::functions();
    assert!(names.len() > 200);
    for name in names {
        assert_eq!(answer(&format!("(fn? {name})")), "true", "{name}");
    }
}

#[test]
fn values_that_json_does_not_have_are_null_in_json() {
    let json: Box<RawValue> = serde_json::from_str("{\"a\": 250.00}").expect("JSON");
    let context = Context::new(&json, NOW).expect("an object");
    for (formula, expected) in [
        ("a", "250.0"),
        ("1/2", "null"),
        ("inc", "null"),
        ("##Inf", "null"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("1.50M", "1.50"),
        ("[1 :a \"b\" nil true #{}]", "[1,\"a\",\"b\",null,true,[]]"),
        ("{:a 1 \"b\" {3 4}}", "{\"a\":1,\"b\":{\"3\":4}}"),
        ("(map inc [1 2])", "[2,3]"),
        ("[1/2]", "[null]"),
    ] {
        let outcome = Formula::parse(formula).and_then(|formula| formula.evaluate(&context)).expect(formula);
        assert_eq!(outcome.value.get(), expected, "{formula}");
    }
}
