//! Releases: claims that are given back because no request could leave.
//!
//! The row is deleted and the delivery is claimable again in one transaction; then the message is queued. A crash before
//! the transaction leaves an attempt in flight, and the end of its lease interrupts it. Where the message could not be
//! queued, the call fails; whoever repeats it, or gets the message of the claim again, queues it.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{Delete, Update};
use uuid::Uuid;

use super::call_errors::{WriteOutcome, write_outcome};
use super::item::{json, number, text};
use super::key_schema::{self, CLAIM, DOC, NEWEST_AUTO, NEXT, RESENDS, STATE, TOKEN};
use super::transaction::TransactionWrite as _;
use super::{Aws, delivery_item, row_item};
use loanhook_core::model::attempt::{Attempt, AttemptNumber};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    AttemptRange, Attempts as _, Queue as _, QueueMessage, ReleaseOutcome, StoreResult,
};

/// How many attempts are read at once, looking for an automatic one.
const ATTEMPTS_PER_READ: usize = 25;

impl Aws {
    pub(super) async fn release_attempt(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: &Attempt,
        due: Timestamp,
    ) -> StoreResult<ReleaseOutcome> {
        let newest = self.previous_automatic_attempt(row).await?;
        let unput = Delete::builder()
            .table_name(self.table())
            .set_key(Some(key_schema::row(&row.tenant, &row.loan_id, row.id).key()))
            .condition_expression("#token = :token")
            .expression_attribute_names("#token", TOKEN)
            .expression_attribute_values(":token", text(token.to_string()));
        let unresent = match claimed.history.resends {
            0 => "attribute_not_exists(#resends)",
            _ => "#resends = :resends",
        };
        let unclaim = Update::builder()
            .table_name(self.table())
            .set_key(Some(key_schema::delivery(&row.tenant, row.trace_id).key()))
            .condition_expression(format!("#flight.#token = :token AND {unresent}"))
            .expression_attribute_names("#flight", CLAIM)
            .expression_attribute_names("#token", TOKEN)
            .expression_attribute_names("#next", NEXT)
            .expression_attribute_names("#due", delivery_item::DUE)
            .expression_attribute_names("#newest", NEWEST_AUTO)
            .expression_attribute_names("#resends", RESENDS)
            .expression_attribute_values(":token", text(token.to_string()))
            .expression_attribute_values(":due", number(due.millis()));
        let unclaim = match claimed.history.resends {
            0 => unclaim,
            resends => unclaim.expression_attribute_values(":resends", number(resends)),
        };
        let unclaim = match newest {
            Some(newest) => unclaim
                .update_expression("SET #next.#due = :due, #newest = :newest REMOVE #flight")
                .expression_attribute_values(":newest", text(newest.to_string())),
            None => unclaim.update_expression("SET #next.#due = :due REMOVE #flight, #newest"),
        };
        let done = self.transact(vec![unput.write()?, unclaim.write()?]).await?.is_done();
        let delivery = match done {
            true => {
                let mut released = claimed.clone();
                released.release(token, due, newest).ok().map(|()| released)
            }
            // It may be our own first try that was done, whose answer or message was lost.
            false => self.delivery(&row.tenant, row.trace_id).await?,
        };
        let Some(delivery) = delivery else { return Ok(ReleaseOutcome::Superseded) };
        if delivery.progress.in_flight_under(token).is_some() {
            return Ok(ReleaseOutcome::ReferencedByResend);
        }
        if let Some(message) = QueueMessage::for_next_attempt(&delivery) {
            self.enqueue(message).await?;
        }
        Ok(if done { ReleaseOutcome::Released } else { ReleaseOutcome::Superseded })
    }

    /// The automatic attempt before this one. It began a request and its record ago, so the index shows it.
    async fn previous_automatic_attempt(&self, row: &Attempt) -> StoreResult<Option<AttemptId>> {
        if row.number == AttemptNumber::Auto(1) {
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

    pub(super) async fn release_resend_row(
        &self,
        token: Uuid,
        mut row: Attempt,
        due: Timestamp,
    ) -> StoreResult<bool> {
        row.release(due);
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.table())
            .set_key(Some(key_schema::row(&row.tenant, &row.loan_id, row.id).key()))
            .update_expression("SET #doc = :doc, #state = :queued REMOVE #token")
            .condition_expression("#token = :token")
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#state", STATE)
            .expression_attribute_names("#token", TOKEN)
            .expression_attribute_values(":doc", json(&row)?)
            .expression_attribute_values(":queued", row_item::state(&row))
            .expression_attribute_values(":token", text(token.to_string()))
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        let ours = match write_outcome(update)? {
            WriteOutcome::Done(_) => true,
            // Our own first try, whose answer was lost on its way, is one that says the same.
            WriteOutcome::Refused(item) => {
                item.as_ref().map(row_item::read).transpose()?.as_ref() == Some(&row)
            }
        };
        if ours {
            self.enqueue(QueueMessage::for_resend(&row, due)).await?;
        }
        Ok(ours)
    }
}
