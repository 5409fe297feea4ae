//! Limits on steps, bytes, depth and sizes. Many of these formulas once ended the process, or took seconds, because
//! something that they take was not counted.

use loanhook_formula::{Context, Formula, FormulaErrorKind};

use crate::{NOW, answer, costly_formulas};

#[test]
fn formulas_beyond_a_limit_fail_with_limit_exceeded() {
    let deep = "[".repeat(2_000);
    let nested = format!("{}1{}", "(inc ".repeat(200), ")".repeat(200));
    let threaded = format!("(-> 1 {})", "inc ".repeat(99));
    assert_eq!(answer(&threaded), "100");
    for formula in [
        &deep,
        &nested,
        "(map inc (range))",
        "(count (range))",
        "(loop [] (recur))",
        "((fn f [] (f)))",
        "(reduce *' (range 1 100000))",
        "(reduce (fn [a _] (* a a)) 3N (range 100))",
        "(reduce (fn [a _] (* a a)) 1.1M (range 100))",
        "(+ 1E+4000M 1E-4000M)",
        "(apply str (repeat 1000000 \"ab\"))",
        "(reduce (fn [s _] (str s s)) \"ab\" (range 100))",
        "(reduce (fn [v _] (into v v)) [1] (range 100))",
        "(reduce (fn [v _] [v v]) 1 (range 300))",
        "(reduce (fn [s _] (map inc s)) [1] (range 1000))",
        "(reduce (fn [f _] (comp f inc)) inc (range 100000))",
        "((reduce (fn [f _] (comp f inc)) inc (range 1000)) 1)",
        "(format \"%100000s\" 1)",
        "(nth (cycle [1]) 10000000)",
        "(re-find #\"((a{1,100}){1,100}){1,100}\" \"aaa\")",
        "(take 1 (filter neg? (range)))",
        "(drop 100000000 (range))",
    ] {
        assert_eq!(answer(formula), "!limit", "{}", &formula[..formula.len().min(80)]);
    }
    let long = format!("(str \"{}\")", "a".repeat(20_000));
    assert_eq!(answer(&long), "!limit");
}

#[test]
fn macros_that_repeat_their_arguments_end_at_the_node_limit() {
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
fn all_regexes_of_a_formula_share_one_size_limit() {
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
fn a_large_regex_takes_steps_by_its_size_for_each_byte_of_the_text() {
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
fn functions_take_steps_by_the_size_of_their_texts_and_numbers() {
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

#[test]
fn a_growing_string_takes_bytes_only_for_its_growth() {
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

/// How long they take is measured by `cargo bench --bench formulas`.
#[test]
fn every_endless_formula_ends_at_a_limit_within_the_maximum_usage() {
    let json = costly_formulas::context();
    let context = Context::new(&json, NOW).expect("an object");
    for formula in costly_formulas::formulas() {
        let shown = costly_formulas::label(&formula);
        let (outcome, used) = Formula::parse(&formula).expect(shown).evaluate_with_usage(&context);
        assert_eq!(outcome.expect_err(shown).kind, FormulaErrorKind::LimitExceeded, "{shown}");
        assert!(
            used.steps <= Formula::MAX_USAGE.steps && used.bytes <= Formula::MAX_USAGE.bytes,
            "{shown}: {used:?}"
        );
    }
}
