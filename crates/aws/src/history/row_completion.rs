//! The completion of a row, of an automatic attempt or a resend. The order of effects: response body, row.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use bytes::Bytes;
use uuid::Uuid;

use crate::engine::Aws;
use crate::items::item::{Item, text};
use crate::items::key_schema::{self, DOC, STATE, TOKEN};
use crate::items::write_outcome::{WriteOutcome, write_outcome};
use crate::items::{delivery_item, row_item};
use loanhook_core::model::attempt::{Attempt, AttemptState};
use loanhook_core::ports::{StoreError, StoreResult};

/// How often a row may be put or completed by others before this is given up: each happens once.
const MAX_TRIES: u32 = 4;

impl Aws {
    /// Stores the response body that the completed row names.
    pub(crate) async fn store_response(&self, row: &Attempt, response: Option<Bytes>) -> StoreResult<()> {
        let stored = row.completion().and_then(|completion| completion.response.as_ref());
        match (stored.and_then(|stored| stored.payload.key), response) {
            (Some(key), Some(bytes)) => self.put_response_body(&row.tenant, key, bytes).await,
            _ => Ok(()),
        }
    }

    /// Completes the row of a claim under its token; returns the row as it then is, which another caller may have completed
    /// before. None if the row is not under this token.
    pub(crate) async fn complete_row(&self, token: Uuid, row: Attempt) -> StoreResult<Option<Attempt>> {
        let mut in_flight = true;
        for _ in 0..MAX_TRIES {
            match self.write_completion(&row, Some(token)).await? {
                WriteOutcome::Done(()) => return Ok(Some(row)),
                WriteOutcome::Refused(Some(item)) => return complete_row(&item),
                WriteOutcome::Refused(None) if !in_flight => return Ok(None),
                WriteOutcome::Refused(None) => {}
            }
            // There is no row: its sender died before it put one, or is putting it at this moment; then that is completed.
            let delivery = self.delivery_item(&row.tenant, row.trace_id).await?;
            let Some(item) = delivery else { return Ok(None) };
            in_flight = delivery_item::read(&item)?.progress.in_flight_under(token).is_some();
            // A claim that has ended was ended by who completed its row before.
            if in_flight {
                let put = self.put_if_absent(row_item::new(&row, &item)?);
                if self.put(put).await?.is_done() {
                    return Ok(Some(row));
                }
            }
        }
        Err(StoreError::Busy)
    }

    /// Writes a complete row over the one that is under this token, or, without a token, over one that is complete.
    pub(crate) async fn write_completion(
        &self,
        row: &Attempt,
        token: Option<Uuid>,
    ) -> StoreResult<WriteOutcome<()>> {
        let update = self
            .update(key_schema::row(&row.tenant, &row.loan_id, row.id))
            .update_expression("SET #doc = :doc, #state = :complete REMOVE #token")
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#state", STATE)
            .expression_attribute_names("#token", TOKEN)
            .expression_attribute_values(":doc", row_item::updated_document(row)?)
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

/// The row that the item is, if it is complete.
fn complete_row(item: &Item) -> StoreResult<Option<Attempt>> {
    let row = row_item::read(item)?;
    Ok(matches!(row.state, AttemptState::Complete(_)).then_some(row))
}
