//! Resends: queued, taken, ended. Each is one transaction, and none moves a schedule.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Connection;
use uuid::Uuid;

use super::idempotency::{self, Kind};
use super::tables::{attempt, delete_message, delivery, put_attempt, put_message, put_progress};
use super::unreadable::or_none;
use super::writer::Class;
use super::{Embedded, payloads};
use loanhook_core::log;
use loanhook_core::model::attempt::{Attempt, AttemptState};
use loanhook_core::model::id::{AttemptId, LoanId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    EnqueueOutcome, IdempotencyKey, QueueMessage, ResendClaimOutcome, Resends, StoreResult,
};

impl Resends for Embedded {
    async fn enqueue_resend(
        &self,
        row: Attempt,
        key: Option<IdempotencyKey>,
        now: Timestamp,
    ) -> StoreResult<EnqueueOutcome> {
        let lanes = Arc::clone(&self.0.lanes);
        let message = QueueMessage::for_resend(&row, now);
        let added = [message.clone()];
        let work = move |connection: &Connection| {
            if let Some(key) = &key
                && let Some((trace, id)) = idempotency::remember(
                    connection,
                    &row.tenant,
                    Kind::Resend,
                    key,
                    &(row.trace_id, row.id),
                    now,
                )?
            {
                return Ok(EnqueueOutcome::Duplicate(trace, id));
            }
            if let Some(mut delivery) = delivery(connection, &row.tenant, row.trace_id)? {
                delivery.record_resend(row.id);
                put_progress(connection, &delivery)?;
            }
            put_attempt(connection, &row)?;
            put_message(connection, &message)?;
            Ok(EnqueueOutcome::Enqueued)
        };
        self.0.writer.run(Class::Intake(1024), work, move |_| lanes.add(&added)).await
    }

    async fn claim_resend(
        &self,
        message: &QueueMessage,
        loan: &LoanId,
        id: AttemptId,
        token: Uuid,
        now: Timestamp,
    ) -> StoreResult<ResendClaimOutcome> {
        let (message, loan) = (message.clone(), loan.clone());
        let work = move |connection: &Connection| {
            delete_message(connection, &message)?;
            // What cannot be read is said, and not sent.
            let of = format_args!("resend {id} of delivery {} of {}", message.trace_id, message.tenant)
                .to_string();
            let row = or_none(attempt(connection, &message.tenant, &loan, id), &of)?;
            let delivery = or_none(delivery(connection, &message.tenant, message.trace_id), &of)?;
            let (Some(mut row), Some(delivery)) = (row, delivery) else {
                return Ok((false, ResendClaimOutcome::NotClaimed(None)));
            };
            let was_queued = row.state == AttemptState::Queued;
            let won = row.claim(token, now);
            if was_queued {
                put_attempt(connection, &row)?;
            }
            let row = Box::new(row);
            Ok((
                was_queued,
                if won {
                    ResendClaimOutcome::Claimed(Box::new((delivery, *row)))
                } else {
                    ResendClaimOutcome::NotClaimed(Some(row))
                },
            ))
        };
        let then = |taken: &mut (bool, ResendClaimOutcome)| {
            if let (true, ResendClaimOutcome::NotClaimed(Some(too_late))) = taken {
                log::attempt(too_late);
            }
        };
        self.0.writer.run(Class::Progress, work, then).await.map(|(_, taken)| taken)
    }

    async fn complete_resend(&self, token: Uuid, row: Attempt, response: Option<Bytes>) -> StoreResult<bool> {
        let end = Arc::new((row, response));
        let work = move |connection: &Connection| settle(connection, token, &end.0, end.1.as_deref());
        self.0.writer.run_until_done(work, |_| ()).await
    }

    async fn release_resend(&self, token: Uuid, row: Attempt, due: Timestamp) -> StoreResult<bool> {
        self.release_queued(token, row, due).await
    }
}

/// Ends a resend. False if its row is not the token's.
pub(super) fn settle(
    connection: &Connection,
    token: Uuid,
    row: &Attempt,
    response: Option<&[u8]>,
) -> rusqlite::Result<bool> {
    let stored = attempt(connection, &row.tenant, &row.loan_id, row.id);
    let stored = or_none(stored, &format_args!("attempt {} of {}", row.id, row.tenant))?;
    if stored.is_none_or(|stored| stored.state != AttemptState::Sending { token }) {
        return Ok(false);
    }
    let Some(completion) = row.completion() else { return Ok(false) };
    if let (Some(stored), Some(bytes)) = (&completion.response, response) {
        payloads::put(connection, &row.tenant, stored.payload, bytes)?;
    }
    put_attempt(connection, row)?;
    if completion.succeeded()
        && let Some(mut delivery) = delivery(connection, &row.tenant, row.trace_id)?
    {
        delivery.record_resend_success();
        put_progress(connection, &delivery)?;
    }
    Ok(true)
}
