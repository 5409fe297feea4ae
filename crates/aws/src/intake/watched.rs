//! Intake of an event that triggers watch.
//!
//! The trigger state of a loan is one item with a version. An event that changes it writes it together with its
//! idempotency record and the event of the ledger in one transaction, on condition that the version is the one that was
//! read; else the event is evaluated again on the new state. So there is no change of a state without the event that
//! made it. The deliveries of the triggers that fire are put before, as there may be more of them than a transaction takes:
//! without a message and an entry in the index of what is due nobody knows of them, and where the transaction is refused they
//! are deleted. Deliveries of other subscriptions are put after it. A caller without a key who is refused then, or a function
//! that dies, leaves an event that nobody was promised, whose verdicts name a delivery that may not exist.
//! The payload of the event is put before, too: nothing but its name is in the event.

use std::collections::{BTreeSet, HashSet};

use aws_sdk_dynamodb::types::TransactWriteItem;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::{try_join, try_join3};
use futures_util::stream::{self, TryStreamExt as _};

use crate::due_index::is_deferred;
use crate::engine::Aws;
use crate::intake::unwatched::PutKind;
use crate::items::call_errors::store_error;
use crate::items::item::{document, get_number, json, number};
use crate::items::key_schema::{self, DOC, IdempotencyScope, NEWEST_AUTO, OrderedLoan, VERSION};
use crate::items::transaction::{Refusal, TransactionOutcome, TransactionPart as _};
use crate::items::unreadable::readable;
use crate::order::FIRST_ATTEMPT;
use crate::sdk::MAX_CONCURRENT_CALLS;
use crate::sdk::back_off::back_off;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{LoanId, SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::trigger_state::TriggerState;
use loanhook_core::ports::{
    AcceptOutcome, AcceptRequest, Attempts as _, IdempotencyKey, IdempotencyRecord, QueueMessage, StoreError,
    StoreResult, Subscriptions as _,
};

/// How often an event is evaluated again because another event changed the state that it read.
const MAX_TRIES: u32 = 16;
/// The wait before the next try grows up to this one: a caller waits for all of them.
const MAX_BACK_OFF_INDEX: u32 = 3;

/// The outcome of writing a trigger state.
enum CommitOutcome {
    Committed,
    /// The event's idempotency key was used before.
    Duplicate(IdempotencyRecord),
    /// Another event of the loan came first.
    Conflict,
}

impl Aws {
    /// Stores an event that triggers watch, and its deliveries.
    pub(super) async fn accept_watched(&self, request: AcceptRequest) -> StoreResult<AcceptOutcome> {
        let AcceptRequest { tenant, loan_id: loan, now, .. } = &request;
        let mut payloads = HashSet::new();
        for try_index in 0..MAX_TRIES {
            let (before, version) = self.trigger_state(tenant, loan).await?;
            if try_index == 0 {
                self.enqueue_recently_fired(&request, &before).await?;
            }
            let mut after = before.clone();
            let (mut fired, mut verdicts) = (Vec::new(), Vec::new());
            for watched in &request.watched {
                let rises = after.update(watched.watch, watched.trace_if_fired(), *now);
                fired.extend(watched.delivery.as_ref().filter(|_| rises));
                verdicts.push(watched.verdict(rises));
            }
            if after == before {
                return self.accept_unwatched(request.with_verdicts(&verdicts)).await;
            }
            if after.has_deleted_triggers() {
                after.keep(&self.subscriptions(tenant).await?);
            }
            let messages = self.put_deliveries(tenant, &fired, PutKind::Undecided, &mut payloads).await?;
            let put_state = self.put_trigger_state(tenant, loan, &after, version)?;
            let event = self.kept_event(request.event.clone().map(|new| new.with_verdicts(&verdicts)));
            let put_event = match &event {
                Some(new) => {
                    self.put_event_payload(new, &mut payloads).await?;
                    Some(self.put_of_event(&new.event)?.part()?)
                }
                None => None,
            };
            let record = request.idempotency.as_ref();
            let record = record.map(|(key, record)| (key, record.clone().with_verdicts(&verdicts)));
            match self.commit_trigger_state(tenant, put_state, record, put_event, *now).await? {
                CommitOutcome::Committed => {
                    let deliveries: Vec<_> = request.deliveries.iter().collect();
                    // Side by side: what fired is stored and its trigger's state says so, and a repeat finishes either.
                    let in_order = &request.in_order;
                    let rest = self.put_and_enqueue(tenant, None, &deliveries, in_order, &mut payloads);
                    try_join(rest, self.enqueue_fired((tenant, loan), in_order, messages)).await?;
                    let fired = fired.iter().map(|(delivery, _)| delivery.snapshot.subscription_id).collect();
                    return Ok(AcceptOutcome::Stored { fired });
                }
                CommitOutcome::Duplicate(known) => {
                    self.delete_unattempted(tenant, &fired, &BTreeSet::new()).await?;
                    return Ok(AcceptOutcome::Duplicate(known));
                }
                CommitOutcome::Conflict => {
                    self.delete_unattempted(tenant, &fired, &BTreeSet::new()).await?;
                    back_off(try_index.min(MAX_BACK_OFF_INDEX)).await;
                }
            }
        }
        Err(StoreError::Busy)
    }

    /// The trigger state of a loan, and its version: 0 where there is none.
    async fn trigger_state(&self, tenant: &TenantId, loan: &LoanId) -> StoreResult<(TriggerState, u64)> {
        let Some(item) = self.get(key_schema::trigger_state(tenant, loan)).await? else {
            return Ok((TriggerState::default(), 0));
        };
        // Where it cannot be read, the state of each trigger is unknown, as before the loan's first event.
        let state = readable(std::slice::from_ref(&item), document).pop().unwrap_or_default();
        Ok((state, get_number(&item, VERSION).unwrap_or(0)))
    }

    /// The put of a trigger state, on condition that the version is still this one.
    fn put_trigger_state(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        state: &TriggerState,
        version: u64,
    ) -> StoreResult<TransactWriteItem> {
        let mut item = key_schema::trigger_state(tenant, loan).attributes();
        item.insert(DOC.into(), json(state)?);
        item.insert(VERSION.into(), number(version + 1));
        let put = match version {
            0 => self.put_if(item, "attribute_not_exists(#version)"),
            version => self
                .put_if(item, "#version = :before")
                .expression_attribute_values(":before", number(version)),
        };
        put.expression_attribute_names("#version", VERSION).part()
    }

    async fn commit_trigger_state(
        &self,
        tenant: &TenantId,
        put_state: TransactWriteItem,
        idempotency: Option<(&IdempotencyKey, IdempotencyRecord)>,
        put_event: Option<TransactWriteItem>,
        now: Timestamp,
    ) -> StoreResult<CommitOutcome> {
        let mut parts = vec![put_state];
        if let Some((key, record)) = &idempotency {
            let put = self.put_idempotency_item(tenant, IdempotencyScope::Event, key, json(record)?, now);
            parts.push(put.part()?);
        }
        parts.extend(put_event);
        match self.transact(parts).await? {
            TransactionOutcome::Done => Ok(CommitOutcome::Committed),
            TransactionOutcome::Refused(refusals) => {
                let of_record = refusals.into_iter().nth(1).filter(|_| idempotency.is_some());
                match of_record {
                    Some(Refusal::Condition(Some(item))) => Ok(CommitOutcome::Duplicate(document(&item)?)),
                    _ => Ok(CommitOutcome::Conflict),
                }
            }
        }
    }

    /// Deletes deliveries of an event that is not accepted; those of subscriptions that keep an order, which are these, with their
    /// numbers.
    pub(super) async fn delete_unattempted(
        &self,
        tenant: &TenantId,
        fired: &[&(Delivery, Bytes)],
        in_order: &BTreeSet<SubscriptionId>,
    ) -> StoreResult<()> {
        let (numbered, others): (Vec<_>, Vec<_>) = fired
            .iter()
            .map(|(delivery, _)| &delivery.snapshot)
            .partition(|snapshot| in_order.contains(&snapshot.subscription_id));
        let deletes: Vec<_> = others
            .iter()
            .map(|snapshot| {
                self.dynamodb()
                    .delete_item()
                    .table_name(self.table())
                    .set_key(Some(key_schema::delivery(tenant, snapshot.trace_id).attributes()))
                    .condition_expression("attribute_not_exists(#newest)")
                    .expression_attribute_names("#newest", NEWEST_AUTO)
                    .send()
            })
            .collect();
        let deleted = stream::iter(deletes)
            .buffer_unordered(MAX_CONCURRENT_CALLS)
            .map(|deleted| deleted.map_err(store_error));
        let deleted = deleted.try_collect::<Vec<_>>().await.map(drop);
        for snapshot in numbered {
            self.take_back(&OrderedLoan::of(snapshot), snapshot.trace_id).await?;
        }
        deleted
    }

    /// Queues again the messages of triggers that fired a short while ago and whose deliveries were never attempted: the
    /// caller that stored them may have died before it queued their messages.
    async fn enqueue_recently_fired(&self, request: &AcceptRequest, state: &TriggerState) -> StoreResult<()> {
        let AcceptRequest { tenant, loan_id, watched, in_order, now, .. } = request;
        let fired =
            watched.iter().filter_map(|watched| state.fired_recently(watched.watch.subscription, *now));
        let reads: Vec<_> = fired.map(|trace| self.delivery(tenant, trace)).collect();
        let read: Vec<_> = stream::iter(reads).buffered(MAX_CONCURRENT_CALLS).try_collect().await?;
        let unattempted = read.iter().flatten().filter(|delivery| delivery.history.newest_attempt.is_none());
        let messages: Vec<_> = unattempted.filter_map(QueueMessage::for_next_attempt).collect();
        self.enqueue_fired((tenant, loan_id), in_order, messages).await
    }

    /// Puts deliveries of triggers that fired into the index of what is due, and queues those that are due soon. Those of
    /// subscriptions that keep an order are numbered.
    async fn enqueue_fired(
        &self,
        (tenant, loan): (&TenantId, &LoanId),
        in_order: &BTreeSet<SubscriptionId>,
        messages: Vec<QueueMessage>,
    ) -> StoreResult<()> {
        let now = (self.stack().clock)();
        let (ordered, messages): (Vec<_>, Vec<_>) =
            messages.into_iter().partition(|message| in_order.contains(&message.subscription_id));
        let due_soon = messages.iter().filter(|message| !is_deferred(message.due, now)).cloned().collect();
        let puts: Vec<_> =
            messages.iter().map(|message| self.put_in_due_index(message, FIRST_ATTEMPT, now)).collect();
        let puts = stream::iter(puts).buffer_unordered(MAX_CONCURRENT_CALLS).try_collect::<Vec<_>>();
        let numbered = async {
            for first in &ordered {
                let (subscription, loan) = (first.subscription_id, loan.clone());
                let loan = OrderedLoan { tenant: tenant.clone(), subscription, loan };
                let message = self.promise_in_order(&loan, first).await?;
                self.enqueue_accepted(tenant, message.into_iter().collect()).await?;
            }
            Ok(())
        };
        // Side by side, as either of the first two alone has the delivery sent.
        try_join3(self.enqueue_accepted(tenant, due_soon), puts, numbered).await.map(drop)
    }
}
