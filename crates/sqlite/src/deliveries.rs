//! Deliveries and their queue, as the ports have them: each call is one operation of the writer.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Connection;
use uuid::Uuid;

use super::SqliteEngine;
use super::counts::CountLog;
use super::dispatch::claim::claim_handled_message;
use super::dispatch::completion::{CompletionOutcome, PreparedCompletion};
use super::dispatch::release::release_claim;
use super::flow_states::{self, ChangedState};
use super::operational::{Ended, Recorded};
use super::order::{self, Numbered};
use super::queue::messages::{delete_message, put_message};
use super::rows::{find_delivery, put_progress, replace_snapshot};
use super::writer::Priority;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::progress::Progress;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    CancelOutcome, ClaimOutcome, Deliveries, Queue, QueueMessage, ReleaseOutcome, StoreResult,
};

impl Deliveries for SqliteEngine {
    async fn claim(
        &self,
        message: &QueueMessage,
        number: u32,
        token: Uuid,
        now: Timestamp,
    ) -> StoreResult<ClaimOutcome> {
        let (message, scheduler) = (message.clone(), Arc::clone(&self.0.scheduler));
        let work =
            move |connection: &Connection| claim_handled_message(connection, &message, number, token, now);
        let follow = move |(_, later): &mut (ClaimOutcome, Option<QueueMessage>)| {
            scheduler.add_messages(later.as_slice());
        };
        let (outcome, _) = self.0.writer.run(Priority::ExistingWork, work, follow).await?;
        Ok(outcome)
    }

    async fn complete(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: Attempt,
        response: Option<Bytes>,
    ) -> StoreResult<bool> {
        let (scheduler, counts) = (Arc::clone(&self.0.scheduler), Arc::clone(&self.0.counts));
        let completion = Arc::new(PreparedCompletion::new(claimed, token, row, response, counts.counting()));
        let (flows, completed) = (Arc::clone(&scheduler), Arc::clone(&completion));
        let operational = Arc::clone(&self.0.operational);
        let recording = Arc::clone(&operational);
        let work = move |connection: &Connection| {
            let outcome = completion.complete(connection, &counts)?;
            let CompletionOutcome::Completed { exhausted, .. } = outcome else {
                return Ok((outcome, None, Recorded::default()));
            };
            let row = completion.row();
            let flow = flow_states::record_end(connection, &flows, row)?;
            let ended = Ended { row, exhausted, flow: flow.as_ref() };
            let recorded = recording.record_end(connection, ended)?;
            Ok((outcome, flow, recorded))
        };
        let follow =
            move |(outcome, flow, recorded): &mut (CompletionOutcome, Option<ChangedState>, Recorded)| {
                scheduler.add_messages(outcome.queued_messages());
                flow_states::follow_end(&scheduler, completed.row(), flow.as_ref());
                operational.follow(recorded);
            };
        // Its process permit is held until it is committed.
        let can_wait = self.0.admission.has_spare_permits();
        let priority = if can_wait { Priority::Completion } else { Priority::ExistingWork };
        let (outcome, ..) = self.0.writer.complete(priority, work, follow).await?;
        Ok(matches!(outcome, CompletionOutcome::Completed { .. }))
    }

    async fn release(
        &self,
        claimed: &Delivery,
        token: Uuid,
        row: &Attempt,
        due: Timestamp,
    ) -> StoreResult<ReleaseOutcome> {
        let subscription = row.subscription_id;
        let (row, resends, scheduler) = (row.clone(), claimed.history.resends, Arc::clone(&self.0.scheduler));
        let work = move |connection: &Connection| release_claim(connection, (token, resends), &row, due);
        let schedule = move |(_, queued): &mut (ReleaseOutcome, Option<QueueMessage>)| {
            scheduler.add_messages(queued.as_slice());
            scheduler.end_probe(subscription);
        };
        let (outcome, _) = self.0.writer.run_until_committed(work, schedule).await?;
        Ok(outcome)
    }

    async fn replace_frozen_headers(&self, delivery: &Delivery) -> StoreResult<()> {
        let snapshot = delivery.snapshot.clone();
        let work = move |connection: &Connection| replace_snapshot(connection, &snapshot);
        self.0.writer.run(Priority::ExistingWork, work, |()| ()).await
    }

    async fn cancel(&self, tenant: &TenantId, trace: TraceId) -> StoreResult<CancelOutcome> {
        let (tenant, counts) = (tenant.clone(), Arc::clone(&self.0.counts));
        let scheduler = Arc::clone(&self.0.scheduler);
        let work =
            move |connection: &Connection| cancel_delivery(connection, &counts, (&tenant, trace), |_| true);
        let follow = move |(_, behind): &mut (CancelOutcome, Option<QueueMessage>)| {
            scheduler.add_messages(behind.as_slice());
        };
        let (outcome, _) = self.0.writer.run(Priority::ExistingWork, work, follow).await?;
        Ok(outcome)
    }
}

/// Ends the automatic attempts of a delivery that is pending and of which this holds, with the message of the next. Gives the
/// message of the one that waited behind it.
pub(crate) fn cancel_delivery(
    connection: &Connection,
    counts: &CountLog,
    (tenant, trace): (&TenantId, TraceId),
    is_meant: impl FnOnce(&Progress) -> bool,
) -> rusqlite::Result<(CancelOutcome, Option<QueueMessage>)> {
    let Some(mut delivery) = find_delivery(connection, tenant, trace)? else {
        return Ok((CancelOutcome::NotFound, None));
    };
    let next = QueueMessage::for_next_attempt(&delivery);
    let before = delivery.clone();
    if !is_meant(&delivery.progress) || delivery.cancel().is_err() {
        return Ok((CancelOutcome::NotPending, None));
    }
    put_progress(connection, &delivery)?;
    counts.add(counts.counting().delivery(Some(&before), Some(&delivery)));
    let Some(next) = next else { return Ok((CancelOutcome::Canceled, None)) };
    delete_message(connection, &next)?;
    // Nothing is in flight of it, so it has ended.
    let behind = match Numbered::of(&delivery.snapshot) {
        Some(numbered) => order::end(connection, numbered, Timestamp::now())?,
        None => None,
    };
    Ok((CancelOutcome::Canceled, behind))
}

impl Queue for SqliteEngine {
    async fn enqueue(&self, message: QueueMessage) -> StoreResult<()> {
        let scheduler = Arc::clone(&self.0.scheduler);
        let queued = [message.clone()];
        let work = move |connection: &Connection| put_message(connection, &message);
        self.0.writer.run(Priority::ExistingWork, work, move |()| scheduler.add_messages(&queued)).await
    }
}
