//! Releases: claims given back of which nothing was sent.
//!
//! The row goes away and the delivery is claimable again in one transaction, and then the message is queued. A crash
//! before the transaction leaves an attempt in flight, which the end of its lease interrupts; one after it leaves a
//! message that is missing, which the message of the claim brings back, as it was not deleted.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{Delete, Update};
use uuid::Uuid;

use super::failure::{Written, written};
use super::item::{json, number, text};
use super::table::{self, DOC, FLIGHT, NEWEST_AUTO, NEXT, STATE, TOKEN};
use super::transaction::Part as _;
use super::{Aws, delivery_item, row_item};
use crate::model::attempt::{Attempt, AttemptNumber};
use crate::model::delivery::Delivery;
use crate::model::id::AttemptId;
use crate::model::time::Timestamp;
use crate::ports::{Attempts as _, Queue as _, Stored, Wake};

impl Aws {
    pub(super) async fn release_attempt(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: &Attempt,
        due: Timestamp,
    ) -> Stored<bool> {
        let newest = self.newest_automatic_but(row).await?;
        let unput = Delete::builder()
            .table_name(self.table())
            .set_key(Some(table::row(&row.tenant, &row.loan_id, row.id).key()))
            .condition_expression("#token = :token")
            .expression_attribute_names("#token", TOKEN)
            .expression_attribute_values(":token", text(token.to_string()));
        let unclaim = Update::builder()
            .table_name(self.table())
            .set_key(Some(table::delivery(&row.tenant, row.trace_id).key()))
            .condition_expression("#flight.#token = :token")
            .expression_attribute_names("#flight", FLIGHT)
            .expression_attribute_names("#token", TOKEN)
            .expression_attribute_names("#next", NEXT)
            .expression_attribute_names("#due", delivery_item::DUE)
            .expression_attribute_names("#newest", NEWEST_AUTO)
            .expression_attribute_values(":token", text(token.to_string()))
            .expression_attribute_values(":due", number(due.millis()));
        let unclaim = match newest {
            Some(newest) => unclaim
                .update_expression("SET #next.#due = :due, #newest = :newest REMOVE #flight")
                .expression_attribute_values(":newest", text(newest.to_string())),
            None => unclaim.update_expression("SET #next.#due = :due REMOVE #flight, #newest"),
        };
        if !self.transact(vec![unput.part()?, unclaim.part()?]).await?.is_done() {
            return Ok(false);
        }
        let mut released = claimed.clone();
        released.progress.release(due, newest);
        match Wake::next_of(&released) {
            Some(wake) => self.send_on(wake).await.map(|()| true),
            None => Ok(true),
        }
    }

    /// The newest automatic attempt of a row's delivery, that row aside. Those before it began long enough ago for
    /// the index to show them: each took a request and its record.
    async fn newest_automatic_but(&self, row: &Attempt) -> Stored<Option<AttemptId>> {
        let Some((_, attempts)) = self.story(&row.tenant, row.trace_id).await? else { return Ok(None) };
        let automatic = attempts.iter().filter(|other| other.number != AttemptNumber::Manual);
        Ok(automatic.map(|other| other.id).filter(|id| *id != row.id).max())
    }

    pub(super) async fn release_queued(&self, token: Uuid, mut row: Attempt, due: Timestamp) -> Stored<bool> {
        row.give_back(due);
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.table())
            .set_key(Some(table::row(&row.tenant, &row.loan_id, row.id).key()))
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
        let ours = match written(update)? {
            Written::Done(_) => true,
            // Our own first try, whose answer was lost on its way, is one that says the same.
            Written::Refused(item) => item.as_ref().map(row_item::read).transpose()?.as_ref() == Some(&row),
        };
        if ours {
            self.send_on(Wake::of_resend(&row, due)).await?;
        }
        Ok(ours)
    }
}
