//! The history as it grows: a line for each attempt when it has ended.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::Outcome;
use crate::client::{Call, Client, Delivery, Page, Row, decode};
use crate::terminal::format::clean;
use crate::terminal::output;
use crate::terminal::output::{BAD, GOOD, STRONG, WAITING, styled};

/// What is known of the deliveries that were promised.
#[derive(Default)]
pub(super) struct Watch {
    loans: BTreeSet<String>,
    /// The status by trace ID, in the order in which they were promised.
    statuses: Vec<(String, Status)>,
    /// The attempts that have ended, by their IDs.
    ended: HashMap<String, Row>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Succeeded,
    Failed,
}

impl Watch {
    /// Watches these deliveries of a loan too.
    pub(super) fn expect(&mut self, loan: String, traces: impl Iterator<Item = String>) {
        self.loans.insert(loan);
        self.statuses.extend(traces.map(|trace| (trace, Status::Pending)));
    }

    pub(super) fn all_settled(&self) -> bool {
        self.statuses().all(|status| status != Status::Pending)
    }

    pub(super) fn statuses(&self) -> impl Iterator<Item = Status> {
        self.statuses.iter().map(|(_, status)| *status)
    }

    /// The trace IDs of the deliveries that failed, in the order in which they were promised.
    pub(super) fn failed(&self) -> Vec<String> {
        let failed = self.statuses.iter().filter(|(_, status)| *status == Status::Failed);
        failed.map(|(trace, _)| trace.clone()).collect()
    }

    /// The attempts that have ended.
    pub(super) fn attempts(&self) -> impl Iterator<Item = &Row> {
        self.ended.values()
    }

    /// The title under which a delivery was sent.
    pub(super) fn title(&self, trace: &str) -> Option<&str> {
        self.attempts().find(|row| row.trace_id == trace).map(|row| row.event_title.as_str())
    }

    /// Reads the loans' histories, prints what has ended since, and asks how the deliveries stand whose
    /// last attempt that seems to be.
    pub(super) async fn look(&mut self, client: &Client) -> Outcome {
        let mut news = Vec::new();
        for loan in &self.loans {
            let rows = history(client, loan).await?;
            news.extend(rows.into_iter().filter(|row| row.is_settled() && !self.ended.contains_key(&row.id)));
        }
        news.sort_by_key(ended_at);
        for row in news {
            output::line(line(&row))?;
            self.ended.insert(row.id.clone(), row);
        }
        for trace in self.seem_over() {
            self.refresh(client, &trace).await?;
        }
        Ok(())
    }

    /// The pending deliveries of which no further attempt is announced.
    fn seem_over(&self) -> Vec<String> {
        let last = self.attempts().filter(|row| row.next_attempt_at.is_none());
        let over: HashSet<_> = last.map(|row| row.trace_id.as_str()).collect();
        let pending = self.statuses.iter().filter(|(_, status)| *status == Status::Pending);
        pending.filter(|(trace, _)| over.contains(trace.as_str())).map(|(trace, _)| trace.clone()).collect()
    }

    /// Asks how a delivery stands.
    pub(super) async fn refresh(&mut self, client: &Client, trace: &str) -> Outcome {
        let delivery: Delivery =
            client.read(&Call::get(&["v1", "webhooks", trace]).query("limit", Some(1))).await?;
        let status = match delivery.status.as_str() {
            "pending" => Status::Pending,
            "succeeded" => Status::Succeeded,
            _ => Status::Failed,
        };
        self.statuses.iter_mut().filter(|(other, _)| other == trace).for_each(|entry| entry.1 = status);
        Ok(())
    }

    pub(super) fn print_head(&self) -> Outcome {
        let head = columns("Loan", "Event Title", "#", "Response", "Time", "Then");
        output::line(format_args!("\n{}", styled(STRONG, head)))
    }
}

async fn history(client: &Client, loan: &str) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let call = Call::get(&["v1", "loans", loan, "webhooks"])
            .query("limit", Some(200))
            .query("cursor", cursor.as_ref());
        let page: Page = client.read(&call).await?;
        for item in page.items {
            rows.push(decode(item.get().as_bytes())?);
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(rows);
        }
    }
}

fn line(row: &Row) -> String {
    let (style, then) = match (row.succeeded(), wait(row)) {
        (true, _) => (GOOD, "delivered".to_owned()),
        (false, Some(wait)) => (WAITING, format!("again in {wait} s")),
        (false, None) => (BAD, "given up".to_owned()),
    };
    let time = row.response_time_ms.map(|ms| format!("{ms:.0} ms")).unwrap_or_default();
    styled(style, columns(&row.loan_id, &row.event_title, &row.attempt(), &row.result(), &time, &then))
}

fn columns(loan: &str, title: &str, attempt: &str, result: &str, time: &str, then: &str) -> String {
    let line = format!("{loan:5} {title:36} {attempt:6} {result:9} {time:>8}  {then}");
    clean(line.trim_end())
}

/// The seconds between the attempt's end and the next one.
fn wait(row: &Row) -> Option<i64> {
    let next = parsed(row.next_attempt_at.as_deref()?)?;
    let milliseconds = (next - ended_at(row)?).num_milliseconds();
    Some(milliseconds.max(0).saturating_add(500) / 1_000)
}

fn ended_at(row: &Row) -> Option<DateTime<Utc>> {
    let took = row.response_time_ms.unwrap_or_default();
    Some(parsed(&row.sent_at)? + TimeDelta::microseconds((took * 1_000.0) as i64))
}

fn parsed(rfc3339: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(rfc3339).ok().map(|time| time.to_utc())
}
