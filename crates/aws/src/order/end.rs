//! End of a delivery with a number, and the failure of its first attempt: what they change for the delivery behind it.
//!
//! Each step comes after the write of the delivery itself and can be repeated: who dies in between leaves it to whoever receives
//! the message of the attempt again ([`Aws::repeat_end`]), or to the next look at the loan.

use super::FIRST_ATTEMPT;
use super::open_deliveries::{OpenState, has_ended};
use super::turn::{Before, Turn};
use crate::due_index::{Bucket, is_deferred};
use crate::engine::Aws;
use crate::items::item::Item;
use crate::items::key_schema::OrderedLoan;
use crate::items::open_delivery_item::OpenDelivery;
use loanhook_core::model::attempt::{Attempt, AttemptNumber};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Queue as _, QueueMessage, StoreResult};

/// How many open deliveries that are over one call takes away; more are left by nothing but many crashes.
const MAX_STEPS: u32 = 50;

/// The first delivery whose first attempt waits, as far as its turn is known.
pub(super) struct Next {
    pub(super) message: QueueMessage,
    /// Where its delivery stands in the index of what is due.
    pub(super) bucket: Option<Bucket>,
}

/// What comes first of a loan.
pub(super) enum First {
    Next(Next),
    /// Its first attempt is in flight; none where a newer loanhook knows what it does.
    UnderWay(Option<Box<Delivery>>),
    /// Nothing may begin before the end of a delivery; or nothing waits.
    Nothing,
}

impl Aws {
    /// Takes in what the end of an automatic attempt, which left the delivery so, changes for those behind it.
    pub(crate) async fn follow_attempt(&self, row: &Attempt, after: &Delivery) -> StoreResult<()> {
        let Some(sequence) = after.snapshot.sequence else { return Ok(()) };
        if has_ended(&after.progress) {
            return self.follow_end(after).await;
        }
        match (row.number, row.completion()) {
            (AttemptNumber::Auto(FIRST_ATTEMPT), Some(completion)) if has_later_attempt(after) => {
                let loan = OrderedLoan::of(&after.snapshot);
                self.follow_first_failure(&loan, sequence, completion.ended_at).await
            }
            _ => Ok(()),
        }
    }

    /// Takes in that a delivery has ended.
    pub(crate) async fn follow_end(&self, ended: &Delivery) -> StoreResult<()> {
        let Some(sequence) = ended.snapshot.sequence else { return Ok(()) };
        let loan = OrderedLoan::of(&ended.snapshot);
        self.remove_open(&loan, sequence).await?;
        self.wake_behind(&loan, sequence).await
    }

    /// Does again, of a delivery that was not claimed, what the end of its last attempt changes: whoever ended it may have died
    /// before.
    pub(crate) async fn repeat_end(&self, delivery: &Delivery, item: &Item, attempt: u32) -> StoreResult<()> {
        let Some(sequence) = delivery.snapshot.sequence else { return Ok(()) };
        if has_ended(&delivery.progress) {
            return self.follow_end(delivery).await;
        }
        if attempt == FIRST_ATTEMPT && has_later_attempt(delivery) {
            let loan = OrderedLoan::of(&delivery.snapshot);
            let failed = self.first_failure(&loan, item).await?;
            return self.follow_first_failure(&loan, sequence, failed).await;
        }
        Ok(())
    }

    async fn follow_first_failure(
        &self,
        loan: &OrderedLoan,
        sequence: u64,
        failed: Timestamp,
    ) -> StoreResult<()> {
        self.set_failed(loan, sequence, failed).await?;
        self.wake_behind(loan, sequence).await
    }

    /// Queues the message of the first delivery whose first attempt waits, if that is behind this number and its turn is known.
    async fn wake_behind(&self, loan: &OrderedLoan, sequence: u64) -> StoreResult<()> {
        match self.first_of(loan, sequence).await? {
            // Its turn comes later: it stands in the index until then.
            First::Next(next) if is_deferred(next.message.due, (self.stack().clock)()) => {
                self.enqueue(next.message).await
            }
            First::Next(next) => self.enqueue_woken(vec![next.message], None).await,
            First::UnderWay(_) | First::Nothing => Ok(()),
        }
    }

    /// What comes first of a loan behind this number. What is found to be over is taken away, and what is found to have failed is
    /// said so of.
    pub(super) async fn first_of(&self, loan: &OrderedLoan, behind: u64) -> StoreResult<First> {
        let mut flow = None;
        for _ in 0..MAX_STEPS {
            let (before, open) = self.first_unfailed(loan).await?;
            let Some(open) = open.filter(|open| open.sequence > behind) else { return Ok(First::Nothing) };
            let failed = before.iter().filter_map(|open| open.failed);
            let before = failed.fold(Before::Nothing, Before::and_failed);
            let turn = match before {
                Before::Nothing => Turn::Now,
                _ => before.turn(self.flow_settings_once(loan, &mut flow).await?),
            };
            if turn == Turn::Unknown {
                return Ok(First::Nothing);
            }
            match self.state_of(loan, &open).await? {
                OpenState::Over => self.remove_open(loan, open.sequence).await?,
                OpenState::Failed(failed) => self.set_failed(loan, open.sequence, failed).await?,
                OpenState::UnderWay(delivery) => return Ok(First::UnderWay(delivery)),
                OpenState::Waits { bucket } => {
                    return Ok(First::Next(Next { message: message_at(loan, &open, turn), bucket }));
                }
            }
        }
        Ok(First::Nothing)
    }

    /// The flow settings of a subscription as they are now, which are read when they are asked for first.
    async fn flow_settings_once(
        &self,
        loan: &OrderedLoan,
        known: &mut Option<FlowSettings>,
    ) -> StoreResult<FlowSettings> {
        if let Some(flow) = *known {
            return Ok(flow);
        }
        let flow = self.newest_flow(&loan.tenant, loan.subscription).await?;
        *known = Some(flow);
        Ok(flow)
    }
}

/// Whether the first attempt of a delivery is over, and another one waits.
fn has_later_attempt(delivery: &Delivery) -> bool {
    delivery.progress.waiting().is_some_and(|next| next.number > FIRST_ATTEMPT)
}

/// The message for the first attempt of an open delivery, due when it has its turn.
fn message_at(loan: &OrderedLoan, open: &OpenDelivery, turn: Turn) -> QueueMessage {
    let message = loan.message(open);
    match turn {
        Turn::At(time) => QueueMessage { due: message.due.max(time), ..message },
        Turn::Now | Turn::Unknown => message,
    }
}
