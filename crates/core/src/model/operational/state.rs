//! Operational state of a subscription: what was told of it, and what is still to be told.
//!
//! An engine keeps the state of a subscription that fails, has exhausted deliveries or a certificate of which notice was given,
//! and changes it in the step that stores what happened. The default is that of one of which there is nothing to tell: it need
//! not be stored.

use std::time::Duration;

use super::facts::Facts;
use super::{AttemptEnd, CertificateNotice, EndOutcome, OperationalEvent, OperationalKind, Subject};
use crate::model::flow::EndedHold;
use crate::model::id::TraceId;
use crate::model::subscription::ClientCertificate;
use crate::model::time::Timestamp;

/// At so many failures in a row it is told that a subscription fails.
pub(super) const TOLD_AT_FAILURES: u32 = 4;
/// How long exhausted deliveries of a subscription are gathered before they are told.
pub const EXHAUSTED_WINDOW: Duration = Duration::from_secs(5 * 60);
/// So many traces of exhausted deliveries are told, the first ones.
pub const MAX_TOLD_TRACES: usize = 20;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperationalState {
    /// Failures in a row; none since a success.
    pub failing: Option<FailingRun>,
    /// Exhausted deliveries that were not told yet.
    pub exhausted: Option<ExhaustedWindow>,
    /// The last notice of its client certificate.
    pub certificate: Option<CertificateNotice>,
}

/// Failures in a row of all attempts of a subscription, automatic and manual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailingRun {
    /// Up to that at which it is told: beyond it nothing changes.
    pub count: u32,
    /// The end of the first.
    pub since: Timestamp,
}

impl FailingRun {
    /// Whether it was told that the subscription fails.
    pub const fn is_told(&self) -> bool {
        self.count >= TOLD_AT_FAILURES
    }
}

/// Deliveries whose schedules ended without success, gathered since the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExhaustedWindow {
    pub opened_at: Timestamp,
    /// The title of the subscription then.
    pub title: String,
    pub count: u32,
    /// The first of them, in the order in which they ended.
    pub traces: Vec<TraceId>,
}

impl OperationalState {
    /// Whether there is nothing to keep.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Takes in the end of an attempt; `ended_hold` is the hold that its success ended, where that is known here. Gives at most one
    /// event, whether it tells of failures or of a hold that are over.
    pub fn record_end(
        &mut self,
        subject: &Subject,
        end: AttemptEnd,
        ended_hold: Option<EndedHold>,
    ) -> Option<OperationalEvent> {
        if end.succeeded() {
            let failing_since = self.failing.take().filter(FailingRun::is_told).map(|run| run.since);
            let held_since = ended_hold.map(|hold| hold.since);
            let recovered = failing_since.is_some() || held_since.is_some();
            return recovered.then(|| recovered_event(subject, end.ended_at, failing_since, held_since));
        }
        let run = self.failing.get_or_insert(FailingRun { count: 0, since: end.ended_at });
        if run.is_told() {
            return None;
        }
        run.count += 1;
        run.since = run.since.min(end.ended_at);
        let run = *run;
        run.is_told().then(|| failing_event(subject, run, end))
    }

    /// Takes in that the schedule of a delivery ended without success. A resend that succeeds later takes nothing back: the schedule
    /// did end. Where the open window, as long as `window`, had ended by then, it is told, and this one opens the next.
    pub fn record_exhausted(
        &mut self,
        subject: &Subject,
        (trace, at): (TraceId, Timestamp),
        window: Duration,
    ) -> Option<OperationalEvent> {
        let told = self.end_window(subject, window, at);
        let open = self.exhausted.get_or_insert_with(|| ExhaustedWindow {
            opened_at: at,
            title: subject.title.clone(),
            count: 0,
            traces: Vec::new(),
        });
        open.count = open.count.saturating_add(1);
        if open.traces.len() < MAX_TOLD_TRACES {
            open.traces.push(trace);
        }
        told
    }

    /// Ends the window of exhausted deliveries, if it has ended by then, and gives what it tells.
    fn end_window(&mut self, subject: &Subject, window: Duration, at: Timestamp) -> Option<OperationalEvent> {
        let ended = self.exhausted.take_if(|open| open.opened_at + window <= at);
        ended.map(|ended| exhausted_event(subject, &ended, window))
    }

    /// What time has brought by `now`: a window that is as long as `window` ends, and notice of the client certificate is given.
    pub fn advance(
        &mut self,
        subject: &Subject,
        certificate: Option<&ClientCertificate>,
        window: Duration,
        now: Timestamp,
    ) -> Vec<OperationalEvent> {
        let exhausted = self.end_window(subject, window, now);
        if certificate.is_none() {
            self.certificate = None;
        }
        let notice = certificate.and_then(|certificate| self.give_notice(subject, certificate, now));
        exhausted.into_iter().chain(notice).collect()
    }

    /// When [`advance`](Self::advance) has something to do next; none where nothing is to come.
    pub fn next_due(&self, certificate: Option<&ClientCertificate>, window: Duration) -> Option<Timestamp> {
        let notice = certificate.and_then(|certificate| self.next_notice(certificate));
        Timestamp::first_of(self.window_end(window), notice)
    }

    /// When the exhausted deliveries that are gathered are told, in a window as long as `window`; none where there are none.
    pub fn window_end(&self, window: Duration) -> Option<Timestamp> {
        self.exhausted.as_ref().map(|open| open.opened_at + window)
    }

    /// The subscription was deleted: it neither fails nor recovers, and what was exhausted is still told.
    pub fn forget_receiver(&mut self) {
        (self.failing, self.certificate) = (None, None);
    }

    /// The same by a clock that was set by so many milliseconds.
    #[must_use]
    pub fn shifted(mut self, millis: i64) -> Self {
        if let Some(run) = &mut self.failing {
            run.since = run.since.plus_millis(millis);
        }
        if let Some(window) = &mut self.exhausted {
            window.opened_at = window.opened_at.plus_millis(millis);
        }
        self
    }
}

impl OperationalEvent {
    /// A success ended a hold; for who sees the hold without the attempt. The event is the one of
    /// [`OperationalState::record_end`] where that saw the same success.
    pub fn recovered_from_hold(subject: &Subject, ended: EndedHold) -> Self {
        recovered_event(subject, ended.at, None, Some(ended.since))
    }
}

pub(super) fn failing_event(subject: &Subject, run: FailingRun, end: AttemptEnd) -> OperationalEvent {
    let kind = OperationalKind::SubscriptionFailing;
    let (code, error) = match end.outcome {
        EndOutcome::Answered(code) => (Some(code), None),
        EndOutcome::Unanswered(kind) => (None, Some(kind)),
        EndOutcome::Succeeded => (None, None),
    };
    let facts = Facts::of_kind(kind, Some(subject), end.ended_at)
        .with("failures-in-a-row", run.count)
        .with("since", run.since.to_string())
        .with("last-response-code", code)
        .with("last-error", error);
    OperationalEvent::of_subject(kind, subject, end.ended_at, &[&end.attempt.to_string()], facts)
}

fn recovered_event(
    subject: &Subject,
    at: Timestamp,
    failing_since: Option<Timestamp>,
    held_since: Option<Timestamp>,
) -> OperationalEvent {
    let kind = OperationalKind::SubscriptionRecovered;
    let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let facts = Facts::of_kind(kind, Some(subject), at)
        .with("failing-since", text(failing_since))
        .with("held-since", text(held_since));
    OperationalEvent::of_subject(kind, subject, at, &[&at.millis().to_string()], facts)
}

pub(super) fn exhausted_event(
    subject: &Subject,
    ended: &ExhaustedWindow,
    length: Duration,
) -> OperationalEvent {
    let kind = OperationalKind::DeliveryExhausted;
    let (from, to) = (ended.opened_at, ended.opened_at + length);
    let subject = Subject { title: ended.title.clone(), ..subject.clone() };
    let facts = Facts::of_kind(kind, Some(&subject), to)
        .with("count", ended.count)
        .with("trace-ids", ended.traces.iter().map(ToString::to_string).collect::<Vec<_>>())
        .with("from", from.to_string())
        .with("to", to.to_string());
    let first = ended.traces.first().map(ToString::to_string).unwrap_or_default();
    OperationalEvent::of_subject(kind, &subject, to, &[&first], facts)
}
