//! Inside the subset, a formula's answer is Clojure's.

use std::io::Write as _;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::{answer, clojure_process, random_formulas, table_files};

/// How many formulas are made up.
const GENERATED: usize = 1500;

#[test]
fn tables_and_generated_formulas_answer_as_in_clojure() {
    if let Some(missing) = clojure_process::missing() {
        // Past what the test harness keeps to itself.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
        return;
    }
    // Others each time, unless a seed is told; a failure tells the formulas, not the seed.
    let seed = std::env::var("PROPTEST_RNG_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.map_or(RngSeed::Random, RngSeed::Fixed);
    let mut runner = TestRunner::new(Config { rng_seed: seed, ..Config::default() });
    let mut formulas: Vec<String> =
        table_files::clojure().into_iter().map(|(formula, _)| formula.to_owned()).collect();
    let written = formulas.len();
    let generated = random_formulas::formula();
    formulas.extend((0..GENERATED).map(|_| generated.new_tree(&mut runner).expect("a formula").current()));

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
    // The test compares values: neither refusals nor failures make up the most of it.
    assert!(answered(&ours[..written]) * 10 > written * 8, "most of the table has a value");
    assert!(answered(&ours[written..]) * 10 > GENERATED * 5, "most generated formulas have a value");
}
