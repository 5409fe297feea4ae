//! Release of a claim because no request could leave.
//!
//! One transaction deletes the row and makes the delivery claimable again; then its message is queued. A crash before the
//! transaction leaves an attempt in flight, which is interrupted when its lease ends. If the message cannot be queued, the
//! call fails; who repeats the call, or receives the claim's message again, queues it.

use aws_sdk_dynamodb::types::TransactWriteItem;
use uuid::Uuid;

use crate::engine::Aws;
use crate::items::delivery_item;
use crate::items::item::{number, text};
use crate::items::key_schema::{self, CLAIM, FIRST_AUTO, NEWEST_AUTO, NEXT, RESENDS, TOKEN};
use crate::items::transaction::TransactionPart as _;
use crate::order::has_ended;
use loanhook_core::model::attempt::{Attempt, AttemptNumber};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    AttemptRange, Attempts as _, Queue as _, QueueMessage, ReleaseOutcome, StoreResult,
};

/// How many attempts one read returns, in the search for an automatic one.
const ATTEMPTS_PER_READ: usize = 25;
const FIRST: AttemptNumber = AttemptNumber::Auto(1);

impl Aws {
    pub(super) async fn release_attempt(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: &Attempt,
        due: Timestamp,
    ) -> StoreResult<ReleaseOutcome> {
        let newest = self.previous_automatic_attempt(row).await?;
        let delete_row = self
            .delete_part(key_schema::row(&row.tenant, &row.loan_id, row.id))
            .condition_expression("#token = :token")
            .expression_attribute_names("#token", TOKEN)
            .expression_attribute_values(":token", text(token.to_string()))
            .part()?;
        let remove_claim = self.remove_claim(claimed, token, row, due, newest)?;
        let done = self.transact(vec![delete_row, remove_claim]).await?.is_done();
        let delivery = match done && claimed.snapshot.sequence.is_none() {
            true => {
                let mut released = claimed.clone();
                released.release(token, due, newest).ok().map(|()| released)
            }
            // An earlier try of this release may have been done, and its response or its message lost. And where an order is kept,
            // those behind wait for a delivery that is not canceled meanwhile.
            false => self.delivery(&row.tenant, row.trace_id).await?,
        };
        let Some(delivery) = delivery else { return Ok(ReleaseOutcome::Superseded) };
        if delivery.progress.in_flight_under(token).is_some() {
            return Ok(ReleaseOutcome::ReferencedByResend);
        }
        if let Some(message) = QueueMessage::for_next_attempt(&delivery) {
            self.enqueue(message).await?;
        }
        if has_ended(&delivery.progress) {
            self.follow_end(&delivery).await?;
        }
        Ok(if done { ReleaseOutcome::Released } else { ReleaseOutcome::Superseded })
    }

    /// The update that removes the claim, if no resend was counted since it was made: such a resend may name the row that
    /// would be deleted.
    fn remove_claim(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: &Attempt,
        due: Timestamp,
        newest: Option<AttemptId>,
    ) -> StoreResult<TransactWriteItem> {
        let update = self
            .update_part(key_schema::delivery(&claimed.snapshot.tenant, claimed.snapshot.trace_id))
            .expression_attribute_names("#flight", CLAIM)
            .expression_attribute_names("#token", TOKEN)
            .expression_attribute_names("#next", NEXT)
            .expression_attribute_names("#due", delivery_item::DUE)
            .expression_attribute_names("#newest", NEWEST_AUTO)
            .expression_attribute_names("#resends", RESENDS)
            .expression_attribute_values(":token", text(token.to_string()))
            .expression_attribute_values(":due", number(due.millis()));
        let update = match claimed.history.resends {
            0 => update.condition_expression("#flight.#token = :token AND attribute_not_exists(#resends)"),
            resends => update
                .condition_expression("#flight.#token = :token AND #resends = :resends")
                .expression_attribute_values(":resends", number(resends)),
        };
        let (mut set, mut remove) = ("SET #next.#due = :due".to_owned(), "REMOVE #flight".to_owned());
        let update = match newest {
            Some(newest) => {
                set.push_str(", #newest = :newest");
                update.expression_attribute_values(":newest", text(newest.to_string()))
            }
            None => {
                remove.push_str(", #newest");
                update
            }
        };
        let update = if row.number == FIRST {
            remove.push_str(", #first");
            update.expression_attribute_names("#first", FIRST_AUTO)
        } else {
            update
        };
        update.update_expression(format!("{set} {remove}")).part()
    }

    /// The automatic attempt before this one. The delivery names the first one; the row of another was put at least one
    /// request before, so the index shows it.
    async fn previous_automatic_attempt(&self, row: &Attempt) -> StoreResult<Option<AttemptId>> {
        if row.number == FIRST {
            return Ok(None);
        }
        let mut before = row.id;
        loop {
            let span = AttemptRange::NewestFirst { before: Some(before) };
            let found =
                self.delivery_with_attempts(&row.tenant, row.trace_id, span, ATTEMPTS_PER_READ).await?;
            let attempts = found.map(|(_, attempts)| attempts).unwrap_or_default();
            if let Some(automatic) = attempts.iter().find(|attempt| !attempt.is_manual()) {
                return Ok(Some(automatic.id));
            }
            match attempts.last() {
                Some(oldest) => before = oldest.id,
                None => return Ok(None),
            }
        }
    }
}
