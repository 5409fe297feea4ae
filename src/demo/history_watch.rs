//! The history of the demo's deliveries while it grows: one line for each attempt that has ended.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::client::{ApiClient, Call, Delivery, MAX_ITEMS_PER_PAGE, Row, decode};
use crate::error::CommandResult;
use crate::terminal::format::{clean, parse_time};
use crate::terminal::output::{self, FAILURE_STYLE, HEADING_STYLE, PENDING_STYLE, SUCCESS_STYLE, styled};

/// The deliveries that were accepted, and what is known of them.
#[derive(Default)]
pub(super) struct HistoryWatch {
    loans: BTreeSet<String>,
    /// Trace IDs and statuses, in the order of acceptance.
    statuses: Vec<(String, Status)>,
    /// The attempts that have ended, by ID.
    ended: HashMap<String, Row>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Succeeded,
    Failed,
}

impl HistoryWatch {
    pub(super) fn add_deliveries(&mut self, loan: String, trace_ids: impl Iterator<Item = String>) {
        self.loans.insert(loan);
        self.statuses.extend(trace_ids.map(|trace| (trace, Status::Pending)));
    }

    pub(super) fn all_have_ended(&self) -> bool {
        self.statuses().all(|status| status != Status::Pending)
    }

    pub(super) fn statuses(&self) -> impl Iterator<Item = Status> {
        self.statuses.iter().map(|(_, status)| *status)
    }

    /// The trace IDs of the deliveries that failed, in the order of acceptance.
    pub(super) fn failed(&self) -> Vec<String> {
        let failed = self.statuses.iter().filter(|(_, status)| *status == Status::Failed);
        failed.map(|(trace, _)| trace.clone()).collect()
    }

    /// The attempts that have ended.
    pub(super) fn attempts(&self) -> impl Iterator<Item = &Row> {
        self.ended.values()
    }

    /// The event title of a delivery, once an attempt of it has ended.
    pub(super) fn title(&self, trace: &str) -> Option<&str> {
        self.attempts().find(|row| row.trace_id == trace).map(|row| row.event_title.as_str())
    }

    /// Fetches the histories of all loans, prints the attempts that have ended since the last call, and fetches the
    /// status of the deliveries that seem to have ended.
    pub(super) async fn poll(&mut self, client: &ApiClient) -> CommandResult {
        let mut newly_ended = Vec::new();
        for loan in &self.loans {
            let rows = fetch_history(client, loan).await?;
            newly_ended
                .extend(rows.into_iter().filter(|row| row.has_ended() && !self.ended.contains_key(&row.id)));
        }
        newly_ended.sort_by_key(ended_at);
        for row in newly_ended {
            output::line(line(&row))?;
            self.ended.insert(row.id.clone(), row);
        }
        for trace in self.pending_without_next_attempt() {
            self.fetch_status(client, &trace).await?;
        }
        Ok(())
    }

    /// The pending deliveries with an attempt after which no other is due.
    fn pending_without_next_attempt(&self) -> Vec<String> {
        let last = self.attempts().filter(|row| row.next_attempt_at.is_none());
        let seem_ended: HashSet<_> = last.map(|row| row.trace_id.as_str()).collect();
        let pending = self.statuses.iter().filter(|(_, status)| *status == Status::Pending);
        pending
            .filter(|(trace, _)| seem_ended.contains(trace.as_str()))
            .map(|(trace, _)| trace.clone())
            .collect()
    }

    /// Fetches the status of a delivery.
    pub(super) async fn fetch_status(&mut self, client: &ApiClient, trace: &str) -> CommandResult {
        let call = Call::get(&["v1", "webhooks", trace]).query("limit", Some(1));
        let delivery: Delivery = client.fetch(&call).await?;
        let status = match delivery.status.as_str() {
            "pending" => Status::Pending,
            "succeeded" => Status::Succeeded,
            _ => Status::Failed,
        };
        self.statuses.iter_mut().filter(|(other, _)| other == trace).for_each(|entry| entry.1 = status);
        Ok(())
    }

    pub(super) fn print_head(&self) -> CommandResult {
        let head = columns("Loan", "Event Title", "#", "Response", "Time", "Then");
        output::line(format_args!("\n{}", styled(HEADING_STYLE, head)))
    }
}

async fn fetch_history(client: &ApiClient, loan: &str) -> CommandResult<Vec<Row>> {
    let call = Call::get(&["v1", "loans", loan, "webhooks"]).query("limit", Some(MAX_ITEMS_PER_PAGE));
    let items = client.fetch_all_items(&call).await?;
    items.iter().map(|item| decode(item.get().as_bytes())).collect()
}

fn line(row: &Row) -> String {
    let (style, then) = match (row.succeeded(), seconds_to_next_attempt(row)) {
        (true, _) => (SUCCESS_STYLE, "delivered".to_owned()),
        (false, Some(seconds)) => (PENDING_STYLE, format!("again in {seconds} s")),
        (false, None) => (FAILURE_STYLE, "given up".to_owned()),
    };
    let time = row.response_time_ms.map(|ms| format!("{ms:.0} ms")).unwrap_or_default();
    let loan = row.loan_id.as_deref().unwrap_or("-");
    let columns = columns(loan, &row.event_title, &row.attempt_number(), &row.result(), &time, &then);
    styled(style, columns)
}

fn columns(loan: &str, title: &str, attempt: &str, result: &str, time: &str, then: &str) -> String {
    let line = format!("{loan:5} {title:36} {attempt:6} {result:9} {time:>8}  {then}");
    clean(line.trim_end())
}

/// The seconds, rounded, from the end of an attempt to the next one.
fn seconds_to_next_attempt(row: &Row) -> Option<i64> {
    let next = parse_time(row.next_attempt_at.as_deref()?)?;
    let milliseconds = (next - ended_at(row)?).num_milliseconds();
    Some(milliseconds.max(0).saturating_add(500) / 1_000)
}

fn ended_at(row: &Row) -> Option<DateTime<Utc>> {
    let response_time_ms = row.response_time_ms.unwrap_or_default();
    Some(parse_time(&row.sent_at)? + TimeDelta::microseconds((response_time_ms * 1_000.0) as i64))
}
