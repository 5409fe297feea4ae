//! Rows of the printed report: those of the answer, added up over all periods unless each row is a period.

use super::By;
use crate::client::{Report, ReportItem};
use crate::terminal::format::{clean, short_id, time};

/// One row, with counts as the API names them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    /// Those accepted, and of these those without a delivery; none where they are not counted.
    pub(super) events: Option<(i64, i64)>,
    pub(super) deliveries: i64,
    pub(super) first: i64,
    pub(super) later: i64,
    pub(super) pending: i64,
    pub(super) exhausted: i64,
    pub(super) canceled: i64,
    pub(super) attempts: i64,
    pub(super) resends: i64,
}

/// The rows: periods in their order, groups with most deliveries first.
pub(super) fn rows(by: By, report: &Report) -> Vec<Row> {
    let mut rows: Vec<(&str, Row)> = Vec::new();
    for item in &report.items {
        let key = match by {
            By::Subscription => item.subscription_id.as_deref().unwrap_or_default(),
            By::Event => item.event_name.as_deref().unwrap_or_default(),
            By::Hour | By::Day => &item.period,
        };
        let index = rows.iter().position(|(of, _)| *of == key).unwrap_or_else(|| {
            rows.push((key, Row { name: name(by, item), ..Row::default() }));
            rows.len() - 1
        });
        rows[index].1.add(item);
    }
    let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    if matches!(by, By::Subscription | By::Event) {
        rows.sort_by(|one, other| other.deliveries.cmp(&one.deliveries).then(one.name.cmp(&other.name)));
    }
    rows
}

fn name(by: By, item: &ReportItem) -> String {
    match by {
        By::Subscription => match (&item.title, &item.subscription_id) {
            (Some(title), _) => clean(title),
            (None, Some(id)) => format!("{} (deleted)", short_id(id)),
            (None, None) => String::new(),
        },
        By::Event => clean(item.event_name.as_deref().unwrap_or_default()),
        By::Hour | By::Day => time(&item.period),
    }
}

impl Row {
    fn add(&mut self, item: &ReportItem) {
        let (accepted, unmatched) = self.events.unwrap_or_default();
        self.events =
            item.events_accepted.map(|of| (accepted + of, unmatched + item.events_unmatched.unwrap_or(0)));
        self.deliveries += item.deliveries_accepted;
        self.first += item.succeeded_first;
        self.later += item.succeeded_later;
        self.pending += item.pending;
        self.exhausted += item.exhausted;
        self.canceled += item.canceled;
        self.attempts += item.attempts.values().sum::<i64>();
        self.resends += item.resends;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn item(period: &str, id: &str, title: Option<&str>, deliveries: i64) -> Value {
        json!({"period": period, "subscriptionId": id, "title": title, "eventName": null, "eventsAccepted": null,
            "eventsUnmatched": null, "deliveriesAccepted": deliveries, "succeededFirst": deliveries, "succeededLater": 0,
            "pending": 0, "exhausted": 0, "canceled": 0, "resends": 1, "attempts": {"2xx": deliveries, "dns": 1},
            "responseTimeMs": null, "firstAttemptMs": null})
    }

    #[test]
    fn groups_are_added_up_over_periods_and_those_with_most_deliveries_come_first() {
        let (one, other) = ("2026-11-23T10:00:00.000Z", "2026-11-23T11:00:00.000Z");
        let deleted = "0193b2a4-0000-7000-8000-000000000001";
        let report = json!({"from": one, "to": other, "countedSince": null, "items": [
            item(one, "a", Some("Core\u{7}"), 1), item(one, deleted, None, 3), item(other, "a", Some("Core\u{7}"), 3)]});
        let report: Report = serde_json::from_value(report).expect("a report");
        let rows = |by| rows(by, &report).into_iter().map(|row| (row.name, row.deliveries, row.attempts));
        let by_subscription: Vec<_> = rows(By::Subscription).collect();
        assert_eq!(by_subscription, [("Core ".into(), 4, 6), ("…00000001 (deleted)".into(), 3, 4)]);
        let by_hour: Vec<_> = rows(By::Hour).collect();
        assert_eq!(by_hour, [("2026-11-23 10:00:00Z".into(), 4, 6), ("2026-11-23 11:00:00Z".into(), 3, 4)]);
    }
}
