//! What once took more than is counted: each of these ended the process, or held it for seconds.

use loanhook_formula::{Context, Formula, FormulaErrorKind};
use serde_json::value::RawValue;

use crate::costly_formulas::fibonacci_ratio;
use crate::{NOW, answer, costly_formulas, table_files};

#[test]
fn long_ratios_are_compared_without_a_deep_stack() {
    let (a, b) = (fibonacci_ratio(18_000), fibonacci_ratio(18_001));
    let short = fibonacci_ratio(9_000);
    assert!(a.len() + b.len() > 15_000);
    for (formula, expected) in [
        (format!("(< {a} {b})"), "true"),
        (format!("(compare {a} {b})"), "-1"),
        (format!("(= {a} {b})"), "false"),
        (format!("(== {a} {b})"), "false"),
        (format!("(let [a {short}] (= a (+ a 0)))"), "true"),
        (format!("(let [a {short}] (get {{a :it}} (+ a 0)))"), ":it"),
    ] {
        let thread = std::thread::Builder::new().stack_size(1 << 20);
        let ended = thread.spawn(move || answer(&formula)).expect("a thread").join();
        assert_eq!(ended.expect("no overflow"), expected);
    }
}

#[test]
fn what_is_written_out_again_and_again_is_too_long() {
    let nested =
        |times: usize, of: &str| (0..times).fold("1".to_owned(), |inner, _| of.replace("IT", &inner));
    for formula in [
        nested(15, "(let [{:keys [a a a a a a a a a a] :or {a IT}} nil] a)"),
        nested(30, "(loop [{a :a :or {a IT}} nil] a)"),
        nested(15, "(let [{a :a b :b :or {a IT}} nil] a)").replace(":or {a", ":or {b 1 a"),
    ] {
        let expected = if formula.contains(":or {b") { "1" } else { "!limit" };
        assert_eq!(answer(&formula), expected, "{}", &formula[..80]);
    }
}

#[test]
fn regexes_are_no_larger_together_than_one_may_be() {
    let many = |count: usize, regex: &str| format!("[{}]", format!("#\"{regex}\" ").repeat(count));
    for (formula, expected) in [
        (many(1_000, "a.{200}"), "!limit"),
        (many(4, "a.{200}"), "!limit"),
        (many(17, "a"), "!limit"),
        ("#\"((a{1,100}){1,100}){1,100}\"".to_owned(), "!limit"),
        ("(re-pattern \"((a{1,100}){1,100}){1,100}\")".to_owned(), "!limit"),
        ("(count (mapv (fn [n] (re-pattern (str \"a{1,\" n \"}\"))) (range 1 500)))".to_owned(), "!limit"),
        (format!("(count {})", many(16, "[0-9]+")), "16"),
    ] {
        assert_eq!(answer(&formula), expected, "{}", &formula[..formula.len().min(80)]);
    }
}

#[test]
fn a_regex_pays_for_each_of_its_places_at_each_byte() {
    let text = |letters: usize| format!("(apply str (repeat {letters} \"ab\"))");
    for (formula, expected) in [
        (format!("(re-find #\"[ab]*a(?:[ab]{{450}}){{4}}c\" {})", text(5_000)), "!limit"),
        (format!("(count (re-seq #\"a.*c|b\" {}))", text(10_000)), "!limit"),
        (format!("(count (re-seq #\"a.*c|b\" {}))", text(20)), "20"),
        (format!("(re-find #\"b{{2}}\" {})", text(5_000)), "nil"),
    ] {
        assert_eq!(answer(&formula), expected, "{formula}");
    }
}

#[test]
fn going_through_a_text_or_a_long_number_is_paid_for() {
    let (zeros, ones) = (format!("1{}M", "0".repeat(4_800)), format!("{}.5M", "1".repeat(4_700)));
    let over = |each: &str| {
        format!(
            "(let [text (apply str (repeat 20000 \"é ab\")) other (str text) zeros {zeros} ones {ones}]
               (reduce (fn [sum _] {each} sum) 0 (range 2000)))"
        )
    };
    for each in [
        "(str/blank? text)",
        "(count text)",
        "(compare text other)",
        "(= text other)",
        "(contains? text 5)",
        "(get text 50000)",
        "(get-in [text] [0 50000])",
        "(subs text 50000 50001)",
        "(parse-double text)",
        "(str/trim text)",
        "(hash {:a text})",
        "(= [text] [other])",
        "(sort [text other])",
        "(keyword \"a\" text)",
        "(= zeros ones)",
        "(= [zeros] [ones])",
        "(double zeros)",
        "(< zeros ones)",
        "(hash zeros)",
        "(long (/ 1M zeros))",
        "(compare zeros 1.0)",
        "(pos? (/ 1 (bigint zeros)))",
    ] {
        assert_eq!(answer(&over(each)), "!limit", "{each}");
    }
    assert_eq!(answer(&over("(nil? _)")), "0");
}

/// Errors go to the log, and to whoever reads the subscription.
#[test]
fn no_error_tells_a_value_of_the_context() {
    let error = |formula: &str, value: &str| {
        let json = format!(r#"{{"value": {value}}}"#);
        let json: Box<RawValue> = serde_json::from_str(&json).expect("JSON");
        let context = Context::new(&json, NOW).expect("an object");
        Formula::parse(formula).ok()?.evaluate(&context).err().map(|error| error.detail)
    };
    // Values, and what of them would be told.
    let values: [(&str, &[&str]); 6] = [
        (r#""%w(\\p{kü""#, &["%w", "\\p", "ü"]),
        (r#""%-$17""#, &["%-", "17"]),
        (r#""\\G$7""#, &["\\G", "$7"]),
        ("[\"ww\", -17.25]", &["ww", "17"]),
        (r#"{"ww": 1, "w": "%k"}"#, &["ww", "%k"]),
        ("987654321987654321987", &["98765"]),
    ];
    let mut told = 0;
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
                told += 1;
            }
        }
    }
    assert!(told > 2_000, "{told} errors were compared");
}

#[test]
fn a_string_that_grows_pays_for_what_it_grows_by() {
    for (formula, length) in [
        ("(str/join \",\" (range 3000))", 13_889),
        ("(apply str (range 3000))", 10_890),
        ("(apply pr-str (range 3000))", 13_889),
        ("(str/replace (apply str (range 3000)) #\"9\" \"nine\")", 13_590),
        ("(apply format (apply str (repeat 3000 \"%s\")) (range 3000))", 10_890),
        ("(str/escape (apply str (range 3000)) {\\9 \"nine\"})", 13_590),
    ] {
        assert_eq!(answer(&format!("(count {formula})")), length.to_string(), "{formula}");
    }
    assert_eq!(answer("(str/join (repeat 2000 (apply str (range 300))))"), "!limit");
}

/// How long it takes is not for a test to say: `cargo bench --bench formulas` tells.
#[test]
fn what_goes_on_for_ever_ends_at_a_limit_however_much_it_makes_of_a_step() {
    let json = costly_formulas::context();
    let context = Context::new(&json, NOW).expect("an object");
    for formula in costly_formulas::formulas() {
        let shown = costly_formulas::tail(&formula);
        let (outcome, used) = Formula::parse(&formula).expect(shown).evaluate_with_usage(&context);
        assert_eq!(outcome.expect_err(shown).kind, FormulaErrorKind::LimitExceeded, "{shown}");
        assert!(
            used.steps <= Formula::MAX_USAGE.steps && used.bytes <= Formula::MAX_USAGE.bytes,
            "{shown}: {used:?}"
        );
    }
}
