//! Metrics of CloudWatch: what the functions on a schedule say about counts and the sweep.
//!
//! A metric is a line of the log in the embedded metric format
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>), so it costs
//! a webhook nothing and needs no permission. Each has the dimension `Table`, the name of the table. CloudWatch takes a line at
//! least once, and a function may die before it has written one, so these are for dashboards and alarms; what is exact is the report.

use loanhook_core::model::report::{AttemptClass, Counts, Histogram};
use loanhook_core::model::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::reports::CountReport;
use crate::sweep::SweepReport;

/// The namespace of all metrics.
pub const NAMESPACE: &str = "loanhook";
/// The dimension that all metrics have.
pub const TABLE: &str = "Table";
/// The dimension of attempts by what came of them: a class of response codes (`2xx`), or the kind of an error.
pub const OUTCOME: &str = "Outcome";
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

/// Attempts that ended, by their outcome and in all.
const ATTEMPTS: &str = "loanhook_attempts_total";

/// Every metric that [`of_counts`] or [`of_sweep`] writes.
pub const NAMES: [&str; 14] = [
    "loanhook_events_accepted_total",
    "loanhook_events_unmatched_total",
    "loanhook_deliveries_accepted_total",
    "loanhook_deliveries_succeeded_total",
    "loanhook_deliveries_canceled_total",
    "loanhook_exhausted_total",
    "loanhook_resends_total",
    ATTEMPTS,
    "loanhook_response_seconds",
    "loanhook_first_attempt_seconds",
    "loanhook_oldest_due_seconds",
    "loanhook_sweep_lag_seconds",
    "loanhook_woken_total",
    "loanhook_counted_changes_total",
];

/// Metrics of one line, with their values.
type Values = Vec<(&'static str, Unit, Value)>;

/// The lines that say what a run of the function of reports counted. Response times and times to the first attempt are at most
/// 100 values, which are spread as all of them are: CloudWatch's count of them is not the count of attempts.
#[must_use]
pub fn of_counts(table: &str, counts: &Counts, report: CountReport, now: Timestamp) -> Vec<String> {
    let count = |name, value: i64| (name, Unit::Count, json!(value));
    let mut values = vec![
        count("loanhook_events_accepted_total", counts.events_accepted),
        count("loanhook_events_unmatched_total", counts.events_unmatched),
        count("loanhook_deliveries_accepted_total", counts.deliveries_accepted),
        count("loanhook_deliveries_succeeded_total", counts.succeeded_first + counts.succeeded_later),
        count("loanhook_deliveries_canceled_total", counts.canceled),
        count("loanhook_exhausted_total", counts.exhausted),
        count("loanhook_resends_total", counts.resends),
        count(ATTEMPTS, counts.attempts.iter().sum()),
        ("loanhook_counted_changes_total", Unit::Count, json!(report.records)),
    ];
    let times = [
        ("loanhook_response_seconds", &counts.response_time, TENTHS_PER_SECOND),
        ("loanhook_first_attempt_seconds", &counts.first_attempt, MILLIS_PER_SECOND),
    ];
    for (name, times, per_second) in times.into_iter().filter(|(_, times, _)| !times.is_empty()) {
        values.push((name, Unit::Seconds, sample(times, per_second)));
    }
    let by_outcome = AttemptClass::ALL.into_iter().zip(counts.attempts).filter(|(_, count)| *count != 0);
    let by_outcome = by_outcome.map(|(class, attempts)| {
        line(&[(TABLE, table), (OUTCOME, class.name())], vec![count(ATTEMPTS, attempts)], now)
    });
    std::iter::once(line(&[(TABLE, table)], values, now)).chain(by_outcome).collect()
}

/// The line that says what a run of the sweep found.
#[must_use]
pub fn of_sweep(table: &str, report: SweepReport, now: Timestamp) -> String {
    let values = vec![
        ("loanhook_oldest_due_seconds", Unit::Seconds, json!(report.oldest_due_seconds)),
        ("loanhook_sweep_lag_seconds", Unit::Seconds, json!(report.lag_seconds)),
        ("loanhook_woken_total", Unit::Count, json!(report.woken)),
    ];
    line(&[(TABLE, table)], values, now)
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
