//! What a sender that died left behind.
//!
//! In one process a sender dies only with the process, or by a panic of its own. Its row is completed as
//! interrupted, and the next attempt is due at once; an interrupted resend is not repeated.

use rusqlite::Connection;

use super::tables::from_json;
use super::{Embedded, deliveries, resends};
use crate::log;
use crate::model::attempt::{Attempt, AttemptState, Completion, SENDER_DIED};
use crate::model::time::Timestamp;
use crate::ports::{Due, Stored, Wake};

/// Interrupts whatever was in flight when the process before this one ended.
pub(super) fn interrupt_all(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    let rows: Vec<Attempt> = transaction
        .prepare("SELECT doc FROM attempts WHERE sending = 1")?
        .query_map([], |row| from_json(row, 0))?
        .collect::<Result<_, _>>()?;
    for row in rows {
        interrupt(&transaction, row, now)?;
    }
    transaction.commit()
}

fn interrupt(connection: &Connection, mut row: Attempt, now: Timestamp) -> rusqlite::Result<Option<Wake>> {
    let AttemptState::Sending { token } = row.state else { return Ok(None) };
    row.state = AttemptState::Complete(Completion::interrupted(now, SENDER_DIED));
    log::attempt(&row);
    if row.is_manual() {
        resends::settle(connection, token, &row, None)?;
        return Ok(None);
    }
    Ok(deliveries::settle(connection, token, &row, None)?.flatten())
}

impl Embedded {
    /// Interrupts what the handler of a message had in flight when it panicked.
    pub(super) async fn interrupt(&self, wake: &Wake, now: Timestamp) -> Stored<()> {
        let wake = wake.clone();
        let lanes = std::sync::Arc::clone(&self.0.lanes);
        let work = move |connection: &Connection| {
            let rows: Vec<Attempt> = connection
                .prepare("SELECT doc FROM attempts WHERE sending = 1 AND trace = ?1")?
                .query_map([wake.trace_id.uuid().as_bytes()], |row| from_json(row, 0))?
                .collect::<Result<_, _>>()?;
            let theirs = |row: &Attempt| match &wake.what {
                Due::Attempt(_) => !row.is_manual(),
                Due::Resend { attempt_id, .. } => row.id == *attempt_id,
            };
            let mut next = Vec::new();
            for row in rows.into_iter().filter(theirs) {
                next.extend(interrupt(connection, row, now)?);
            }
            Ok(next)
        };
        self.0.writer.run_until_done(work, move |next: &mut Vec<Wake>| lanes.add(next)).await.map(|_| ())
    }
}
