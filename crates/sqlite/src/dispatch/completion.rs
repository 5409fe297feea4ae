//! Completion: an automatic attempt ends. Its row, the delivery moved on and the message of the next attempt are written
//! together.
//!
//! Nearly always the delivery is still as its claim left it. So what is to be written is prepared from the claim, before
//! the transaction, and written on condition that the stored progress equals that of the claim: the delivery is not read
//! (optimistic completion). Otherwise the delivery is read, and the completion is made from what is stored.

use bytes::Bytes;
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::counts::CountLog;
use crate::order::{self, OrderChange};
use crate::payloads;
use crate::queue::messages::put_message;
use crate::rows::{failed_accepted, find_attempt, find_delivery, progress_json, put_attempt, to_json};
use crate::unreadable::none_if_unreadable;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::operational::is_exhausted_now;
use loanhook_core::model::report::{CountChange, Counting};
use loanhook_core::ports::QueueMessage;

/// The row of an attempt is replaced, and ends being `sending`.
const UPDATE_ROW: &str =
    "UPDATE attempts SET sending = 0, doc = ?4 WHERE tenant = ?1 AND loan = ?2 AND id = ?3";
const UPDATE_SENDING_ROW: &str =
    "UPDATE attempts SET sending = 0, doc = ?4 WHERE tenant = ?1 AND loan = ?2 AND id = ?3 AND sending = 1";

/// What became of a completion.
pub(crate) enum CompletionOutcome {
    /// The delivery is not in flight under the token any more: nothing was written.
    Superseded,
    /// It is written. These messages are in the queue: that of the next attempt, its successor, and that of the delivery which waited
    /// behind this one. `exhausted` says whether the schedule ended without success.
    Completed { queued: Vec<QueueMessage>, exhausted: bool },
}

impl CompletionOutcome {
    /// The messages that were put into the queue.
    pub(crate) fn queued_messages(&self) -> &[QueueMessage] {
        match self {
            Self::Completed { queued, .. } => queued,
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
    optimistic: Option<(StoredState, CompletionWrites)>,
}

impl PreparedCompletion {
    /// `claimed` is the delivery as its claim left it.
    pub(crate) fn new(
        claimed: &Delivery,
        token: Uuid,
        row: Attempt,
        response: Option<Bytes>,
        counting: Counting,
    ) -> Self {
        let writes = CompletionWrites::new(claimed, token, row.clone(), counting).ok().flatten();
        let optimistic = writes.and_then(|writes| Some((StoredState::of(claimed).ok()?, writes)));
        Self { token, row, response, optimistic }
    }

    /// The row of the attempt, complete.
    pub(crate) fn row(&self) -> &Attempt {
        &self.row
    }

    /// Completes the attempt: from the claim if nothing changed since, else from what is stored.
    pub(crate) fn complete(
        &self,
        connection: &Connection,
        counts: &CountLog,
    ) -> rusqlite::Result<CompletionOutcome> {
        if let Some((claimed, writes)) = &self.optimistic
            && writes.write_if_unchanged(connection, claimed, self.response.as_deref())?
        {
            counts.add(writes.changes.iter().cloned());
            let queued = writes.queue_next(connection)?;
            return Ok(CompletionOutcome::Completed { queued, exhausted: writes.exhausted });
        }
        complete_stored(connection, counts, self.token, &self.row, self.response.as_deref())
    }
}

/// Completes an automatic attempt from the delivery and the row that are stored. A stored row that is complete stands,
/// and the delivery moves on from that.
pub(super) fn complete_stored(
    connection: &Connection,
    counts: &CountLog,
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
    let Some(writes) = CompletionWrites::new(&delivery, token, row, counts.counting())? else {
        return Ok(CompletionOutcome::Superseded);
    };
    writes.write(connection, response)?;
    let (queued, exhausted) = (writes.queue_next(connection)?, writes.exhausted);
    counts.add(writes.changes);
    Ok(CompletionOutcome::Completed { queued, exhausted })
}

/// What is stored of the state of a delivery.
struct StoredState {
    progress_json: String,
    failed: Option<i64>,
}

impl StoredState {
    fn of(delivery: &Delivery) -> rusqlite::Result<Self> {
        Ok(Self { progress_json: progress_json(delivery)?, failed: failed_accepted(delivery) })
    }
}

/// What a completion writes, but for the response.
struct CompletionWrites {
    row: Attempt,
    row_json: String,
    state: StoredState,
    successor: Option<QueueMessage>,
    /// What it changes for the deliveries behind it, and its number.
    order: Option<(u64, OrderChange)>,
    /// What it adds to the counts.
    changes: Vec<CountChange>,
    /// Whether the schedule of the delivery ends with it, without success.
    exhausted: bool,
}

impl CompletionWrites {
    /// None where the row is not complete, or the delivery is not in flight under the token.
    fn new(
        before: &Delivery,
        token: Uuid,
        mut row: Attempt,
        counting: Counting,
    ) -> rusqlite::Result<Option<Self>> {
        let mut delivery = before.clone();
        let Some(completion) = row.completion() else { return Ok(None) };
        let Ok(next_attempt_at) = delivery.complete(token, completion) else { return Ok(None) };
        row.next_attempt_at = next_attempt_at;
        let of_delivery = counting.delivery(Some(before), Some(&delivery));
        Ok(Some(Self {
            changes: of_delivery.into_iter().chain(counting.attempt(None, &row)).collect(),
            row_json: to_json(&row)?,
            state: StoredState::of(&delivery)?,
            successor: QueueMessage::for_next_attempt(&delivery),
            order: OrderChange::of(&row, &delivery),
            exhausted: is_exhausted_now(before, &delivery),
            row,
        }))
    }

    /// Writes the completion if the progress of the delivery is stored as this text, and the row as `sending`. False, and
    /// nothing is changed, if not.
    fn write_if_unchanged(
        &self,
        connection: &Connection,
        claimed: &StoredState,
        response: Option<&[u8]>,
    ) -> rusqlite::Result<bool> {
        let (tenant, trace) = (self.row.tenant.as_str(), self.row.trace_id.uuid());
        let mut replace_state = connection.prepare_cached(
            "UPDATE deliveries SET progress = ?4, failed = ?5 WHERE tenant = ?1 AND trace = ?2 AND progress = ?3",
        )?;
        let mut replace = |from: &StoredState, to: &StoredState| {
            let state = params![tenant, trace.as_bytes(), from.progress_json, to.progress_json, to.failed];
            replace_state.execute(state)
        };
        if replace(claimed, &self.state)? == 0 {
            return Ok(false);
        }
        if !self.replace_row(connection, UPDATE_SENDING_ROW)? {
            replace(&self.state, claimed)?;
            return Ok(false);
        }
        self.put_response(connection, response)?;
        Ok(true)
    }

    /// Writes the completion, whatever is stored.
    fn write(&self, connection: &Connection, response: Option<&[u8]>) -> rusqlite::Result<()> {
        connection
            .prepare_cached(
                "UPDATE deliveries SET progress = ?3, failed = ?4 WHERE tenant = ?1 AND trace = ?2",
            )?
            .execute(params![
                self.row.tenant.as_str(),
                self.row.trace_id.uuid().as_bytes(),
                self.state.progress_json,
                self.state.failed,
            ])?;
        if !self.replace_row(connection, UPDATE_ROW)? {
            // The row that the claim stored is lost.
            put_attempt(connection, &self.row)?;
        }
        self.put_response(connection, response)
    }

    /// Replaces the stored row, by one of the two statements. False where that finds none.
    fn replace_row(&self, connection: &Connection, update: &str) -> rusqlite::Result<bool> {
        let row = &self.row;
        let replaced = connection.prepare_cached(update)?.execute(params![
            row.tenant.as_str(),
            row.loan_id.as_str(),
            row.id.uuid().as_bytes(),
            self.row_json
        ])?;
        Ok(replaced > 0)
    }

    fn put_response(&self, connection: &Connection, response: Option<&[u8]>) -> rusqlite::Result<()> {
        let stored = self.row.completion().and_then(|completion| completion.response.as_ref());
        if let (Some(stored), Some(bytes)) = (stored, response) {
            payloads::put(connection, &self.row.tenant, stored.payload, bytes)?;
        }
        Ok(())
    }

    /// Puts the messages that follow.
    fn queue_next(&self, connection: &Connection) -> rusqlite::Result<Vec<QueueMessage>> {
        let mut queued = Vec::new();
        if let Some(message) = &self.successor {
            put_message(connection, message)?;
            queued.push(message.clone());
        }
        if let (Some(change), Some(completion)) = (self.order, self.row.completion()) {
            queued.extend(order::record_change(connection, &self.row, change, completion.ended_at)?);
        }
        Ok(queued)
    }
}
