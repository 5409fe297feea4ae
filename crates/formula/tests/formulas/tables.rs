//! The tables, and what is told of formulas that are wrong.

use loanhook_formula::{Context, Formula, FormulaErrorKind};
use serde_json::value::RawValue;

use crate::{NOW, answer, printed, table_files};

#[test]
fn every_formula_of_the_tables_is_answered_as_they_say() {
    let cases: Vec<_> = table_files::clojure().into_iter().chain(table_files::own()).collect();
    assert!(cases.len() > 300);
    let wrong: Vec<_> = cases
        .iter()
        .map(|(formula, expected)| (formula, expected, answer(formula)))
        .filter(|(_, expected, answer)| answer != *expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn errors_say_where_and_what_to_do() {
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

#[test]
fn what_takes_too_much_ends_at_a_limit() {
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
fn what_recurs_as_deep_as_it_may_fits_into_half_of_a_threads_stack() {
    for formula in [
        "((fn f [n] (+ 1 (if (pos? n) (let [m (dec n)] (apply f [m])) 0))) 1000)",
        "((fn f [n] (first (map (fn [x] (first (filter (fn [y] (f (inc y))) [x]))) [n]))) 0)",
        "((fn f [n] (sort-by (fn [x] (f x)) [n 1])) 0)",
        "((fn f [n] (update-in {} [:a :b :c] (fn [x] (f x)))) 0)",
        "((fn f [n] (str/replace \"a\" #\"a\" (fn [x] (f x)))) 0)",
        "((fn f [n] (reduce (fn [a b] (f b)) [n 1])) 0)",
        "(first (reduce (fn [s _] (map inc s)) [1] (range 1000)))",
        "(first (reduce (fn [s _] (concat s [1])) [] (range 1000)))",
        "((reduce (fn [f _] (comp f inc)) inc (range 1000)) 1)",
        "(pr-str (reduce (fn [v _] [v]) [] (range 1500)))",
        "(= (reduce (fn [v _] [v]) [] (range 1500)) (reduce (fn [v _] [v]) [] (range 1500)))",
        "(hash (reduce (fn [v _] {v v}) 1 (range 10)))",
        "(hash (reduce (fn [v _] [v]) [] (range 1500)))",
        "(compare (reduce (fn [v _] [v]) [] (range 1500)) (reduce (fn [v _] [v]) [] (range 1500)))",
        "(flatten (reduce (fn [v _] [v]) [] (range 1500)))",
    ] {
        let thread = std::thread::Builder::new().stack_size(1 << 20);
        let ended = thread.spawn(move || answer(formula)).expect("a thread").join();
        assert!(ended.is_ok(), "{formula}");
    }
}

#[test]
fn what_is_nested_deep_is_dropped_without_a_deep_stack() {
    for formula in [
        "(count (reduce (fn [v _] [v]) [] (range 15000)))",
        "(count (reduce (fn [v _] {:a v}) {} (range 9000)))",
        "(count (reduce (fn [v _] (list v)) [1] (range 15000)))",
        "(fn? (reduce (fn [f _] (fn [x] (f x))) inc (range 10000)))",
        "(some? (reduce (fn [s _] (map inc s)) [] (range 8000)))",
    ] {
        // A tenth of what threads have.
        let thread = std::thread::Builder::new().stack_size(256 * 1024);
        let ended = thread.spawn(move || drop(printed(formula))).expect("a thread").join();
        assert!(ended.is_ok(), "{formula}");
    }
}

#[test]
fn a_value_is_json_where_json_has_one() {
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

#[test]
fn the_examples_and_the_functions_of_the_reference_are_there() {
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
