//! Whatever a formula is, reading and running it ends, within its bounds, without a panic.

use loanhook_formula::Formula;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::unbounded_formulas::{greedy, long_numbers, regexes, written_out};
use crate::{random_formulas, used};

/// How many steps the greedy formulas take at least, all of them together.
const STEPS: u64 = 10_000_000;

/// That it ends within what a formula may use; how many steps it took.
fn ends(formula: &str) -> u64 {
    let used = used(formula);
    assert!(
        used.steps <= Formula::MAX_USAGE.steps && used.bytes <= Formula::MAX_USAGE.bytes,
        "{formula}: {used:?}"
    );
    used.steps
}

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
    (random_formulas::formula(), prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 0..4))
        .prop_map(|(formula, changes)| {
            let mut chars: Vec<char> = formula.chars().collect();
            for (place, char) in changes {
                let place = place.index(chars.len());
                chars[place] = char;
            }
            chars.into_iter().collect()
        })
}

proptest! {
    #![proptest_config(Config { cases: 4000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        ends(&text);
    }

    #[test]
    fn any_pieces_are_run_or_refused(text in pieces()) {
        ends(&text);
    }

    #[test]
    fn what_is_nearly_a_formula_is_run_or_refused(text in broken()) {
        ends(&text);
    }
}

proptest! {
    #![proptest_config(Config { cases: 200, failure_persistence: None, ..Config::default() })]

    #[test]
    fn what_is_written_out_again_and_again_is_run_or_refused(text in written_out()) {
        ends(&text);
    }

    #[test]
    fn long_numbers_take_their_bounds(text in long_numbers()) {
        ends(&text);
    }

    #[test]
    fn regexes_take_their_bounds(text in regexes()) {
        ends(&text);
    }
}

#[test]
fn what_would_take_everything_takes_its_bounds_in_ten_million_steps() {
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let steps = std::cell::Cell::new(0);
    let run = TestRunner::new(config).run(&greedy(), |formula| {
        steps.set(steps.get() + ends(&formula));
        Ok(())
    });
    run.expect("all end");
    assert!(steps.get() >= STEPS, "{} steps", steps.get());
}
