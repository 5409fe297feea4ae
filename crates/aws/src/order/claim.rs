//! Claim of the first attempt of a delivery with a number: whether the order lets it begin.
//!
//! The check comes before the claim, and what it found stays true until the claim is written: no delivery comes before one that has
//! its number already, one that has ended never goes on, and the time of a first failure never changes.

use super::FIRST_ATTEMPT;
use super::turn::{Before, Turn};
use crate::due_index::is_deferred;
use crate::engine::Aws;
use crate::items::delivery_item;
use crate::items::item::Item;
use crate::items::key_schema::{self, DUE_BUCKET, OrderedLoan, SEQUENCE};
use crate::items::write_outcome::write_outcome;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Queue as _, QueueMessage, StoreResult};

/// Whether a delivery, by its item, has a number.
pub(crate) fn has_number(delivery: &Item) -> bool {
    delivery.contains_key(SEQUENCE)
}

impl Aws {
    /// Whether the first attempt of a delivery with a number may begin now. Where it may not, its message is of no use any more: the
    /// delivery leaves the index of what is due, and where its turn is known, there is a message for then.
    pub(crate) async fn may_begin(
        &self,
        delivery: &Delivery,
        item: &Item,
        message: &QueueMessage,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let waits = delivery.progress.waiting().is_some_and(|next| next.number == FIRST_ATTEMPT);
        let Some(sequence) = delivery.snapshot.sequence.filter(|_| waits) else { return Ok(false) };
        let loan = OrderedLoan::of(&delivery.snapshot);
        let turn = self.turn_of(&loan, sequence).await?;
        if turn.has_come(now) {
            return Ok(true);
        }
        let at_turn = match turn {
            Turn::At(time) => Some(QueueMessage { due: message.due.max(time), ..message.clone() }),
            Turn::Now | Turn::Unknown => None,
        };
        let is_deferred = at_turn.as_ref().is_some_and(|at| is_deferred(at.due, (self.stack().clock)()));
        if item.contains_key(DUE_BUCKET) && !is_deferred {
            self.leave_due_index(message).await?;
        }
        match at_turn {
            Some(at_turn) => self.enqueue(at_turn).await.map(|()| false),
            None => Ok(false),
        }
    }

    /// When the delivery of this number has its turn. The settings are read only where something is before it.
    pub(super) async fn turn_of(&self, loan: &OrderedLoan, sequence: u64) -> StoreResult<Turn> {
        match self.open_before(loan, sequence).await? {
            Before::Nothing => Ok(Turn::Now),
            before => Ok(before.turn(self.newest_flow(&loan.tenant, loan.subscription).await?)),
        }
    }

    /// Takes a delivery out of the index of what is due, as nothing of it is due before its turn.
    async fn leave_due_index(&self, message: &QueueMessage) -> StoreResult<()> {
        let update = self
            .update(key_schema::delivery(&message.tenant, message.trace_id))
            .update_expression("REMOVE #bucket")
            .expression_attribute_names("#bucket", DUE_BUCKET);
        write_outcome(delivery_item::if_waiting_for(FIRST_ATTEMPT, update).send().await).map(drop)
    }
}
