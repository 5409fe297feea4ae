//! Checks of deliveries over the HTTP interface: those that ran out of retries, and those that are late.
//!
//! Lists are by the time of acceptance, from which a delivery ends or is due up to 30 days later: so long a schedule may be.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;

use super::api::{items, read};
use super::report::Report;
use crate::client::{ApiClient, Call, MAX_ITEMS_PER_PAGE};
use crate::error::CommandResult;
use crate::terminal::format::{count, parse_time};

/// A delivery that is due for longer is late.
const MAX_LATENESS: TimeDelta = TimeDelta::seconds(60);
/// A day more than the longest schedule.
const LOOKED_AT_DAYS: i64 = 31;
/// How many pages of a list are looked at.
const MAX_PAGES: usize = 20;

/// Deliveries that ran out of retries in the last 24 hours, and those that are late.
pub(super) async fn check(client: &ApiClient, report: &mut Report) -> CommandResult {
    let now = DateTime::<Utc>::from(SystemTime::now());
    if let Some(failed) = list(client, "failed", "exhausted", now, report).await? {
        let number = failed.deliveries.iter().filter(|delivery| ended_of_late(delivery, now)).count();
        let at_least = if failed.is_complete { "" } else { "at least " };
        match number {
            0 if failed.is_complete => report.well("exhausted", "none in the last 24 hours"),
            0 => report.unknown("exhausted", failed.beginning("none of them in the last 24 hours")),
            number => report.needs_action(
                "exhausted",
                format!(
                    "{at_least}{} ran out of retries in the last 24 hours: `loanhook recover --since {LOOKED_AT_DAYS}d --dry-run`",
                    count(number, "delivery", "deliveries")
                ),
            ),
        }
    }
    if let Some(pending) = list(client, "pending", "due", now, report).await? {
        match pending.deliveries.iter().filter_map(|delivery| lateness(delivery, now)).max() {
            Some(late) if late > MAX_LATENESS => report.needs_action(
                "due",
                format!(
                    "a delivery has been due for {} s and waits for nothing but a sender",
                    late.num_seconds()
                ),
            ),
            _ if pending.is_complete => {
                let pending = count(pending.deliveries.len(), "pending delivery", "pending deliveries");
                report.well("due", format!("{pending}, none late"));
            }
            _ => report
                .unknown("due", pending.beginning("none of them is late; metrics and alarms say it of all")),
        }
    }
    Ok(())
}

/// Deliveries of a list, newest first.
struct Listed {
    deliveries: Vec<Value>,
    /// It is the whole list, as far back as is looked.
    is_complete: bool,
}

impl Listed {
    fn beginning(&self, what: &str) -> String {
        format!("there are too many: the newest {} were looked at, {what}", self.deliveries.len())
    }
}

/// The deliveries of a status, without test sends; none, which is reported, where they cannot be read.
async fn list(
    client: &ApiClient,
    status: &str,
    check: &'static str,
    now: DateTime<Utc>,
    report: &mut Report,
) -> CommandResult<Option<Listed>> {
    let from = now - TimeDelta::days(LOOKED_AT_DAYS);
    let call = Call::get(&["v1", "webhooks"])
        .query("status", Some(status))
        .query("test", Some(false))
        .query("from", Some(from.to_rfc3339_opts(SecondsFormat::Secs, true)))
        .query("limit", Some(MAX_ITEMS_PER_PAGE));
    let (mut deliveries, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..MAX_PAGES {
        let call = call.clone().query("cursor", cursor.as_ref());
        let Some(page) = read(client, &call, check, report).await? else { return Ok(None) };
        deliveries.extend_from_slice(items(&page));
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    Ok(Some(Listed { deliveries, is_complete: cursor.is_none() }))
}

/// Whether the newest attempt of a delivery was in the last 24 hours.
fn ended_of_late(delivery: &Value, now: DateTime<Utc>) -> bool {
    let sent = delivery["newestAttempt"]["sentAt"].as_str().and_then(parse_time);
    sent.is_some_and(|sent| now - sent <= TimeDelta::hours(24))
}

/// For how long a delivery has been due that waits for nothing.
fn lateness(delivery: &Value, now: DateTime<Utc>) -> Option<TimeDelta> {
    let due = delivery["nextAttemptAt"].as_str().and_then(parse_time)?;
    delivery["waiting"].is_null().then(|| now - due)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_delivery_counts_by_its_newest_attempt_and_is_late_by_its_next() {
        let now = parse_time("2026-11-23T10:00:00Z").expect("a time");
        // Accepted long before: the default schedule takes more than a day.
        let exhausted = |sent: Value| json!({"acceptedAt": "2026-11-21T06:00:00Z", "newestAttempt": sent});
        for (attempt, expected) in [
            (json!({"sentAt": "2026-11-23T09:30:00Z"}), true),
            (json!({"sentAt": "2026-11-22T10:00:00Z"}), true),
            (json!({"sentAt": "2026-11-22T09:59:59Z"}), false),
            (Value::Null, false),
        ] {
            assert_eq!(ended_of_late(&exhausted(attempt.clone()), now), expected, "{attempt}");
        }
        let pending = |due: Value, waiting: Value| json!({"nextAttemptAt": due, "waiting": waiting});
        for (due, waiting, expected) in [
            (json!("2026-11-23T09:58:00Z"), Value::Null, Some(120)),
            (json!("2026-11-23T09:58:00Z"), json!({"reason": "hold"}), None),
            (json!("2026-11-23T10:05:00Z"), Value::Null, Some(-300)),
            (Value::Null, Value::Null, None),
        ] {
            let late = lateness(&pending(due, waiting), now).map(|late| late.num_seconds());
            assert_eq!(late, expected);
        }
    }
}
