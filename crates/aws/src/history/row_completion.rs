//! How a row ends, of an automatic attempt or a resend: its response is put first, then the row.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use bytes::Bytes;
use uuid::Uuid;

use super::call_errors::{WriteOutcome, write_outcome};
use super::deliveries::expires;
use super::item::{Item, json, text};
use super::key_schema::{self, DOC, STATE, TOKEN};
use super::{Aws, delivery_item, row_item};
use loanhook_core::model::attempt::{Attempt, AttemptState};
use loanhook_core::ports::{StoreError, StoreResult};

/// How often a row may appear or end under us before we give up: it does each once.
const MAX_TRIES: u32 = 4;

impl Aws {
    pub(super) async fn store_response(&self, row: &Attempt, response: Option<Bytes>) -> StoreResult<()> {
        let stored = row.completion().and_then(|completion| completion.response.as_ref());
        match (stored.and_then(|stored| stored.payload.key), response) {
            (Some(key), Some(bytes)) => self.put_response_body(&row.tenant, key, bytes).await,
            _ => Ok(()),
        }
    }

    /// Completes the row of a flight under its token; gives the row that then stands, which is another's if
    /// that one was complete before. None if it is not the token's.
    pub(super) async fn complete_row(&self, token: Uuid, row: Attempt) -> StoreResult<Option<Attempt>> {
        let mut in_flight = true;
        for _ in 0..MAX_TRIES {
            match self.write_completion(&row, Some(token)).await? {
                WriteOutcome::Done(()) => return Ok(Some(row)),
                WriteOutcome::Refused(Some(item)) => return complete(&item),
                WriteOutcome::Refused(None) if !in_flight => return Ok(None),
                WriteOutcome::Refused(None) => {}
            }
            // Its sender died before it put the row; or puts it at this moment, and then that is completed.
            let delivery = self.delivery_item(&row.tenant, row.trace_id).await?;
            let Some(item) = delivery else { return Ok(None) };
            in_flight = delivery_item::read(&item)?.progress.in_flight_under(token).is_some();
            // Where it is over, whoever ended it has completed the row before.
            if in_flight && self.put_new(row_item::new(&row, expires(&item)?)?).await?.is_done() {
                return Ok(Some(row));
            }
        }
        Err(StoreError::Busy)
    }

    /// Writes the end of a row that is the token's, or, without one, over what a complete row says.
    pub(super) async fn write_completion(
        &self,
        row: &Attempt,
        token: Option<Uuid>,
    ) -> StoreResult<WriteOutcome<()>> {
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.table())
            .set_key(Some(key_schema::row(&row.tenant, &row.loan_id, row.id).key()))
            .update_expression("SET #doc = :doc, #state = :complete REMOVE #token")
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#state", STATE)
            .expression_attribute_names("#token", TOKEN)
            .expression_attribute_values(":doc", json(row)?)
            .expression_attribute_values(":complete", row_item::state(row))
            .return_values_on_condition_check_failure(AllOld);
        let update = match token {
            Some(token) => update
                .condition_expression("#token = :token")
                .expression_attribute_values(":token", text(token.to_string())),
            None => update.condition_expression("#state = :complete"),
        };
        Ok(write_outcome(update.send().await)?.map(|_| ()))
    }
}

/// A row that is there, if it is complete.
fn complete(item: &Item) -> StoreResult<Option<Attempt>> {
    let stands = row_item::read(item)?;
    Ok(matches!(stands.state, AttemptState::Complete(_)).then_some(stands))
}
