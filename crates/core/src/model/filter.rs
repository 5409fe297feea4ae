//! Filter of a loan's history: which rows pass.

use std::time::Duration;

use super::attempt::{Attempt, AttemptNumber, MAX_RESEND_WAIT, Outcome};
use super::failure::ErrorKind;
use super::id::{AttemptId, SubscriptionId, TraceId};
use super::subscription::Method;
use super::time::Timestamp;

/// How far the clocks of two senders may differ.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// The filters of a history, all of which a row must pass. The default lets every row pass.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistoryFilter {
    pub event_title: Option<String>,
    pub event_name: Option<String>,
    pub subscription_id: Option<SubscriptionId>,
    pub trace_id: Option<TraceId>,
    pub method: Option<Method>,
    pub outcome: Option<Outcome>,
    pub response_code: Option<CodeFilter>,
    pub error: Option<ErrorKind>,
    pub attempt: Option<AttemptFilter>,
    /// The first moment a row may be sent at.
    pub from: Option<Timestamp>,
    /// The moment before which a row must be sent.
    pub to: Option<Timestamp>,
}

/// One response code (`404`) or a class of them (`4xx`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeFilter {
    Exact(u16),
    Class(u16),
}

impl CodeFilter {
    pub const fn matches(self, code: u16) -> bool {
        match self {
            Self::Exact(wanted) => code == wanted,
            Self::Class(class) => code / 100 == class,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptFilter {
    Auto,
    Manual,
    Number(u32),
}

impl HistoryFilter {
    pub fn matches(&self, row: &Attempt) -> bool {
        let code = row.completion().and_then(|completion| completion.result.as_ref().ok());
        let error = row.completion().and_then(|completion| completion.error());
        passes(self.event_title.as_ref(), |title| *title == row.event_title)
            && passes(self.event_name.as_ref(), |name| *name == row.event_name)
            && passes(self.subscription_id, |id| id == row.subscription_id)
            && passes(self.trace_id, |id| id == row.trace_id)
            && passes(self.method, |method| method == row.method)
            && passes(self.outcome, |outcome| outcome == row.outcome())
            && passes(self.error, |kind| error.is_some_and(|error| error.kind == kind))
            && passes(self.from, |from| row.sent_at >= from)
            && passes(self.to, |to| row.sent_at < to)
            && passes(self.response_code, |filter| code.is_some_and(|code| filter.matches(*code)))
            && passes(self.attempt, |filter| match (filter, row.number) {
                (AttemptFilter::Auto, AttemptNumber::Auto(_)) => true,
                (AttemptFilter::Manual, AttemptNumber::Manual) => true,
                (AttemptFilter::Number(wanted), AttemptNumber::Auto(number)) => wanted == number,
                _ => false,
            })
    }

    /// Every row that passes has an ID from the first to before the second. A row's ID has the time it
    /// was asked for; it was sent then or, a resend, up to 15 minutes later.
    pub fn bounds(&self) -> (Option<AttemptId>, Option<AttemptId>) {
        let oldest = self.from.map(|from| AttemptId::first_at(from.minus(MAX_RESEND_WAIT + CLOCK_SKEW)));
        let newest = self.to.map(|to| AttemptId::first_at(to + CLOCK_SKEW));
        (oldest, newest)
    }
}

/// Whether a filter lets something pass: one that is not set lets everything pass.
pub(crate) fn passes<T>(filter: Option<T>, test: impl FnOnce(T) -> bool) -> bool {
    filter.is_none_or(test)
}
