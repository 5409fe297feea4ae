//! Answers held against Clojure: inside of the subset they are the same.

use std::io::Write as _;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::{answer, clojure_process, random_formulas, table_files};

/// How many random formulas are compared.
const GENERATED_FORMULAS: usize = 1500;

#[test]
fn tables_and_random_formulas_have_the_answers_of_clojure() {
    if let Some(missing) = clojure_process::missing() {
        // Written directly: the test harness hides what a passed test prints.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
        return;
    }
    // Other formulas each time, unless a seed is set. A failure shows the formulas, so it needs no seed.
    let seed = std::env::var("PROPTEST_RNG_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.map_or(RngSeed::Random, RngSeed::Fixed);
    let mut runner = TestRunner::new(Config { rng_seed: seed, ..Config::default() });
    let mut formulas: Vec<String> =
        table_files::clojure().into_iter().map(|(formula, _)| formula.to_owned()).collect();
    let written = formulas.len();
    let generated = random_formulas::formula();
    formulas.extend(
        (0..GENERATED_FORMULAS).map(|_| generated.new_tree(&mut runner).expect("a formula").current()),
    );

    let theirs = clojure_process::answers(&formulas);
    let ours: Vec<_> = formulas.iter().map(|formula| answer(formula)).collect();
    let compared = ours.iter().zip(&theirs).zip(&formulas);
    let differing: Vec<_> = compared
        .filter(|((ours, theirs), _)| {
            ours != theirs && !ours.starts_with("!unsupported") && *ours != "!limit"
        })
        .map(|((ours, theirs), formula)| format!("{formula}\n  ours:   {ours}\n  theirs: {theirs}"))
        .collect();
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));

    let answered = |answers: &[String]| answers.iter().filter(|answer| !answer.starts_with('!')).count();
    // Most answers must be values, so that the test does not compare errors only.
    assert!(answered(&ours[..written]) * 10 > written * 8, "most of the table has a value");
    assert!(answered(&ours[written..]) * 10 > GENERATED_FORMULAS * 5, "most generated formulas have a value");
}
