//! How an automatic attempt ends, in the usual case: nothing of its delivery changed since it was claimed.

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::payloads;
use super::tables::{progress_json, put_message, to_json};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::ports::QueueMessage;

/// An end that holds if the delivery is as its claim left it: then that is not read.
pub(super) struct Ready {
    claimed: String,
    settled: String,
    row: Attempt,
    doc: String,
    message: Option<QueueMessage>,
}

impl Ready {
    /// None where the row is not complete, or the token's attempt is not in flight.
    pub(super) fn new(claimed: &Delivery, token: Uuid, row: &Attempt) -> Option<Self> {
        let (mut delivery, mut row) = (claimed.clone(), row.clone());
        row.next_attempt_at = delivery.complete(token, row.completion()?).ok()?;
        Some(Self {
            claimed: progress_json(claimed).ok()?,
            settled: progress_json(&delivery).ok()?,
            doc: to_json(&row).ok()?,
            message: QueueMessage::for_next_attempt(&delivery),
            row,
        })
    }

    /// None, and nothing changed, if the delivery is otherwise; else the message that was queued for the next
    /// attempt, if there is one.
    pub(super) fn apply(
        &self,
        connection: &Connection,
        response: Option<&[u8]>,
    ) -> rusqlite::Result<Option<Option<QueueMessage>>> {
        let row = &self.row;
        let id = row.id.uuid();
        let sending = connection
            .prepare_cached(
                "SELECT 1 FROM attempts WHERE tenant = ?1 AND loan = ?2 AND id = ?3 AND sending = 1",
            )?
            .exists(params![row.tenant.as_str(), row.loan_id.as_str(), id.as_bytes()])?;
        let moved = sending
            && connection
                .prepare_cached("UPDATE deliveries SET progress = ?3 WHERE trace = ?1 AND progress = ?2")?
                .execute(params![row.trace_id.uuid().as_bytes(), self.claimed, self.settled])?
                > 0;
        if !moved {
            return Ok(None);
        }
        let stored = row.completion().and_then(|completion| completion.response.as_ref());
        if let (Some(stored), Some(bytes)) = (stored, response) {
            payloads::put(connection, &row.tenant, stored.payload, bytes)?;
        }
        connection
            .prepare_cached(
                "UPDATE attempts SET sending = 0, doc = ?4 WHERE tenant = ?1 AND loan = ?2 AND id = ?3",
            )?
            .execute(params![row.tenant.as_str(), row.loan_id.as_str(), id.as_bytes(), self.doc])?;
        if let Some(message) = &self.message {
            put_message(connection, message)?;
        }
        Ok(Some(self.message.clone()))
    }
}
