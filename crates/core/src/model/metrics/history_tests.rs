use super::*;
use crate::model::failure::ErrorKind;
use crate::model::job::{JobCounts, JobKind};
use crate::model::metrics::{Labels, Value};
use crate::model::report::CountGroup;
use crate::model::time::Timestamp;
use uuid::Uuid;

fn tenant() -> TenantId {
    TenantId::try_from("acme".to_owned()).expect("a tenant")
}

fn change(subscription: Option<u128>, change: impl FnOnce(&mut Counts)) -> CountChange {
    let mut counts = Counts::default();
    change(&mut counts);
    let group = CountGroup {
        tenant: tenant(),
        hour: Timestamp::from_millis(0),
        subscription: subscription.map(|id| SubscriptionId::from_uuid(Uuid::from_u128(id))),
        event_name: "Posted".into(),
    };
    CountChange { group, counts }
}

fn samples(metrics: &HistoryMetrics) -> Samples {
    let mut samples = Samples::default();
    metrics.write(&mut samples);
    samples
}

/// The values of a metric by the values of its labels.
fn values(metrics: &HistoryMetrics, name: &str) -> Vec<(String, f64)> {
    let samples = samples(metrics);
    let family = samples.families().find(|family| family.metric.name == name);
    let labels =
        |labels: &Labels| labels.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>().join(" ");
    let series = family.into_iter().flat_map(|family| &family.series);
    series
        .map(|(of, value)| match value {
            Value::Number(number) => (labels(of), *number),
            Value::Times(times) => (labels(of), times.count() as f64),
        })
        .collect()
}

#[test]
fn changes_are_added_and_what_a_report_takes_back_stays() {
    let mut metrics = HistoryMetrics::default();
    metrics.add_change(&change(None, |counts| counts.events_accepted = 1));
    metrics.add_change(&change(Some(1), |counts| {
        counts.deliveries_accepted = 1;
        counts.first_attempt.record(20);
    }));
    metrics.add_change(&change(Some(1), |counts| {
        counts.count_attempt(AttemptClass::Status(5));
        counts.record_response_time(41.7);
    }));
    metrics
        .add_change(&change(Some(1), |counts| counts.count_attempt(AttemptClass::Error(ErrorKind::Timeout))));
    metrics.add_change(&change(Some(1), |counts| counts.exhausted = 1));
    // A resend that succeeds.
    metrics.add_change(&change(Some(1), |counts| {
        counts.exhausted = -1;
        counts.succeeded_later = 1;
        counts.resends = 1;
    }));
    let of_one = format!("acme {}", Uuid::from_u128(1));
    let expected = |rest: &str, value| (format!("{of_one}{rest}"), value);
    assert_eq!(values(&metrics, "loanhook_events_accepted_total"), [(String::new(), 1.0)]);
    assert_eq!(values(&metrics, "loanhook_first_attempt_seconds"), [(String::new(), 1.0)]);
    assert_eq!(values(&metrics, "loanhook_deliveries_accepted_total"), [expected("", 1.0)]);
    assert_eq!(values(&metrics, "loanhook_exhausted_total"), [expected("", 1.0)]);
    assert_eq!(values(&metrics, "loanhook_resends_total"), [expected("", 1.0)]);
    assert_eq!(values(&metrics, "loanhook_response_seconds"), [expected("", 1.0)]);
    let attempts = values(&metrics, "loanhook_attempts_total");
    assert_eq!(attempts, [expected(" 5xx ", 1.0), expected(" error timeout", 1.0)]);
}

#[test]
fn verdicts_and_the_items_of_jobs_are_counted() {
    let mut metrics = HistoryMetrics::default();
    let subscription = SubscriptionId::from_uuid(Uuid::from_u128(1));
    for decision in [DecisionKind::Delivered, DecisionKind::FormulaError, DecisionKind::FormulaError] {
        metrics.add_fact(&HistoryFact::Verdict { tenant: tenant(), subscription, decision });
    }
    let counts = |succeeded, failed| JobCounts { total: 9, succeeded, failed, ..JobCounts::default() };
    for (before, after) in [(counts(0, 0), counts(2, 1)), (counts(2, 1), counts(4, 1))] {
        metrics.add_fact(&HistoryFact::JobItems { kind: JobKind::Resend, before, after });
    }
    let of = |name, labels: &str| {
        let values = values(&metrics, name);
        values.into_iter().find(|(of, _)| of == labels).map(|(_, value)| value)
    };
    assert_eq!(of("loanhook_verdicts_total", "formula_error"), Some(2.0));
    assert_eq!(of("loanhook_verdicts_total", "disabled"), Some(0.0), "each verdict is there from the start");
    assert_eq!(of("loanhook_formula_errors_total", &format!("acme {}", subscription.uuid())), Some(2.0));
    assert_eq!(of("loanhook_job_items_total", "resend succeeded"), Some(4.0));
    assert_eq!(of("loanhook_job_items_total", "resend failed"), Some(1.0));
    assert_eq!(of("loanhook_job_items_total", "cancel succeeded"), Some(0.0));
}

#[test]
fn subscriptions_beyond_the_first_ones_share_their_series() {
    let mut metrics = HistoryMetrics::default();
    let all = MAX_SUBSCRIPTIONS as u128 + 50;
    for id in (0..all).chain(0..all) {
        metrics.add_change(&change(Some(id), |counts| {
            for class in AttemptClass::ALL {
                counts.count_attempt(class);
            }
        }));
    }
    let attempts = values(&metrics, "loanhook_attempts_total");
    let total: f64 = attempts.iter().map(|(_, value)| value).sum();
    assert_eq!(total, 2.0 * all as f64 * AttemptClass::ALL.len() as f64, "all are counted");
    let others: Vec<_> = attempts.iter().filter(|(labels, _)| labels.starts_with("other other")).collect();
    assert!(others.len() == AttemptClass::ALL.len() && others.iter().all(|(_, value)| *value == 100.0));
    let lines: usize = samples(&metrics)
        .families()
        .flat_map(|family| family.series.values())
        .map(|value| match value {
            Value::Number(_) => 1,
            Value::Times(times) => times.cumulative().count() + 3,
        })
        .sum();
    assert!(lines < 8_000, "{lines} series");
}
