//! Formulas that need as much as they can: steps, bytes, digits, nodes, regexes.

use proptest::prelude::*;

use crate::costly_formulas::fibonacci_ratio;

/// Loops that grow a value in each round, for few rounds or for too many.
pub(crate) fn growing_loops() -> impl Strategy<Value = String> {
    let seed = prop::sample::select(vec![
        "1",
        "[1]",
        "\"ab\"",
        "{:a 1}",
        "#{1}",
        "1.1M",
        "1E+4000M",
        "3N",
        "1/3",
        "inc",
        "(range)",
        "(map inc (range))",
        "#\"[ab]*a\"",
        "\"é\"",
    ]);
    let step = prop::sample::select(vec![
        "[a a]",
        "(str a a)",
        "(conj a a)",
        "(into a a)",
        "(*' a a)",
        "(* a a)",
        "(+ a a)",
        "(map identity a)",
        "(fn [_] a)",
        "(concat a a)",
        "{a a}",
        "#{a}",
        "(list a)",
        "(comp a a)",
        "(cons 1 a)",
        "(/ a 3)",
        "(apply str (repeat 1000 a))",
        "(take 1000 (cycle [a]))",
        "(lazy-cat a a)",
        "(assoc a a a)",
        "(sort [a a])",
        "(pr-str a)",
        "(re-pattern (str a a))",
        "(str/replace (str a a) #\"a\" \"bab\")",
        "(if (re-find #\"(a|b)*c\" (str a)) a (str a a))",
        "(str/trim (str a \" \" a))",
        "(rationalize a)",
        "(- a 1E-4000M)",
    ]);
    let count = prop::sample::select(vec!["10", "100", "1000", "100000", "9223372036854775807"]);
    let after = prop::sample::select(vec![
        "a",
        "(hash a)",
        "(= a a)",
        "(count a)",
        "(pr-str a)",
        "(flatten a)",
        "(last a)",
        "(first a)",
        "(mapv (fn [i] (compare a a)) (range))",
        "(mapv (fn [i] (str/blank? a)) (range))",
        "(mapv (fn [i] (double a)) (range))",
        "(re-seq #\"a.*c|b\" a)",
    ]);
    (seed, step, count, after).prop_map(|(seed, step, count, after)| {
        format!("(let [a (reduce (fn [a _] {step}) {seed} (range {count}))] {after})")
    })
}

/// A function of two long ratios, decimals or big integers, in an endless loop.
pub(crate) fn long_numbers() -> impl Strategy<Value = String> {
    let number = || {
        prop_oneof![
            3 => (0..18_000_usize).prop_map(fibonacci_ratio),
            1 => "[1-9][0-9]{0,4000}N",
            1 => "[1-9][0-9]{0,2000}[.][0-9]{0,2000}M",
            1 => "-?[1-9]E[+-][1-9][0-9]{0,3}M",
        ]
    };
    let function = prop::sample::select(vec![
        "<",
        "=",
        "==",
        "compare",
        "max",
        "min",
        "+",
        "-",
        "*",
        "/",
        "quot",
        "rem",
        "mod",
        "hash-set",
        "sort-by identity vector",
    ]);
    (function, number(), number()).prop_map(|(function, a, b)| {
        format!("(let [a {a} b {b}] (loop [i 0] ({function} a b) ({function} b a) (recur (inc i))))")
    })
}

/// Macros that write an argument several times when they are expanded, nested in each other.
pub(crate) fn repeating_macros() -> impl Strategy<Value = String> {
    let around = prop::sample::select(vec![
        "(let [{:keys [a a a a] :or {a IT}} nil] a)",
        "(loop [{a :a :or {a IT}} nil] a)",
        "(fn [{a :a b :b :or {a IT b 1}}] a)",
        "(for [{:keys [a a] :or {a IT}} [nil]] a)",
        "(-> IT (+ 1) (cond-> true inc))",
        "(condp = 1 IT 1)",
        "#{'IT [IT]}",
    ]);
    (prop::collection::vec(around, 1..60), "[a-z0-9]{1,3}")
        .prop_map(|(around, inner)| around.into_iter().fold(inner, |inner, of| of.replace("IT", &inner)))
}

/// Many or large regexes, over a text that they nearly match.
pub(crate) fn regexes() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "[ab]", "[ab]*", "(a|b)", "(a|ab)", ".*", "\\\\w+", "a?", "b+?", "c", "|", "^", "é"])
            .prop_map(str::to_owned),
        1 => (1..2000_u32).prop_map(|count| format!("a{{{count}}}")),
        1 => (1..60_u32, 1..60_u32).prop_map(|(a, b)| format!("(?:[ab]{{1,{a}}}c?){{{b}}}")),
    ];
    let regex = prop::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat());
    let function = prop::sample::select(vec![
        "(re-find (re-pattern r) t)",
        "(count (re-seq (re-pattern r) t))",
        "(re-matches (re-pattern r) t)",
        "(count (str/split t (re-pattern r)))",
        "(count (str/replace t (re-pattern r) \"x\"))",
        "(mapv (fn [i] (re-find (re-pattern (str r \"{1,\" i \"}\")) t)) (range 1 1000))",
    ]);
    (regex, function, 0..2_000_u32, 1..40_usize).prop_map(|(regex, function, length, times)| {
        let literals = format!("#\"{}\" ", regex.replace("\\\\", "\\")).repeat(times);
        format!(
            "(let [r \"{regex}\" t (apply str (repeat {length} \"ab\"))] [{function} (count [{literals}])])"
        )
    })
}
