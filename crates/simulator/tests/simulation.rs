//! Seeds that every change is run against, and the proof that the simulation finds what it is for.

use std::fmt::Write as _;

use loanhook_simulator::{Break, Fault, Options, Outcome, Totals, run, shrink};

/// How many seeds every run of the tests goes through.
const SEEDS: u64 = 250;
/// Within so many seeds each deliberate error is found.
const SEEDS_FOR_A_BREAK: u64 = 300;

fn traced() -> Options {
    Options { trace: true, ..Options::default() }
}

#[test]
fn every_rule_holds_for_the_fixed_seeds() {
    let mut totals = Totals::default();
    for seed in 0..SEEDS {
        let outcome = run(seed, &Options::default());
        totals.add(&outcome.totals);
        if let Some(violation) = outcome.violation {
            let shortest = shrink(seed, &Options::default()).map(|shortest| shortest.trace.join("\n"));
            panic!("{}\nseed {seed}: {violation}", shortest.unwrap_or_default());
        }
    }
    for fault in Fault::ALL {
        assert!(
            totals.faults.get(&fault).is_some_and(|count| *count > 0),
            "{fault:?} never happened:\n{totals}"
        );
    }
    assert!(totals.resends > 0 && totals.cancels > 0 && totals.attempts > totals.deliveries, "{totals}");
    assert!(totals.holds > 0 && totals.probes > 0, "{totals}");
}

#[test]
fn the_same_seed_is_the_same_run() {
    let mut lengths = Vec::new();
    for seed in 0..5 {
        let [once, again] = [(); 2].map(|()| run(seed, &traced()));
        assert_eq!(once.trace, again.trace, "seed {seed}");
        assert_eq!(once.totals, again.totals);
        lengths.push(once.trace.len());
    }
    lengths.dedup();
    assert!(lengths.len() > 1, "another seed is another run: {lengths:?}");
}

#[test]
fn a_trace_changes_nothing_of_a_run() {
    for seed in 5..8 {
        let Outcome { totals, violation, .. } = run(seed, &traced());
        let without = run(seed, &Options::default());
        assert_eq!((without.totals, without.violation), (totals, violation));
        assert!(without.trace.is_empty());
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "with `--nocapture` it is the table of what was found")]
fn each_break_is_found() {
    let mut missed = String::new();
    for deliberate in Break::ALL {
        let options = Options { deliberate: Some(deliberate), ..Options::default() };
        let found = (0..SEEDS_FOR_A_BREAK).find_map(|seed| Some((seed, run(seed, &options).violation?)));
        let Some((seed, violation)) = found else {
            let _ = writeln!(missed, "{deliberate:?} is not found");
            continue;
        };
        println!("{deliberate:?}: {violation} (after {} seeds)", seed + 1);
        if !deliberate.breaks().contains(&violation.rule) {
            let _ = writeln!(missed, "{deliberate:?} is found by another rule: {violation}");
        }
    }
    assert_eq!(missed, "");
}

#[test]
fn the_shortest_run_breaks_a_rule_with_less() {
    let options = Options { deliberate: Some(Break::ResendMovesSchedule), ..Options::default() };
    let seed = (0..).find(|seed| run(*seed, &options).violation.is_some()).expect("a seed");
    let whole = run(seed, &Options { trace: true, ..options.clone() });
    let shortest = shrink(seed, &options).expect("it breaks a rule");
    assert!(shortest.trace.len() <= whole.trace.len());
    assert!(shortest.trace.last().is_some_and(|line| line.contains(&shortest.violation.rule.to_string())));
    let again = run(seed, &Options { trace: true, ..shortest.options });
    assert_eq!((again.violation, again.trace), (Some(shortest.violation), shortest.trace));
}
