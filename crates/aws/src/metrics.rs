//! Metrics of CloudWatch: what the functions on a schedule say about counts and the sweep.
//!
//! A metric is a line of the log in the embedded metric format
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>), so it costs
//! a webhook nothing and needs no permission. Each has the dimension `Table`, the name of the table. CloudWatch takes a line at
//! least once, and a function may die before it has written one, so these are for dashboards and alarms; what is exact is the report.

use loanhook_core::model::flow::WaitingReason;
use loanhook_core::model::ledger::DecisionKind;
use loanhook_core::model::metrics::{Metric, names};
use loanhook_core::model::report::{AttemptClass, Histogram};
use loanhook_core::model::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::reports::{Added, CountReport};
use crate::sweep::{SweepGauges, SweepReport};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "loanhook";
/// The dimension that all metrics have.
pub const TABLE: &str = "Table";
/// The dimension of attempts by what came of them: a class of response codes (`2xx`), or the kind of an error. And that of
/// items of jobs.
pub const OUTCOME: &str = "Outcome";
/// The dimension of verdicts.
pub const VERDICT: &str = "Verdict";
/// The dimension of what waits.
pub const REASON: &str = "Reason";
/// The dimension of jobs: `resend` or `cancel`.
pub const KIND: &str = "Kind";
/// The most values of a metric in a line.
const MAX_VALUES: u64 = 100;
/// Response times are counted in tenths of a millisecond, times to the first attempt in milliseconds.
const TENTHS_PER_SECOND: f64 = 10_000.0;
const MILLIS_PER_SECOND: f64 = 1000.0;

/// What a metric is measured in, as CloudWatch names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Count,
    Seconds,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Seconds => "Seconds",
        }
    }
}

/// The metrics that the one process has too, by its names.
const SHARED: [&Metric; 13] = [
    &names::EVENTS_ACCEPTED,
    &names::VERDICTS,
    &names::FORMULA_ERRORS,
    &names::DELIVERIES_ACCEPTED,
    &names::ATTEMPTS,
    &names::RESENDS,
    &names::EXHAUSTED,
    &names::FIRST_ATTEMPT,
    &names::RESPONSE,
    &names::JOB_ITEMS,
    &names::JOBS_RUNNING,
    &names::JOB_ITEMS_LEFT,
    &names::WAITING,
];
const EVENTS_UNMATCHED: &str = "loanhook_events_unmatched_total";
const SUCCEEDED: &str = "loanhook_deliveries_succeeded_total";
const CANCELED: &str = "loanhook_deliveries_canceled_total";
const SLOW_DUE: &str = "loanhook_slow_due_seconds";
const SWEEP_LAG: &str = "loanhook_sweep_lag_seconds";
const WOKEN: &str = "loanhook_woken_total";
const COUNTED_CHANGES: &str = "loanhook_counted_changes_total";
/// Those that only these functions have. What is due is told here without its reason.
const OWN: [&str; 8] = [
    EVENTS_UNMATCHED,
    SUCCEEDED,
    CANCELED,
    names::OLDEST_DUE.name,
    SLOW_DUE,
    SWEEP_LAG,
    WOKEN,
    COUNTED_CHANGES,
];

/// The name of every metric that [`of_counts`] or [`of_sweep`] writes.
pub fn all_names() -> impl Iterator<Item = &'static str> {
    SHARED.into_iter().map(|metric| metric.name).chain(OWN)
}

/// Metrics of one line, with their values.
type Values = Vec<(&'static str, Unit, Value)>;

fn count(name: &'static str, value: impl Into<Value>) -> (&'static str, Unit, Value) {
    (name, Unit::Count, value.into())
}

/// The lines that say what a run of the function of reports counted. Response times and times to the first attempt are at most
/// 100 values, which are spread as all of them are: CloudWatch's count of them is not the count of attempts.
#[must_use]
pub fn of_counts(table: &str, added: &Added, report: CountReport, now: Timestamp) -> Vec<String> {
    let Added { counts, exhausted, facts } = added;
    let formula_errors = facts.verdicts().find(|(kind, _)| *kind == DecisionKind::FormulaError);
    let mut values = vec![
        count(names::EVENTS_ACCEPTED.name, counts.events_accepted),
        count(EVENTS_UNMATCHED, counts.events_unmatched),
        count(names::FORMULA_ERRORS.name, formula_errors.map_or(0, |(_, count)| count)),
        count(names::DELIVERIES_ACCEPTED.name, counts.deliveries_accepted),
        count(SUCCEEDED, counts.succeeded_first + counts.succeeded_later),
        count(CANCELED, counts.canceled),
        count(names::EXHAUSTED.name, *exhausted),
        count(names::RESENDS.name, counts.resends),
        count(names::ATTEMPTS.name, counts.attempts.iter().sum::<i64>()),
        count(COUNTED_CHANGES, report.records),
    ];
    let times = [
        (names::RESPONSE.name, &counts.response_time, TENTHS_PER_SECOND),
        (names::FIRST_ATTEMPT.name, &counts.first_attempt, MILLIS_PER_SECOND),
    ];
    for (name, times, per_second) in times.into_iter().filter(|(_, times, _)| !times.is_empty()) {
        values.push((name, Unit::Seconds, sample(times, per_second)));
    }
    let mut lines = vec![line(&[(TABLE, table)], values, now)];
    // What did not happen has no line.
    let attempts = AttemptClass::ALL.into_iter().zip(counts.attempts).filter(|(_, count)| *count != 0);
    lines.extend(attempts.map(|(class, attempts)| {
        line(&[(TABLE, table), (OUTCOME, class.name())], vec![count(names::ATTEMPTS.name, attempts)], now)
    }));
    let verdicts = facts.verdicts().filter(|(_, count)| *count != 0);
    lines.extend(verdicts.map(|(kind, verdicts)| {
        line(&[(TABLE, table), (VERDICT, kind.as_str())], vec![count(names::VERDICTS.name, verdicts)], now)
    }));
    let job_items = facts.job_items().filter(|(.., count)| *count != 0);
    lines.extend(job_items.map(|(kind, outcome, items)| {
        let dimensions = [(TABLE, table), (KIND, kind.as_str()), (OUTCOME, outcome.as_str())];
        line(&dimensions, vec![count(names::JOB_ITEMS.name, items)], now)
    }));
    lines
}

/// The lines that say what a run of the sweep did and found.
#[must_use]
pub fn of_sweep(table: &str, report: SweepReport, now: Timestamp) -> Vec<String> {
    let values = vec![
        (names::OLDEST_DUE.name, Unit::Seconds, json!(report.oldest_due_seconds)),
        (SLOW_DUE, Unit::Seconds, json!(report.slow_due_seconds)),
        (SWEEP_LAG, Unit::Seconds, json!(report.lag_seconds)),
        count(WOKEN, report.woken),
    ];
    let mut lines = vec![line(&[(TABLE, table)], values, now)];
    let Some(SweepGauges { waiting, jobs }) = report.gauges else { return lines };
    lines.extend(WaitingReason::ALL.into_iter().map(|reason| {
        let value = count(names::WAITING.name, waiting.of(reason));
        line(&[(TABLE, table), (REASON, reason.as_str())], vec![value], now)
    }));
    lines.extend(jobs.into_iter().map(|open| {
        let values = vec![
            count(names::JOBS_RUNNING.name, open.jobs),
            count(names::JOB_ITEMS_LEFT.name, open.items_left),
        ];
        line(&[(TABLE, table), (KIND, open.kind.as_str())], values, now)
    }));
    lines
}

fn sample(times: &Histogram, per_second: f64) -> Value {
    times.sample(MAX_VALUES).into_iter().map(|value| value / per_second).collect()
}

/// One object of the embedded metric format. All its metrics have these dimensions.
fn line(dimensions: &[(&str, &str)], values: Values, now: Timestamp) -> String {
    let metrics: Vec<_> =
        values.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit.name()})).collect();
    let names: Vec<_> = dimensions.iter().map(|(name, _)| *name).collect();
    let directive = json!({"Namespace": NAMESPACE, "Dimensions": [names], "Metrics": metrics});
    let mut root = Map::new();
    root.insert("_aws".into(), json!({"Timestamp": now.millis(), "CloudWatchMetrics": [directive]}));
    root.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    root.extend(values.into_iter().map(|(name, _, value)| (name.to_owned(), value)));
    Value::Object(root).to_string()
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "watched_tests.rs"]
mod watched_tests;
