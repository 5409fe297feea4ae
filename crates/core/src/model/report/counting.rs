//! Counting: what a change of the history adds to the counts.
//!
//! An engine calls these functions with what it stored before and what it stores now, in the step that stores it, and adds
//! what they give. A change that is not stored, since somebody else's came first, is not counted either.

use super::attempt_class::AttemptClass;
use super::counts::{CountChange, CountGroup, Counts};
use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;
use crate::model::id::LoanId;
use crate::model::ledger::LedgerEvent;
use crate::model::progress::Status;
use crate::model::time::Timestamp;

/// The attempt whose success is `succeededFirst`.
const FIRST_NUMBER: u32 = 1;

/// What is counted: all that was accepted or sent at or after a moment. A store that is older than its counts has one, or
/// deliveries would end that were never counted as accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counting {
    since: Option<Timestamp>,
}

impl Counting {
    /// Everything is counted.
    pub const ALL: Self = Self { since: None };

    pub const fn since(moment: Timestamp) -> Self {
        Self { since: Some(moment) }
    }

    /// The moment since which is counted; none where everything is.
    pub const fn counted_since(self) -> Option<Timestamp> {
        self.since
    }

    /// What was accepted or sent then, of this loan: test sends and operational events are no events of a loan.
    fn counts(self, at: Timestamp, test: bool, loan: &LoanId) -> bool {
        !test && !loan.is_operational() && self.since.is_none_or(|since| since <= at)
    }

    /// An event was accepted.
    pub fn event(self, event: &LedgerEvent) -> Option<CountChange> {
        if !self.counts(event.accepted_at, event.test, &event.loan_id) {
            return None;
        }
        let counts = Counts {
            events_accepted: 1,
            events_unmatched: i64::from(event.traces().next().is_none()),
            ..Counts::default()
        };
        let group = CountGroup {
            tenant: event.tenant.clone(),
            hour: event.accepted_at.to_the_hour(),
            subscription: None,
            event_name: event.name.clone(),
        };
        Some(CountChange { group, counts })
    }

    /// An event that was stored is taken away again, as it was not accepted after all.
    pub fn event_taken_back(self, event: &LedgerEvent) -> Option<CountChange> {
        let mut change = self.event(event)?;
        for count in change.counts.scalars_mut() {
            *count = -*count;
        }
        Some(change)
    }

    /// A delivery that was stored as `before` is stored as `after` now; none where it is not stored.
    pub fn delivery(self, before: Option<&Delivery>, after: Option<&Delivery>) -> Option<CountChange> {
        let snapshot = &before.or(after)?.snapshot;
        if !self.counts(snapshot.accepted_at, snapshot.test, &snapshot.loan_id) {
            return None;
        }
        let mut counts = Counts {
            deliveries_accepted: i64::from(after.is_some()) - i64::from(before.is_some()),
            ..Counts::default()
        };
        let (was, is) = (before.and_then(end), after.and_then(end));
        if was != is {
            if let Some(was) = was {
                *was.count(&mut counts, before, None) -= 1;
            }
            if let (Some(is), Some(after)) = (is, after) {
                *is.count(&mut counts, before, Some(after)) += 1;
            }
        }
        if let Some(waited) = first_attempt(before, after) {
            counts.first_attempt.record(waited);
        }
        let group = CountGroup {
            tenant: snapshot.tenant.clone(),
            hour: snapshot.accepted_at.to_the_hour(),
            subscription: Some(snapshot.subscription_id),
            event_name: snapshot.event_name.clone(),
        };
        (counts != Counts::default()).then_some(CountChange { group, counts })
    }

    /// A row that was stored as `before` is stored as `after` now. A row that is taken away was never counted, as nothing
    /// was sent for it.
    pub fn attempt(self, before: Option<&Attempt>, after: &Attempt) -> impl Iterator<Item = CountChange> {
        let before = before.filter(|row| self.counts(row.sent_at, row.test, &row.loan_id));
        let after = Some(after).filter(|row| self.counts(row.sent_at, row.test, &row.loan_id));
        let hour = |row: &Attempt| row.sent_at.to_the_hour();
        // A resend that waited until another hour began is sent in that.
        let moves = before.map(hour) != after.map(hour);
        let leaves = before.filter(|row| row.is_manual() && moves).map(|row| {
            let counts = Counts { resends: -1, ..Counts::default() };
            CountChange { group: group_of(row), counts }
        });
        let ended = |row: &&Attempt| row.completion().is_some();
        let comes = after.and_then(|row| {
            let resends = i64::from(row.is_manual() && moves);
            let mut counts = Counts { resends, ..Counts::default() };
            if let Some(completion) = row.completion().filter(|_| !before.as_ref().is_some_and(ended)) {
                counts.count_attempt(AttemptClass::of(completion));
                if let Some(millis) = completion.response_time_ms {
                    counts.record_response_time(millis);
                }
            }
            (counts != Counts::default()).then(|| CountChange { group: group_of(row), counts })
        });
        leaves.into_iter().chain(comes)
    }
}

fn group_of(row: &Attempt) -> CountGroup {
    CountGroup {
        tenant: row.tenant.clone(),
        hour: row.sent_at.to_the_hour(),
        subscription: Some(row.subscription_id),
        event_name: row.event_name.clone(),
    }
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Succeeded,
    Exhausted,
    Canceled,
}

fn end(delivery: &Delivery) -> Option<End> {
    match delivery.progress.status() {
        Status::Pending => None,
        Status::Succeeded => Some(End::Succeeded),
        Status::Failed => Some(End::Exhausted),
        Status::Canceled => Some(End::Canceled),
    }
}

impl End {
    /// The count of deliveries that ended so. A success is the first attempt's if that was in flight before it, unless the
    /// attempt failed and a resend is what delivered.
    fn count<'a>(
        self,
        counts: &'a mut Counts,
        before: Option<&Delivery>,
        after: Option<&Delivery>,
    ) -> &'a mut i64 {
        let in_flight = before.and_then(|delivery| delivery.progress.in_flight());
        let first = in_flight.is_some_and(|claim| claim.number == FIRST_NUMBER);
        let by_resend = after.is_some_and(|delivery| delivery.history.delivered_by_resend);
        match self {
            Self::Succeeded if first && !by_resend => &mut counts.succeeded_first,
            Self::Succeeded => &mut counts.succeeded_later,
            Self::Exhausted => &mut counts.exhausted,
            Self::Canceled => &mut counts.canceled,
        }
    }
}

/// How many milliseconds a delivery waited for its first automatic attempt, where that ended with this change. One whose
/// claim was given back was no attempt: then its row is not the delivery's newest any more.
fn first_attempt(before: Option<&Delivery>, after: Option<&Delivery>) -> Option<u64> {
    let (before, after) = (before?, after?);
    let claim = before.progress.in_flight().filter(|claim| claim.number == FIRST_NUMBER)?;
    let in_flight = after.progress.in_flight_under(claim.token).is_some();
    let stands = after.history.newest_attempt >= Some(claim.attempt_id);
    (!in_flight && stands).then(|| {
        let waited = claim.since.since(before.snapshot.accepted_at).as_millis();
        u64::try_from(waited).unwrap_or(u64::MAX)
    })
}
