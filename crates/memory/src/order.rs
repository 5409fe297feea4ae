//! Order of deliveries: their numbers, and which first attempts wait for earlier deliveries of their loan and subscription.
//!
//! All but the last number of each loan is told from the deliveries and their rows. A delivery is numbered in the step that promises
//! it, and a claim is refused in its step. Whoever stops before it has woken the delivery behind leaves a message that comes again, or
//! never answered: so the next message of the one before wakes it, or the next event of the loan.

use std::time::Duration;

use loanhook_core::model::attempt::{Attempt, AttemptNumber};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::DeliveryOrder;
use loanhook_core::model::id::{LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::progress::Progress;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;

use super::State;
use super::state::Stored;

/// The number of the first attempt.
const FIRST_ATTEMPT_NUMBER: u32 = 1;

/// A loan, for one subscription.
pub(super) type OrderedLoan = (TenantId, SubscriptionId, LoanId);

/// Until when a delivery waits.
enum Wait {
    Over,
    Until(Timestamp),
    /// Until the end of an earlier delivery.
    Unknown,
}

fn loan_of(delivery: &Delivery) -> OrderedLoan {
    let snapshot = &delivery.snapshot;
    (snapshot.tenant.clone(), snapshot.subscription_id, snapshot.loan_id.clone())
}

/// Whether the first attempt of a delivery with a number is still to come.
fn is_unattempted(delivery: &Delivery) -> bool {
    let next = delivery.progress.waiting();
    delivery.snapshot.sequence.is_some() && next.is_some_and(|next| next.number == FIRST_ATTEMPT_NUMBER)
}

impl State {
    /// The next number of a delivery that is about to be stored, where its subscription keeps an order.
    pub(super) fn take_sequence(&mut self, delivery: &Delivery) -> Option<u64> {
        let snapshot = &delivery.snapshot;
        let settings = self.flow_settings(&snapshot.tenant, snapshot.subscription_id)?;
        if settings.order != DeliveryOrder::Loan || snapshot.test {
            return None;
        }
        let last = self.sequences.entry(loan_of(delivery)).or_default();
        *last += 1;
        Some(*last)
    }

    /// Numbers a delivery that was stored without a number, since it was not promised yet.
    pub(super) fn number(&mut self, tenant: &TenantId, trace: TraceId) {
        let unnumbered = |delivery: &&Delivery| delivery.snapshot.sequence.is_none();
        let Some(delivery) = self.delivery(tenant, trace).filter(unnumbered).cloned() else { return };
        let sequence = self.take_sequence(&delivery);
        if let Some(delivery) = self.deliveries.get_mut(&(tenant.clone(), trace)) {
            delivery.snapshot.sequence = sequence;
        }
    }

    fn wait(&self, delivery: &Delivery) -> Wait {
        if !is_unattempted(delivery) {
            return Wait::Over;
        }
        let of = loan_of(delivery);
        let settings = self.flow_settings(&of.0, of.1).unwrap_or_default();
        if settings.order != DeliveryOrder::Loan {
            return Wait::Over;
        }
        let step_aside = settings.step_aside_after_seconds.map(u64::from).map(Duration::from_secs);
        let has_ended = |other: &Delivery| {
            matches!(other.progress, Progress::Succeeded | Progress::Failed | Progress::Canceled)
        };
        let is_earlier = |other: &&Delivery| {
            let sequence = other.snapshot.sequence;
            sequence.is_some() && sequence < delivery.snapshot.sequence && loan_of(other) == of
        };
        let mut wait = Wait::Over;
        for earlier in self.deliveries.values().filter(is_earlier).filter(|other| !has_ended(other)) {
            let Some((failed, after)) = self.first_failure(earlier).zip(step_aside) else {
                return Wait::Unknown;
            };
            let until = failed + after;
            wait = match wait {
                Wait::Until(before) => Wait::Until(before.max(until)),
                _ => Wait::Until(until),
            };
        }
        wait
    }

    /// When the first attempt of a delivery that has not ended failed.
    fn first_failure(&self, delivery: &Delivery) -> Option<Timestamp> {
        let of = |row: &&Attempt| {
            row.trace_id == delivery.snapshot.trace_id
                && row.number == AttemptNumber::Auto(FIRST_ATTEMPT_NUMBER)
        };
        let mut rows = self.rows.values().filter_map(Stored::readable).filter(of);
        rows.find_map(|row| row.completion().map(|completion| completion.ended_at))
    }

    /// Whether the first attempt of a delivery waits for an earlier delivery.
    pub(super) fn waits_for_order(&self, delivery: &Delivery, now: Timestamp) -> bool {
        match self.wait(delivery) {
            Wait::Over => false,
            Wait::Until(time) => time > now,
            Wait::Unknown => true,
        }
    }

    /// A message for a first attempt, for when it may begin; none where that is not known.
    fn message_in_order(&self, delivery: &Delivery) -> Option<QueueMessage> {
        let message = QueueMessage::for_next_attempt(delivery)?;
        match self.wait(delivery) {
            Wait::Over => Some(message),
            Wait::Until(time) => Some(QueueMessage { due: message.due.max(time), ..message }),
            Wait::Unknown => None,
        }
    }

    /// The message of a delivery that was never attempted: a first call may have stopped before it. Where the delivery waits, that of
    /// the first that was never attempted of its loan, whose call may have stopped as well.
    pub(super) fn first_message(&self, delivery: &Delivery) -> Option<QueueMessage> {
        if delivery.history.newest_attempt.is_some() {
            return None;
        }
        self.message_in_order(delivery).or_else(|| self.message_after(&loan_of(delivery), 0))
    }

    /// The message of the first delivery after this number that was never attempted, if it may begin some time.
    fn message_after(&self, of: &OrderedLoan, sequence: u64) -> Option<QueueMessage> {
        let is_after = |other: &&Delivery| {
            is_unattempted(other) && other.snapshot.sequence > Some(sequence) && loan_of(other) == *of
        };
        let next = self.deliveries.values().filter(is_after).min_by_key(|other| other.snapshot.sequence);
        next.and_then(|next| self.message_in_order(next))
    }

    /// Puts the message of the delivery that waits behind this one, if it may begin some time.
    pub(super) fn wake_behind(&mut self, tenant: &TenantId, trace: TraceId) {
        let Some(delivery) = self.delivery(tenant, trace) else { return };
        let Some(sequence) = delivery.snapshot.sequence else { return };
        let of = loan_of(delivery);
        if self.flow_settings(tenant, of.1).is_some_and(|flow| flow.order == DeliveryOrder::Loan) {
            let message = self.message_after(&of, sequence);
            self.messages.extend(message);
        }
    }

    /// Puts the messages of all that waits of a subscription whose settings changed, as far as it may begin some time.
    pub(super) fn wake_all(&mut self, tenant: &TenantId, id: SubscriptionId) {
        let own = self.deliveries.values().filter(|delivery| {
            delivery.snapshot.tenant == *tenant
                && delivery.snapshot.subscription_id == id
                && is_unattempted(delivery)
        });
        let messages: Vec<_> = own.filter_map(|delivery| self.message_in_order(delivery)).collect();
        self.messages.extend(messages);
    }
}
