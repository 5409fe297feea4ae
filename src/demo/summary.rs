//! The summary of the demo: how many events, deliveries and attempts there were.

use std::collections::HashSet;

use super::history_watch::{HistoryWatch, Status};
use crate::error::CommandResult;
use crate::terminal::format::count;
use crate::terminal::{output, table};

pub(super) struct Summary {
    events: usize,
    deliveries: usize,
    delivered: usize,
    attempts: usize,
    resends: usize,
    /// Deliveries with an automatic retry.
    retried: usize,
    /// Deliveries that failed after their last retry.
    exhausted: usize,
    /// Exhausted deliveries that a resend delivered.
    recovered: usize,
}

impl Summary {
    /// `exhausted` are the deliveries that had failed before one was resent.
    pub(super) fn new(events: usize, watch: &HistoryWatch, exhausted: &[String]) -> Self {
        let is_retry = |attempt_number: &str| attempt_number.parse().is_ok_and(|number: u32| number > 1);
        let retried: HashSet<_> = watch
            .attempts()
            .filter(|row| is_retry(&row.attempt_number()))
            .map(|row| row.trace_id.as_str())
            .collect();
        Self {
            events,
            deliveries: watch.statuses().count(),
            delivered: watch.statuses().filter(|status| *status == Status::Succeeded).count(),
            attempts: watch.attempts().count(),
            resends: watch.attempts().filter(|row| row.manual).count(),
            retried: retried.len(),
            exhausted: exhausted.len(),
            recovered: exhausted.len() - watch.failed().len(),
        }
    }

    pub(super) fn print(&self) -> CommandResult {
        let deliveries = count(self.deliveries, "delivery", "deliveries");
        let exhausted = count(self.exhausted, "delivery", "deliveries");
        let exhausted = format!("{exhausted}, {} of them delivered since by a resend", self.recovered);
        output::line("")?;
        table::details([
            ("accepted", Some(format!("{}, {deliveries}", count(self.events, "event", "events")))),
            ("delivered", Some(count(self.delivered, "delivery", "deliveries"))),
            ("attempts", Some(format!("{}, {} of them manual", self.attempts, self.resends))),
            ("retried", Some(count(self.retried, "delivery", "deliveries"))),
            ("exhausted", Some(exhausted)),
        ])
    }
}
