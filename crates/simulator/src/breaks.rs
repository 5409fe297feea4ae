//! Deliberate errors of an engine, each of which a simulation must find. They stand around a sound engine, in
//! [`Store`](crate::store::Store), and around sound throttles, in [`Throttles`](crate::throttles::Throttles); only the simulator
//! knows of them.

use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::progress::{NextAttempt, Progress};
use loanhook_core::model::report::{CountChange, Counting};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{AcceptRequest, QueueMessage};
use loanhook_memory::State;
use uuid::Uuid;

use crate::rules::Rule;

/// A deliberate error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// An attempt that is in flight is claimed again.
    ClaimWithoutCondition,
    /// A claim ends before its row is put.
    ClaimWithoutRow,
    /// What was canceled is claimed.
    ClaimOfCanceled,
    /// A worker that lost its lease completes the attempt of another.
    CompletionIgnoresToken,
    /// A completion queues no message for the next attempt.
    LostSuccessor,
    /// The attempt after a failure has the number of the failed one.
    NumberUsedTwice,
    /// A resend has the next automatic attempt wait for a minute more.
    ResendMovesSchedule,
    /// The state of a schedule is set back by a resend that succeeds.
    ResendEndsSchedule,
    /// An event is answered, and stored after that.
    AnswerBeforeCommit,
    /// The bytes that are sent are not those of intake.
    OtherBytes,
    /// A delivery to another host than its webhook has now takes the credentials that this has now.
    OtherCredentials,
    /// The record of an event's idempotency key is not kept.
    KeyForgotten,
    /// A trigger that is true fires at every event.
    TriggerStateForgotten,
    /// A completion that is repeated is counted again.
    CountedTwice,
    /// The record of the key of a job's resend is not kept.
    JobKeyForgotten,
    /// A first attempt is claimed although an earlier delivery of its loan has not ended, and has a message.
    OrderIgnored,
    /// Requests in flight are not limited.
    InFlightIgnored,
    /// Requests a second are not limited.
    RateIgnored,
    /// What is held is handed out.
    HoldIgnored,
    /// After a hold what waited is handed out at once.
    PaceIgnored,
    /// A message that waits for the end of a hold is forgotten, once its event was answered.
    HeldMessageLost,
}

impl Break {
    pub const ALL: [Self; 21] = [
        Self::ClaimWithoutCondition,
        Self::ClaimWithoutRow,
        Self::ClaimOfCanceled,
        Self::CompletionIgnoresToken,
        Self::LostSuccessor,
        Self::NumberUsedTwice,
        Self::ResendMovesSchedule,
        Self::ResendEndsSchedule,
        Self::AnswerBeforeCommit,
        Self::OtherBytes,
        Self::OtherCredentials,
        Self::KeyForgotten,
        Self::TriggerStateForgotten,
        Self::CountedTwice,
        Self::JobKeyForgotten,
        Self::OrderIgnored,
        Self::InFlightIgnored,
        Self::RateIgnored,
        Self::HoldIgnored,
        Self::PaceIgnored,
        Self::HeldMessageLost,
    ];

    /// The rules of which one is found broken.
    pub const fn breaks(self) -> &'static [Rule] {
        match self {
            Self::ClaimWithoutCondition | Self::NumberUsedTwice => &[Rule::OneAttemptPerNumber],
            Self::ClaimWithoutRow => &[Rule::RowBeforeRequest],
            Self::ClaimOfCanceled => &[Rule::CanceledIsFinal],
            // The attempt of another never ends, or what follows it is not what its row says.
            Self::CompletionIgnoresToken => &[Rule::PromiseKept, Rule::ScheduleTimes, Rule::RowBeforeRequest],
            // An attempt may fail, and its successor be lost, before the event is answered.
            Self::LostSuccessor => &[Rule::PromiseKept, Rule::AnsweredIsCommitted],
            Self::ResendMovesSchedule | Self::ResendEndsSchedule => &[Rule::IndependentResend],
            Self::AnswerBeforeCommit => &[Rule::AnsweredIsCommitted],
            Self::OtherBytes => &[Rule::FrozenBytes],
            Self::OtherCredentials => &[Rule::OwnCredentials],
            Self::KeyForgotten => &[Rule::DuplicateMakesNothing, Rule::AnsweredIsCommitted],
            Self::TriggerStateForgotten => &[Rule::TriggerFiresOnce],
            Self::CountedTwice => &[Rule::CountedOnce],
            Self::JobKeyForgotten => &[Rule::JobOnce],
            Self::OrderIgnored => &[Rule::OrderIsKept],
            Self::InFlightIgnored | Self::RateIgnored => &[Rule::LimitsAreKept],
            Self::HoldIgnored | Self::PaceIgnored => &[Rule::HoldIsKept],
            Self::HeldMessageLost => &[Rule::PromiseKept],
        }
    }
}

/// Claims an attempt that cannot be claimed, where `may` says so of the schedule.
pub(crate) fn claim_anyway(
    state: &mut State,
    message: &QueueMessage,
    number: u32,
    token: Uuid,
    now: Timestamp,
    may: impl Fn(&Progress) -> bool,
) -> Option<(Delivery, Attempt)> {
    let delivery = state.deliveries.get_mut(&(message.tenant.clone(), message.trace_id))?;
    if !may(&delivery.progress) {
        return None;
    }
    delivery.progress = Progress::Waiting(NextAttempt { number, slot: 0, due: now });
    let row = delivery.claim(number, token, now).ok()?;
    let claimed = (delivery.clone(), row.clone());
    state.overwrite_row(row);
    Some(claimed)
}

/// The claim of a worker as if it were the one that is in flight.
pub(crate) fn with_current_token(state: &State, claimed: &Delivery, token: Uuid) -> (Delivery, Uuid) {
    let snapshot = &claimed.snapshot;
    let stored = state.deliveries.get(&(snapshot.tenant.clone(), snapshot.trace_id));
    match stored.and_then(|stored| stored.progress.in_flight().map(|claim| (stored, claim.token))) {
        Some((stored, token)) => (stored.clone(), token),
        None => (claimed.clone(), token),
    }
}

/// Counts an attempt that is counted already.
pub(crate) fn count_again(state: &mut State, row: &Attempt) {
    for CountChange { group, counts } in Counting::ALL.attempt(None, row) {
        state.counts.entry(group).or_default().add(&counts);
    }
}

/// Changes the schedule of a delivery past its rules.
pub(crate) fn change_waiting(state: &mut State, row: &Attempt, change: impl Fn(NextAttempt) -> Progress) {
    if let Some(delivery) = state.deliveries.get_mut(&(row.tenant.clone(), row.trace_id))
        && let Progress::Waiting(next) = delivery.progress
    {
        delivery.progress = change(next);
    }
}

/// An event whose triggers fire whenever they are true.
pub(crate) fn fire_every_time(mut request: AcceptRequest) -> (AcceptRequest, Vec<Delivery>) {
    let watched: Vec<_> = request.watched.drain(..).collect();
    let verdicts: Vec<_> = watched.iter().map(|watched| watched.verdict(true)).collect();
    let fired: Vec<_> = watched.into_iter().filter_map(|watched| watched.delivery).collect();
    let deliveries: Vec<_> = fired.iter().map(|(delivery, _)| delivery.clone()).collect();
    request = request.with_verdicts(&verdicts);
    request.deliveries.extend(fired);
    (request, deliveries)
}
