//! A report as the API shows it: fields are null, never absent.

use serde::Serialize;

use super::enums_of_model;
use super::id::{SubscriptionId, Timestamp};
use loanhook_core::model::report::{self, Counts, ReportKey};
use loanhook_core::report::{Report, ReportRow};

enums_of_model! {
    /// How long the periods of a report are.
    #[serde(rename_all = "lowercase")]
    Period from report::Period {
        Hour,
        Day,
    }

    /// What counts are added up by, beside the period.
    #[serde(rename_all = "lowercase")]
    Grouping from report::Grouping {
        Subscription,
        Event,
        None,
    }
}

/// Counts by period and group, of those for which something was counted.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeliveryReport)]
pub(in crate::api) struct DeliveryReportView {
    /// The beginning of the first period: what was asked for, rounded outward.
    from: Timestamp,
    /// The end of the last period, rounded likewise.
    to: Timestamp,
    by: Period,
    group: Grouping,
    /// What was accepted or sent before is not counted; null where everything is.
    #[schema(required)]
    counted_since: Option<Timestamp>,
    pub(in crate::api) items: Vec<ReportRowView>,
}

/// The counts of one period and group. Events, deliveries and how they ended count in the period of acceptance; attempts,
/// resends and response times in that in which the request was sent. Test sends are left out.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeliveryReportRow)]
pub(in crate::api) struct ReportRowView {
    /// Its beginning.
    period: Timestamp,
    /// Of a report by subscription.
    #[schema(required)]
    subscription_id: Option<SubscriptionId>,
    /// The subscription's title now; null for one that was deleted.
    #[schema(required)]
    title: Option<String>,
    /// Of a report by event.
    #[schema(required)]
    event_name: Option<String>,
    /// Null by subscription, and where the ledger does not keep every event.
    #[schema(required)]
    events_accepted: Option<i64>,
    /// Of these, events without a delivery.
    #[schema(required)]
    events_unmatched: Option<i64>,
    deliveries_accepted: i64,
    /// Deliveries whose first automatic attempt succeeded.
    succeeded_first: i64,
    /// All others that succeeded, also those that a resend delivered after their schedule had run out.
    succeeded_later: i64,
    /// Deliveries that have not ended yet.
    pending: i64,
    /// Deliveries whose schedule ran out without success.
    exhausted: i64,
    canceled: i64,
    resends: i64,
    attempts: AttemptCounts,
    /// From the start of a request to the end of its response. Null where none was measured.
    #[schema(required)]
    response_time_ms: Option<Percentiles>,
    /// From acceptance until the first automatic attempt began. Null where there was none.
    #[schema(required)]
    first_attempt_ms: Option<Percentiles>,
}

/// Attempts that ended, automatic and manual, by the class of their response code or the kind of their error.
#[derive(Serialize, utoipa::ToSchema)]
struct AttemptCounts {
    #[serde(rename = "1xx")]
    status_1xx: i64,
    #[serde(rename = "2xx")]
    status_2xx: i64,
    #[serde(rename = "3xx")]
    status_3xx: i64,
    #[serde(rename = "4xx")]
    status_4xx: i64,
    #[serde(rename = "5xx")]
    status_5xx: i64,
    /// Response codes from 600 to 999.
    other: i64,
    dns: i64,
    connect: i64,
    tls: i64,
    timeout: i64,
    protocol: i64,
    blocked: i64,
    template: i64,
    auth: i64,
    interrupted: i64,
}

/// 50 %, 95 % and 99 % of the values are at most this many milliseconds. Wrong by at most 0.4 %.
#[derive(Serialize, utoipa::ToSchema)]
struct Percentiles {
    p50: f64,
    p95: f64,
    p99: f64,
}

impl From<Report> for DeliveryReportView {
    fn from(report: Report) -> Self {
        Self {
            from: report.query.from.into(),
            to: report.query.to.into(),
            by: report.query.by.into(),
            group: report.query.group.into(),
            counted_since: report.counted_since.map(Into::into),
            items: report.rows.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<ReportRow> for ReportRowView {
    fn from(row: ReportRow) -> Self {
        let ReportRow { period, key, title, has_events, counts } = row;
        let (subscription_id, event_name) = match key {
            ReportKey::All => (None, None),
            ReportKey::Subscription(id) => (Some(id.into()), None),
            ReportKey::Event(name) => (None, Some(name)),
        };
        Self {
            period: period.into(),
            subscription_id,
            title,
            event_name,
            events_accepted: has_events.then_some(counts.events_accepted),
            events_unmatched: has_events.then_some(counts.events_unmatched),
            deliveries_accepted: counts.deliveries_accepted,
            succeeded_first: counts.succeeded_first,
            succeeded_later: counts.succeeded_later,
            pending: counts.pending(),
            exhausted: counts.exhausted,
            canceled: counts.canceled,
            resends: counts.resends,
            attempts: (&counts).into(),
            response_time_ms: counts.response_time_ms().map(Into::into),
            first_attempt_ms: counts.first_attempt_ms().map(Into::into),
        }
    }
}

impl From<&Counts> for AttemptCounts {
    fn from(counts: &Counts) -> Self {
        // In the order of `AttemptClass::ALL`.
        let [
            status_1xx,
            status_2xx,
            status_3xx,
            status_4xx,
            status_5xx,
            other,
            dns,
            connect,
            tls,
            timeout,
            protocol,
            blocked,
            template,
            auth,
            interrupted,
        ] = counts.attempts;
        Self {
            status_1xx,
            status_2xx,
            status_3xx,
            status_4xx,
            status_5xx,
            other,
            dns,
            connect,
            tls,
            timeout,
            protocol,
            blocked,
            template,
            auth,
            interrupted,
        }
    }
}

impl From<report::Percentiles> for Percentiles {
    fn from(report::Percentiles { p50, p95, p99 }: report::Percentiles) -> Self {
        Self { p50, p95, p99 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loanhook_core::model::report::AttemptClass;

    #[test]
    fn each_class_of_attempts_is_shown_by_its_name() {
        for class in AttemptClass::ALL {
            let mut counts = Counts::default();
            counts.count_attempt(class);
            let shown = serde_json::to_value(AttemptCounts::from(&counts)).expect("JSON");
            let found: Vec<_> =
                shown.as_object().expect("an object").iter().filter(|(_, count)| **count == 1).collect();
            assert_eq!(found, [(&class.name().to_owned(), &1.into())]);
        }
    }
}
