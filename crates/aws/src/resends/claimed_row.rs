//! The row of a resend from its claim to its release.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use uuid::Uuid;

use crate::engine::Aws;
use crate::items::item::text;
use crate::items::key_schema::{self, DOC, STATE, TOKEN};
use crate::items::row_item;
use crate::items::write_outcome::{WriteOutcome, write_outcome};
use loanhook_core::model::attempt::{Attempt, AttemptState};
use loanhook_core::ports::StoreResult;

impl Aws {
    /// Writes that a queued resend is claimed, or that it waited too long.
    pub(super) async fn write_claimed_row(&self, row: &Attempt) -> StoreResult<WriteOutcome<()>> {
        let update = self
            .update(key_schema::row(&row.tenant, &row.loan_id, row.id))
            .condition_expression("#state = :queued")
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#state", STATE)
            .expression_attribute_values(":doc", row_item::updated_document(row)?)
            .expression_attribute_values(":state", row_item::state(row))
            .expression_attribute_values(":queued", text("queued"))
            .return_values_on_condition_check_failure(AllOld);
        let (update, claimed) = match &row.state {
            AttemptState::Sending { token } => {
                let update = update
                    .update_expression("SET #doc = :doc, #state = :state, #token = :token")
                    .expression_attribute_names("#token", TOKEN)
                    .expression_attribute_values(":token", text(token.to_string()));
                (update, true)
            }
            _ => (update.update_expression("SET #doc = :doc, #state = :state"), false),
        };
        let outcome = write_outcome(update.send().await)?.map(|_| ());
        outcome.or_own_write(|item| Ok(claimed && row_item::read(item)?.state == row.state), drop)
    }

    /// Writes that a claimed resend is queued again.
    pub(super) async fn write_released_row(
        &self,
        token: Uuid,
        row: &Attempt,
    ) -> StoreResult<WriteOutcome<()>> {
        let update = self
            .update(key_schema::row(&row.tenant, &row.loan_id, row.id))
            .update_expression("SET #doc = :doc, #state = :queued REMOVE #token")
            .condition_expression("#token = :token")
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#state", STATE)
            .expression_attribute_names("#token", TOKEN)
            .expression_attribute_values(":doc", row_item::updated_document(row)?)
            .expression_attribute_values(":queued", row_item::state(row))
            .expression_attribute_values(":token", text(token.to_string()))
            .return_values_on_condition_check_failure(AllOld);
        let outcome = write_outcome(update.send().await)?.map(|_| ());
        outcome.or_own_write(|item| Ok(row_item::read(item)? == *row), drop)
    }
}
