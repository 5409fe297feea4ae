//! Completion: an automatic attempt ends. Its row, the delivery moved on and the message of the next attempt are written
//! together.
//!
//! Nearly always the delivery is still as its claim left it. So what is to be written is prepared from the claim, before
//! the transaction, and written on condition that the stored progress equals that of the claim: nothing is read then
//! (optimistic completion). Otherwise the delivery is read, and the completion is made from what is stored.

use bytes::Bytes;
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::payloads;
use crate::queue::messages::put_message;
use crate::rows::{find_attempt, find_delivery, progress_json, put_attempt, to_json};
use crate::unreadable::none_if_unreadable;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::ports::QueueMessage;

/// What became of a completion.
pub(crate) enum CompletionOutcome {
    /// The delivery is not in flight under the token any more: nothing was written.
    Superseded,
    /// It is written; the message of the next attempt, its successor, is in the queue, if there is one.
    Completed { successor: Option<QueueMessage> },
}

impl CompletionOutcome {
    /// The messages that were put into the queue.
    pub(crate) fn queued_messages(&self) -> &[QueueMessage] {
        match self {
            Self::Completed { successor } => successor.as_slice(),
            Self::Superseded => &[],
        }
    }
}

/// A completion that was prepared before its transaction.
pub(crate) struct PreparedCompletion {
    token: Uuid,
    row: Attempt,
    response: Option<Bytes>,
    /// What is to be written if the stored progress equals this. None where it could not be prepared.
    optimistic: Option<(String, CompletionWrites)>,
}

impl PreparedCompletion {
    /// `claimed` is the delivery as its claim left it.
    pub(crate) fn new(claimed: &Delivery, token: Uuid, row: Attempt, response: Option<Bytes>) -> Self {
        let writes = CompletionWrites::new(claimed.clone(), token, row.clone()).ok().flatten();
        let optimistic = writes.and_then(|writes| Some((progress_json(claimed).ok()?, writes)));
        Self { token, row, response, optimistic }
    }

    /// Completes the attempt: from the claim if nothing changed since, else from what is stored.
    pub(crate) fn complete(&self, connection: &Connection) -> rusqlite::Result<CompletionOutcome> {
        if let Some((claimed, writes)) = &self.optimistic
            && is_sending(connection, &self.row)?
            && writes.write(connection, Some(claimed), self.response.as_deref())?
        {
            return Ok(CompletionOutcome::Completed { successor: writes.successor.clone() });
        }
        complete_stored(connection, self.token, &self.row, self.response.as_deref())
    }
}

/// Completes an automatic attempt from the delivery and the row that are stored. A stored row that is complete stands,
/// and the delivery moves on from that.
pub(super) fn complete_stored(
    connection: &Connection,
    token: Uuid,
    row: &Attempt,
    response: Option<&[u8]>,
) -> rusqlite::Result<CompletionOutcome> {
    let Some(delivery) = find_delivery(connection, &row.tenant, row.trace_id)? else {
        return Ok(CompletionOutcome::Superseded);
    };
    // A row that cannot be read is replaced.
    let stored = find_attempt(connection, &row.tenant, &row.loan_id, row.id);
    let stored = none_if_unreadable(stored, &format_args!("attempt {} of {}", row.id, row.tenant))?;
    let complete = stored.filter(|stored| stored.completion().is_some());
    let response = response.filter(|_| complete.is_none());
    let row = complete.unwrap_or_else(|| row.clone());
    let Some(writes) = CompletionWrites::new(delivery, token, row)? else {
        return Ok(CompletionOutcome::Superseded);
    };
    writes.write(connection, None, response)?;
    Ok(CompletionOutcome::Completed { successor: writes.successor })
}

/// What a completion writes, but for the response.
struct CompletionWrites {
    row: Attempt,
    row_json: String,
    progress_json: String,
    successor: Option<QueueMessage>,
}

impl CompletionWrites {
    /// None where the row is not complete, or the delivery is not in flight under the token.
    fn new(mut delivery: Delivery, token: Uuid, mut row: Attempt) -> rusqlite::Result<Option<Self>> {
        let Some(completion) = row.completion() else { return Ok(None) };
        let Ok(next_attempt_at) = delivery.complete(token, completion) else { return Ok(None) };
        row.next_attempt_at = next_attempt_at;
        Ok(Some(Self {
            row_json: to_json(&row)?,
            progress_json: progress_json(&delivery)?,
            successor: QueueMessage::for_next_attempt(&delivery),
            row,
        }))
    }

    /// Writes the completion; where `claimed` is given, only if the progress of the delivery is stored as that text. False,
    /// and nothing is written, if it is not.
    fn write(
        &self,
        connection: &Connection,
        claimed: Option<&str>,
        response: Option<&[u8]>,
    ) -> rusqlite::Result<bool> {
        let row = &self.row;
        let moved = connection
            .prepare_cached(
                "UPDATE deliveries SET progress = ?3 WHERE trace = ?1 AND (?2 IS NULL OR progress = ?2)",
            )?
            .execute(params![row.trace_id.uuid().as_bytes(), claimed, self.progress_json])?;
        if moved == 0 {
            return Ok(false);
        }
        let stored = row.completion().and_then(|completion| completion.response.as_ref());
        if let (Some(stored), Some(bytes)) = (stored, response) {
            payloads::put(connection, &row.tenant, stored.payload, bytes)?;
        }
        let id = row.id.uuid();
        let replaced = connection
            .prepare_cached(
                "UPDATE attempts SET sending = 0, doc = ?4 WHERE tenant = ?1 AND loan = ?2 AND id = ?3",
            )?
            .execute(params![row.tenant.as_str(), row.loan_id.as_str(), id.as_bytes(), self.row_json])?;
        if replaced == 0 {
            // The row that the claim stored is lost.
            put_attempt(connection, row)?;
        }
        if let Some(message) = &self.successor {
            put_message(connection, message)?;
        }
        Ok(true)
    }
}

/// Whether the row of an attempt is stored as `sending`.
fn is_sending(connection: &Connection, row: &Attempt) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM attempts WHERE tenant = ?1 AND loan = ?2 AND id = ?3 AND sending = 1")?
        .exists(params![row.tenant.as_str(), row.loan_id.as_str(), row.id.uuid().as_bytes()])
}
