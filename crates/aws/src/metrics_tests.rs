use std::collections::BTreeSet;

use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::job::{JobCounts, JobKind};
use loanhook_core::model::metrics::HistoryFact;
use loanhook_core::model::report::Counts;
use uuid::Uuid;

use super::*;
use crate::sweep::{OpenJobs, WaitingCounts};

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

/// Names, each with what it has.
type Named<T> = Vec<(String, T)>;

/// The metrics of a line by the rules of the format: names with their values; the dimensions with theirs.
fn read(line: &str) -> (Named<Value>, Named<String>) {
    let root: Value = serde_json::from_str(line).expect("JSON");
    assert!(!line.contains('\n'), "one line is one event of the log");
    assert_eq!(root["_aws"]["Timestamp"], NOW.millis());
    let directive = &root["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], NAMESPACE);
    let metrics = directive["Metrics"].as_array().expect("metrics");
    assert!((1..=100).contains(&metrics.len()), "{line}");
    let metrics = metrics.iter().map(|metric| {
        let name = metric["Name"].as_str().expect("a name");
        assert!(
            name.ends_with("_seconds") == (metric["Unit"] == "Seconds")
                && (metric["Unit"] == "Seconds" || metric["Unit"] == "Count")
        );
        let value = &root[name];
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        assert!((1..=100).contains(&values.len()) && values.iter().all(Value::is_number), "{name}: {value}");
        (name.to_owned(), value.clone())
    });
    let dimensions = directive["Dimensions"][0].as_array().expect("dimensions").iter().map(|name| {
        let name = name.as_str().expect("a name");
        (name.to_owned(), root[name].as_str().expect("a text").to_owned())
    });
    (metrics.collect(), dimensions.collect())
}

fn value(of: &[(String, Value)], name: &str) -> Value {
    of.iter().find(|(of, _)| of == name).unwrap_or_else(|| panic!("no {name}")).1.clone()
}

fn added() -> Added {
    let mut counts = Counts {
        events_accepted: 4,
        deliveries_accepted: 3,
        succeeded_first: 1,
        succeeded_later: 1,
        ..Counts::default()
    };
    counts.count_attempt(AttemptClass::Status(2));
    counts.count_attempt(AttemptClass::Status(2));
    counts.count_attempt(AttemptClass::Error(ErrorKind::Timeout));
    counts.record_response_time(12.5);
    for millis in 0..250 {
        counts.first_attempt.record(millis);
    }
    // Of two that ran out of retries, resends delivered both.
    let mut added = Added { counts, exhausted: 2, ..Added::default() };
    let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
    let subscription = SubscriptionId::from_uuid(Uuid::from_u128(1));
    for decision in [DecisionKind::Delivered, DecisionKind::FormulaError, DecisionKind::Delivered] {
        added.facts.add(&HistoryFact::Verdict { tenant: tenant.clone(), subscription, decision });
    }
    let after = JobCounts { total: 9, succeeded: 5, failed: 1, ..JobCounts::default() };
    let before = JobCounts { failed: 0, ..after };
    added.facts.add(&HistoryFact::JobItems { kind: JobKind::Resend, before, after });
    added
}

fn swept() -> SweepReport {
    let jobs = JobKind::ALL.map(|kind| OpenJobs { kind, jobs: 1, items_left: 3 });
    let waiting = WaitingCounts { limit: 2, order: 0, hold: 7 };
    let gauges = Some(SweepGauges { waiting, jobs });
    SweepReport { oldest_due_seconds: 7, gauges, ..SweepReport::default() }
}

/// What the functions write, with something of each.
pub(crate) fn all_lines() -> Vec<String> {
    let mut lines = of_counts("hooks", &added(), CountReport::default(), NOW);
    lines.extend(of_sweep("hooks", swept(), NOW));
    lines
}

/// The names of metrics that are written, each with the names of the dimensions that it has.
pub(crate) fn written() -> BTreeSet<(String, Vec<String>)> {
    let of_line = |line: &String| {
        let (metrics, dimensions) = read(line);
        let dimensions: Vec<_> = dimensions.into_iter().map(|(name, _)| name).collect();
        metrics.into_iter().map(move |(name, _)| (name, dimensions.clone()))
    };
    all_lines().iter().flat_map(of_line).collect()
}

#[test]
fn counts_are_lines_of_the_embedded_metric_format() {
    let report = CountReport { records: 9, transactions: 1, superseded: false };
    let lines = of_counts("hooks", &added(), report, NOW);
    let [all, succeeded, timed_out, delivered, formula_error, job_items] = &lines[..] else {
        panic!("{lines:?}")
    };
    let (metrics, dimensions) = read(all);
    assert_eq!(dimensions, [("Table".into(), "hooks".into())]);
    for (name, expected) in [
        ("loanhook_events_accepted_total", json!(4)),
        ("loanhook_events_unmatched_total", json!(0)),
        ("loanhook_deliveries_succeeded_total", json!(2)),
        ("loanhook_exhausted_total", json!(2)),
        ("loanhook_formula_errors_total", json!(1)),
        ("loanhook_attempts_total", json!(3)),
        ("loanhook_response_seconds", json!([0.0125])),
        ("loanhook_counted_changes_total", json!(9)),
    ] {
        assert_eq!(value(&metrics, name), expected, "{name}");
    }
    let first_attempt = value(&metrics, "loanhook_first_attempt_seconds");
    assert_eq!(first_attempt.as_array().map(Vec::len), Some(100), "no line has more values of a metric");
    let (attempts, verdicts) = ("loanhook_attempts_total", "loanhook_verdicts_total");
    for (line, metric, count, of) in [
        (succeeded, attempts, 2, &[("Outcome", "2xx")][..]),
        (timed_out, attempts, 1, &[("Outcome", "timeout")]),
        (delivered, verdicts, 2, &[("Verdict", "delivered")]),
        (formula_error, verdicts, 1, &[("Verdict", "formula_error")]),
        (job_items, "loanhook_job_items_total", 1, &[("Kind", "resend"), ("Outcome", "failed")]),
    ] {
        let (metrics, dimensions) = read(line);
        assert_eq!(metrics, [(metric.to_owned(), json!(count))]);
        let of: Vec<_> = of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(dimensions[1..], of, "{line}");
    }
}

#[test]
fn a_sweep_says_what_waits_and_what_is_left_of_jobs_also_where_it_is_nothing() {
    let lines = of_sweep("hooks", swept(), NOW);
    let found: Vec<_> = lines[1..].iter().map(|line| read(line)).collect();
    let one = |metric: &str, count: u64| vec![(metric.to_owned(), json!(count))];
    let of =
        |name: &str, value: &str| vec![("Table".to_owned(), "hooks".to_owned()), (name.into(), value.into())];
    let jobs = || [one("loanhook_jobs_running", 1), one("loanhook_job_items_left", 3)].concat();
    let expected = [
        (one("loanhook_waiting", 2), of("Reason", "limit")),
        (one("loanhook_waiting", 0), of("Reason", "order")),
        (one("loanhook_waiting", 7), of("Reason", "hold")),
        (jobs(), of("Kind", "resend")),
        (jobs(), of("Kind", "cancel")),
    ];
    assert_eq!(found, expected);
    let without = SweepReport { gauges: None, ..swept() };
    assert_eq!(of_sweep("hooks", without, NOW), lines[..1], "what was not read is not 0");
}

#[test]
fn a_run_that_found_nothing_says_so() {
    let [line] = &of_counts("hooks", &Added::default(), CountReport::default(), NOW)[..] else {
        panic!("one line")
    };
    let (metrics, _) = read(line);
    assert!(metrics.iter().all(|(_, value)| *value == 0), "{line}");
}

#[test]
fn every_metric_has_its_name_in_the_list() {
    let written: BTreeSet<_> = written().into_iter().map(|(name, _)| name).collect();
    assert_eq!(written, all_names().map(str::to_owned).collect(), "and no other");
}
