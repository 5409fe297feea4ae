//! Errors: their kind, position and text.

use loanhook_formula::{Context, Formula, FormulaErrorKind};
use serde_json::value::RawValue;

use crate::{NOW, printed, table_files};

#[test]
fn errors_have_a_kind_a_position_and_advice() {
    for (formula, kind, expected) in [
        (
            "(+ 1\n  (lentgh [1]))",
            FormulaErrorKind::Invalid,
            "there is no function `lentgh`: did you mean `count`? (line 2, column 3)",
        ),
        (
            "(redcue + [1])",
            FormulaErrorKind::Invalid,
            "there is no function `redcue`: did you mean `reduce`? (line 1, column 1)",
        ),
        (
            "(upper-case \"a\")",
            FormulaErrorKind::Invalid,
            "there is no function `upper-case`: did you mean `str/upper-case`? (line 1, column 1)",
        ),
        (
            "(swap! a inc)",
            FormulaErrorKind::Unsupported,
            "`swap!` is not supported in formulas (line 1, column 1)",
        ),
        (
            "(and true\n     (> loan-status 30))",
            FormulaErrorKind::Invalid,
            "a number is needed here, and this is a string (line 2, column 6)",
        ),
        (
            "(> 1 2",
            FormulaErrorKind::Invalid,
            "what opens here is never closed: `)` is missing (line 1, column 1)",
        ),
        ("(> 1 2))", FormulaErrorKind::Invalid, "`)` closes nothing (line 1, column 8)"),
        (
            "[1 2)",
            FormulaErrorKind::Invalid,
            "`)` stands where `]` must close what opened at line 1, column 1 (line 1, column 5)",
        ),
        (
            "1 2",
            FormulaErrorKind::Invalid,
            "a formula is one form, and here begins a second: put both in `(do …)` (line 1, column 3)",
        ),
        ("", FormulaErrorKind::Invalid, "a formula is one form, and this is none (line 1, column 1)"),
        ("(inc)", FormulaErrorKind::Invalid, "`inc` takes 1 argument, and here it gets 0 (line 1, column 1)"),
        (
            "(.length loan-status)",
            FormulaErrorKind::Unsupported,
            "`.length` calls Java, which formulas cannot (line 1, column 1)",
        ),
        (
            "(autopay 1)",
            FormulaErrorKind::Invalid,
            "there is no function `autopay`; to look into a variable, write `(get autopay …)` or `(nth autopay …)` (line 1, column 1)",
        ),
        (
            "(str/split \"a\" #\"(\")",
            FormulaErrorKind::Invalid,
            "`(` is no regex, or one that is not supported (line 1, column 16)",
        ),
    ] {
        let error = printed(formula).expect_err(formula);
        assert_eq!((error.kind, error.to_string().as_str()), (kind, expected), "{formula}");
    }
}

/// Errors go to logs and to people who may not read the values.
#[test]
fn no_error_contains_a_value_of_the_context() {
    let error = |formula: &str, value: &str| {
        let json = format!(r#"{{"value": {value}}}"#);
        let json: Box<RawValue> = serde_json::from_str(&json).expect("JSON");
        let context = Context::new(&json, NOW).expect("an object");
        Formula::parse(formula).ok()?.evaluate(&context).err().map(|error| error.detail)
    };
    // Values, and parts of them that an error must not contain.
    let values: [(&str, &[&str]); 6] = [
        (r#""%w(\\p{kü""#, &["%w", "\\p", "ü"]),
        (r#""%-$17""#, &["%-", "17"]),
        (r#""\\G$7""#, &["\\G", "$7"]),
        ("[\"ww\", -17.25]", &["ww", "17"]),
        (r#"{"ww": 1, "w": "%k"}"#, &["ww", "%k"]),
        ("987654321987654321987", &["98765"]),
    ];
    let mut compared = 0;
    for function in table_files::functions() {
        for (value, parts) in values {
            for args in [
                "value",
                "value 1",
                "1 value",
                "value value",
                "value \"a\"",
                "\"a\" value",
                "\"a1\" #\"a\" value",
                "inc value",
                "str value 2",
            ] {
                let formula = format!("({function} {args})");
                let Some(detail) = error(&formula, value) else { continue };
                assert!(!parts.iter().any(|part| detail.contains(part)), "{formula}: {detail}");
                compared += 1;
            }
        }
    }
    assert!(compared > 2_000, "{compared} errors were compared");
}
