//! Resends: put into the queue, claimed, completed, released. Each is one operation of the writer, and none moves a
//! schedule.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Connection;
use uuid::Uuid;

use super::counts::CountLog;
use super::flow_states::{self, ChangedState};
use super::idempotency::{self, KeyScope};
use super::operational::{Ended, Recorded};
use super::queue::messages::{delete_message, put_message};
use super::rows::{attempt_exists, find_attempt, find_delivery, put_attempt, put_progress};
use super::unreadable::none_if_unreadable;
use super::writer::Priority;
use super::{SqliteEngine, payloads};
use loanhook_core::log;
use loanhook_core::model::attempt::{Attempt, AttemptState};
use loanhook_core::model::id::{AttemptId, LoanId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    EarlierResend, EnqueueOutcome, IdempotencyKey, QueueMessage, ResendClaimOutcome, Resends, StoreResult,
};

/// What a resend counts as where the bytes of waiting work are bounded.
const RESEND_BYTES: usize = 1024;

impl Resends for SqliteEngine {
    async fn enqueue_resend(
        &self,
        row: Attempt,
        key: Option<IdempotencyKey>,
        now: Timestamp,
    ) -> StoreResult<EnqueueOutcome> {
        let (scheduler, counts) = (Arc::clone(&self.0.scheduler), Arc::clone(&self.0.counts));
        let message = QueueMessage::for_resend(&row, now);
        let queued = [message.clone()];
        let work = move |connection: &Connection| {
            if let Some(key) = &key
                && let Some(earlier) = find_earlier(connection, &row, key, now)?
            {
                return Ok(EnqueueOutcome::Duplicate(earlier));
            }
            if let Some(named) = row.resend_of
                && !attempt_exists(connection, &row.tenant, &row.loan_id, named)?
            {
                return Ok(EnqueueOutcome::NamedAttemptReleased);
            }
            if let Some(key) = &key {
                let record = (row.trace_id, row.id);
                idempotency::put(connection, &row.tenant, KeyScope::Resend, key, &record, now)?;
            }
            if let Some(mut delivery) = find_delivery(connection, &row.tenant, row.trace_id)? {
                delivery.record_resend(row.id);
                put_progress(connection, &delivery)?;
            }
            put_attempt(connection, &row)?;
            counts.add(counts.counting().attempt(None, &row));
            put_message(connection, &message)?;
            Ok(EnqueueOutcome::Enqueued)
        };
        let schedule = move |outcome: &mut EnqueueOutcome| {
            if *outcome == EnqueueOutcome::Enqueued {
                scheduler.add_messages(&queued);
            }
        };
        self.0.writer.run(Priority::NewWork { bytes: RESEND_BYTES }, work, schedule).await
    }

    async fn earlier_resend(
        &self,
        asked: &Attempt,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> StoreResult<Option<EarlierResend>> {
        let (asked, key) = (asked.clone(), key.clone());
        self.read(move |connection| find_earlier(connection, &asked, &key, now)).await
    }

    async fn claim_resend(
        &self,
        message: &QueueMessage,
        loan: &LoanId,
        id: AttemptId,
        token: Uuid,
        now: Timestamp,
    ) -> StoreResult<ResendClaimOutcome> {
        let (subscription, scheduler) = (message.subscription_id, Arc::clone(&self.0.scheduler));
        let (message, loan, counts) = (message.clone(), loan.clone(), Arc::clone(&self.0.counts));
        let work =
            move |connection: &Connection| claim(connection, &counts, &message, (&loan, id), token, now);
        let follow = move |(outcome, was_queued): &mut (ResendClaimOutcome, bool)| {
            let ResendClaimOutcome::NotClaimed(row) = outcome else { return };
            scheduler.take_back_sent(subscription);
            if let (Some(expired), true) = (row, *was_queued) {
                log::attempt(expired);
            }
        };
        let (outcome, _) = self.0.writer.run(Priority::ExistingWork, work, follow).await?;
        Ok(outcome)
    }

    async fn complete_resend(&self, token: Uuid, row: Attempt, response: Option<Bytes>) -> StoreResult<bool> {
        let (completed, counts) = (Arc::new((row, response)), Arc::clone(&self.0.counts));
        let (ended, scheduler) = (Arc::clone(&completed), Arc::clone(&self.0.scheduler));
        let flows = Arc::clone(&scheduler);
        let operational = Arc::clone(&self.0.operational);
        let recording = Arc::clone(&operational);
        let work = move |connection: &Connection| {
            let (row, response) = &*completed;
            if !complete_stored(connection, &counts, token, row, response.as_deref())? {
                return Ok((false, None, Recorded::default()));
            }
            let flow = flow_states::record_end(connection, &flows, row)?;
            let ended = Ended { row, exhausted: false, flow: flow.as_ref() };
            let recorded = recording.record_end(connection, ended)?;
            Ok((true, flow, recorded))
        };
        let follow = move |(_, flow, recorded): &mut (bool, Option<ChangedState>, Recorded)| {
            flow_states::follow_end(&scheduler, &ended.0, flow.as_ref());
            operational.follow(recorded);
        };
        let (is_completed, ..) = self.0.writer.run_until_committed(work, follow).await?;
        Ok(is_completed)
    }

    async fn release_resend(&self, token: Uuid, mut row: Attempt, due: Timestamp) -> StoreResult<bool> {
        row.release(due);
        let (scheduler, counts) = (Arc::clone(&self.0.scheduler), Arc::clone(&self.0.counts));
        let message = QueueMessage::for_resend(&row, due);
        let queued = [message.clone()];
        let work = move |connection: &Connection| {
            let stored = find_attempt(connection, &row.tenant, &row.loan_id, row.id)?;
            let Some(stored) = stored.filter(|stored| stored.state == AttemptState::Sending { token }) else {
                return Ok(false);
            };
            put_attempt(connection, &row)?;
            counts.add(counts.counting().attempt(Some(&stored), &row));
            put_message(connection, &message)?;
            Ok(true)
        };
        self.0.writer.run_until_committed(work, move |_| scheduler.add_messages(&queued)).await
    }
}

/// The resend that was enqueued with this key before; `asked` is the row that would be stored now.
fn find_earlier(
    connection: &Connection,
    asked: &Attempt,
    key: &IdempotencyKey,
    now: Timestamp,
) -> rusqlite::Result<Option<EarlierResend>> {
    let found: Option<(TraceId, AttemptId)> =
        idempotency::find(connection, &asked.tenant, KeyScope::Resend, key, now)?;
    let Some((trace_id, attempt)) = found else { return Ok(None) };
    let row = match trace_id == asked.trace_id {
        true => find_attempt(connection, &asked.tenant, &asked.loan_id, attempt)?,
        false => None,
    };
    Ok(Some(EarlierResend { trace_id, attempt, to: row.map(|row| row.resend_to()) }))
}

/// Claims a resend, and says whether its row was queued until then. A queued row that is not claimed has waited for too
/// long: it is completed as interrupted.
fn claim(
    connection: &Connection,
    counts: &CountLog,
    message: &QueueMessage,
    (loan, id): (&LoanId, AttemptId),
    token: Uuid,
    now: Timestamp,
) -> rusqlite::Result<(ResendClaimOutcome, bool)> {
    delete_message(connection, message)?;
    // What cannot be read is logged, and not sent.
    let of = format_args!("resend {id} of delivery {} of {}", message.trace_id, message.tenant).to_string();
    let row = none_if_unreadable(find_attempt(connection, &message.tenant, loan, id), &of)?;
    let delivery = none_if_unreadable(find_delivery(connection, &message.tenant, message.trace_id), &of)?;
    let (Some(mut row), Some(delivery)) = (row, delivery) else {
        return Ok((ResendClaimOutcome::NotClaimed(None), false));
    };
    let (before, was_queued) = (row.clone(), row.state == AttemptState::Queued);
    let claimed = row.claim(token, now);
    if was_queued {
        put_attempt(connection, &row)?;
        counts.add(counts.counting().attempt(Some(&before), &row));
    }
    let outcome = match claimed {
        true => ResendClaimOutcome::Claimed(Box::new((delivery, row))),
        false => ResendClaimOutcome::NotClaimed(Some(Box::new(row))),
    };
    Ok((outcome, was_queued))
}

/// Completes a resend. False, and nothing is written, if its row is not stored as `sending` under the token.
pub(super) fn complete_stored(
    connection: &Connection,
    counts: &CountLog,
    token: Uuid,
    row: &Attempt,
    response: Option<&[u8]>,
) -> rusqlite::Result<bool> {
    let stored = find_attempt(connection, &row.tenant, &row.loan_id, row.id);
    let stored = none_if_unreadable(stored, &format_args!("attempt {} of {}", row.id, row.tenant))?;
    let Some(stored) = stored.filter(|stored| stored.state == AttemptState::Sending { token }) else {
        return Ok(false);
    };
    let Some(completion) = row.completion() else { return Ok(false) };
    if let (Some(kept), Some(bytes)) = (&completion.response, response) {
        payloads::put(connection, &row.tenant, kept.payload, bytes)?;
    }
    put_attempt(connection, row)?;
    counts.add(counts.counting().attempt(Some(&stored), row));
    if completion.succeeded()
        && let Some(mut delivery) = find_delivery(connection, &row.tenant, row.trace_id)?
    {
        let before = delivery.clone();
        delivery.record_resend_success();
        put_progress(connection, &delivery)?;
        counts.add(counts.counting().delivery(Some(&before), Some(&delivery)));
    }
    Ok(true)
}
