//! Any text: parsing and evaluating it ends, within the limits, without a panic.

use loanhook_formula::Formula;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::unbounded_formulas::{growing_loops, long_numbers, regexes, repeating_macros};
use crate::{random_formulas, used};

/// How many steps the growing loops take at least, all of them together.
const MIN_TOTAL_STEPS: u64 = 10_000_000;

/// Checks that a formula ends within the limits; how many steps it took.
fn check_ends(formula: &str) -> u64 {
    let used = used(formula);
    assert!(
        used.steps <= Formula::MAX_USAGE.steps && used.bytes <= Formula::MAX_USAGE.bytes,
        "{formula}: {used:?}"
    );
    used.steps
}

/// Tokens that the reader and the compiler know, in any order.
fn tokens() -> impl Strategy<Value = String> {
    let token = prop_oneof![
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
    prop::collection::vec(token, 0..60).prop_map(|tokens| tokens.concat())
}

/// A formula with a few of its characters changed.
fn changed_formula() -> impl Strategy<Value = String> {
    (random_formulas::formula(), prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 0..4))
        .prop_map(|(formula, changes)| {
            let mut chars: Vec<char> = formula.chars().collect();
            let length = chars.len();
            for (index, char) in changes {
                chars[index.index(length)] = char;
            }
            chars.into_iter().collect()
        })
}

proptest! {
    #![proptest_config(Config { cases: 4000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_text_ends_within_the_limits(text in any::<String>()) {
        check_ends(&text);
    }

    #[test]
    fn any_tokens_end_within_the_limits(text in tokens()) {
        check_ends(&text);
    }

    #[test]
    fn a_formula_with_changed_characters_ends_within_the_limits(text in changed_formula()) {
        check_ends(&text);
    }
}

proptest! {
    #![proptest_config(Config { cases: 200, failure_persistence: None, ..Config::default() })]

    #[test]
    fn macros_that_repeat_their_arguments_end_within_the_limits(text in repeating_macros()) {
        check_ends(&text);
    }

    #[test]
    fn arithmetic_on_long_numbers_ends_within_the_limits(text in long_numbers()) {
        check_ends(&text);
    }

    #[test]
    fn regexes_end_within_the_limits(text in regexes()) {
        check_ends(&text);
    }
}

#[test]
fn growing_loops_end_within_the_limits_and_take_ten_million_steps_in_all() {
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let steps = std::cell::Cell::new(0);
    let run = TestRunner::new(config).run(&growing_loops(), |formula| {
        steps.set(steps.get() + check_ends(&formula));
        Ok(())
    });
    run.expect("all end");
    assert!(steps.get() >= MIN_TOTAL_STEPS, "{} steps", steps.get());
}
