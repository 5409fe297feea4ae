//! Whatever a formula is, reading and running it ends, within its bounds, without a panic.

use proptest::prelude::*;

use crate::{answer, grammar};

/// Pieces that the reader and the compiler look for, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "(", ")", "[", "]", "{", "}", "#{", "#(", "'", "\"", "\\", "#_", ";", "#\"", "##Inf", "%", "%2", "%&", "&", ":as",
            ":keys", "let ", "fn ", "loop ", "recur ", "if ", "case ", "cond ", "for ", "-> ", "->> ", "map ", "reduce ", "range ",
            "iterate ", "repeat ", "cycle ", "inc ", "apply ", "str ", "*' ", "+ ", "/ ", "comp ", "partial ", "sort ", "conj ",
            "into ", "assoc ", "format ", "re-find ", "str/split ", "str/replace ", "subs ", "bigdec ", "rationalize ", "hash ",
            "x ", "payments ", "nil ", "true ", "0 ", "1 ", "-1 ", "9223372036854775807 ", "1e308 ", "1M ", "1E-3999M ", "1/3 ", "99N ",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z0-9/.:*+-]{1,6} ",
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// A formula with a few of its characters changed, so that it is nearly right.
fn broken() -> impl Strategy<Value = String> {
    (grammar::formula(), prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 0..4)).prop_map(
        |(formula, changes)| {
            let mut chars: Vec<char> = formula.chars().collect();
            for (place, char) in changes {
                let place = place.index(chars.len());
                chars[place] = char;
            }
            chars.into_iter().collect()
        },
    )
}

/// Loops and growth, with what bounds them left open.
fn greedy() -> impl Strategy<Value = String> {
    let seed = prop::sample::select(vec![
        "1",
        "[1]",
        "\"ab\"",
        "{:a 1}",
        "#{1}",
        "1.1M",
        "3N",
        "1/3",
        "inc",
        "(range)",
        "(map inc (range))",
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
    ]);
    (seed, step, count, after).prop_map(|(seed, step, count, after)| {
        format!("(let [a (reduce (fn [a _] {step}) {seed} (range {count}))] {after})")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        answer(&text);
    }

    #[test]
    fn any_pieces_are_run_or_refused(text in pieces()) {
        answer(&text);
    }

    #[test]
    fn what_is_nearly_a_formula_is_run_or_refused(text in broken()) {
        answer(&text);
    }
}

proptest! {
    // Most of them take all the steps there are: together far more than ten million.
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_would_take_everything_takes_its_bounds(text in greedy()) {
        answer(&text);
    }
}
