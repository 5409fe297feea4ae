//! The handler of a batch of messages that SQS hands to the delivery function.
//!
//! Its records are handled concurrently, each for itself: none that cannot be read, fails, panics or has no permit holds up others.
//!
//! - A record that is reported as failed is received again after the visibility timeout. That is for what this function
//!   could not do; the failure of a receiver is a result.
//! - A record for another queue or instance is sent there, and only then reported as done (`queue::route`).
//! - A record for which there is not enough time is sent again before its claim; one that is not done shortly before the
//!   invocation ends is reported as failed, while there is still time to respond for the others.
//! - A record that can never be handled is sent to the dead-letter queue from here. SQS would do that by receive counts,
//!   which also count our own failures: a long one of those must not make good messages dead letters.

mod plan;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use tokio::time::timeout_at;
use tracing::{error, warn};

use self::plan::{Plan, Readable, Results, results_of, split};
use super::dead_letters::UNREADABLE;
use super::message;
use super::permits::PermitUse;
use super::route::{InstanceId, QueueKind, Received, Receiver, Route, route};
use super::sending::{Outgoing, RETURNED, notes};
use crate::engine::Aws;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{MAX_RECORDING_TIME, Queue as _, QueueMessage, StoreError, StoreResult};

/// The longest time that a message takes: a request of 30 s, recording its result, and a second for its claim.
const MAX_MESSAGE_TIME: Duration = Duration::from_secs(31 + MAX_RECORDING_TIME.as_secs());
/// The time that it takes to respond for the whole batch.
const RESPONSE_TIME: Duration = Duration::from_secs(2);
/// How long after the end of an invocation what its requests took is theirs by another's clock.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(5);
/// How often a message is received whose handler panics, before it is a dead letter.
const MAX_PANICS: u32 = 3;

/// Handles batches with a handler of messages, which gets the time of its call and the time when it must have ended.
pub struct SqsBatchHandler<H> {
    engine: Aws,
    handler: Arc<H>,
    instance: Option<InstanceId>,
}

impl<H, F> SqsBatchHandler<H>
where
    H: Fn(QueueMessage, Timestamp, Instant) -> F + Send + Sync + 'static,
    F: Future<Output = StoreResult<()>> + Send + 'static,
{
    /// A handler that is closed to no receiver.
    pub fn new(engine: Aws, handler: H) -> Self {
        Self { engine, handler: Arc::new(handler), instance: None }
    }

    /// The same on an instance, which is closed to some receivers where there are others.
    #[must_use]
    pub fn on_instance(self, instance: InstanceId) -> Self {
        Self { instance: Some(instance), ..self }
    }

    /// Handles a batch until `end` at the latest; returns the records that SQS must deliver again.
    ///
    /// # Errors
    ///
    /// When such a record has no ID to be named by: SQS then delivers the whole batch again.
    pub async fn run(&self, batch: SqsEvent, end: SystemTime) -> StoreResult<SqsBatchResponse> {
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        let ends = Instant::now() + left.saturating_sub(RESPONSE_TIME);
        self.engine.refresh_slow_marks().await;
        if let Some(instance) = self.instance {
            self.engine.announce(instance);
        }
        let plan = self.plan(&batch);
        let dead_letters = plan.unreadable.into_iter().map(|record| self.dead_letter(record));
        let handled = plan.handled.into_iter().map(|readable| self.handle(readable, ends));
        let with_permit =
            plan.with_permit.into_iter().map(|(permit, of)| self.handle_with_permit(permit, of, ends));
        let (dead_letters, handled, with_permit, passed_on, returned) = tokio::join!(
            join_all(dead_letters),
            join_all(handled),
            join_all(with_permit),
            self.send(QueueKind::Slow, plan.passed_on, false),
            self.send(QueueKind::Fast, plan.returned, true),
        );
        self.engine.finish_background().await;
        let singles = dead_letters.into_iter().chain(handled);
        let results = singles.chain(with_permit.into_iter().flatten()).chain(passed_on).chain(returned);
        let mut response = SqsBatchResponse::default();
        for (record, result) in results {
            let Err(failure) = result else { continue };
            let id = record.message_id.as_deref().unwrap_or_default();
            error!(message_id = id, %failure, "delivery.put_off");
            if id.is_empty() {
                return Err(failure);
            }
            response.add_failure(id);
        }
        Ok(response)
    }

    fn plan<'a>(&self, batch: &'a SqsEvent) -> Plan<'a> {
        let mut plan = Plan::default();
        for record in &batch.records {
            let Some(message) = message::read(record.body.as_deref().unwrap_or_default()) else {
                plan.unreadable.push(record);
                continue;
            };
            let readable = Readable { record, message };
            match self.route(&readable) {
                Route::Handle => plan.handled.push(readable),
                Route::HandleWithPermit => {
                    plan.with_permit.entry(PermitUse::of(&readable.message)).or_default().push(readable);
                }
                Route::PassOn => plan.passed_on.push(readable),
                Route::Return => plan.returned.push(readable),
            }
        }
        plan
    }

    fn route(&self, Readable { record, message }: &Readable<'_>) -> Route {
        let now = Timestamp::now();
        let closed = |instance: InstanceId| instance.is_closed_to(&message.tenant, message.subscription_id);
        route(Received {
            message,
            from: self.queue_of(record),
            was_returned: record.message_attributes.contains_key(RETURNED),
            is_slow: self.engine.slow_marks().contains(&Receiver::of(message), now),
            is_closed: self.engine.slow_marks().has_closed_instances() && self.instance.is_some_and(closed),
            now,
        })
    }

    /// The queue that a record was received from: its ARN and the queue's URL end with the same name.
    fn queue_of(&self, record: &SqsMessage) -> QueueKind {
        let name = record.event_source_arn.as_deref().and_then(|arn| arn.rsplit(':').next());
        let is_slow = name == self.engine.stack().slow_queue_url.rsplit('/').next();
        if is_slow { QueueKind::Slow } else { QueueKind::Fast }
    }

    async fn dead_letter<'a>(&self, record: &'a SqsMessage) -> (&'a SqsMessage, StoreResult<()>) {
        error!(message_id = record.message_id, "message.unreadable");
        let body = record.body.as_deref().unwrap_or_default();
        (record, self.engine.dead_letter(body, UNREADABLE).await)
    }

    /// Sends records to a queue, to be received at once.
    async fn send<'a>(&self, queue: QueueKind, of: Vec<Readable<'a>>, is_returned: bool) -> Results<'a> {
        let now = Timestamp::now();
        let notes: Vec<_> = of.iter().map(|readable| notes(readable.record)).collect();
        let (records, messages) = split(of);
        let outgoing = |(message, notes)| Outgoing { is_returned, notes, ..Outgoing::at(message, now) };
        let messages: Vec<_> = messages.into_iter().zip(notes).map(outgoing).collect();
        results_of(records, &self.engine.send_all(queue, &messages).await)
    }

    /// Handles records that share a permit, where there is one; else they are put back.
    async fn handle_with_permit<'a>(
        &self,
        permit_use: PermitUse,
        of: Vec<Readable<'a>>,
        ends: Instant,
    ) -> Results<'a> {
        let now = Timestamp::now();
        let over = now + ends.saturating_duration_since(Instant::now()) + RESPONSE_TIME;
        let taken = self.engine.take_permit(&permit_use, over).await.unwrap_or_else(|failure| {
            // As if there were none: the queue may still be reached.
            warn!(%failure, "permit.not_taken");
            None
        });
        let Some(permit) = taken else { return self.put_back(of, now, ends).await };
        let results = join_all(of.into_iter().map(|readable| self.handle(readable, ends))).await;
        self.engine.give_permit_back(permit);
        results
    }

    /// Puts records back; those whose attempt does not wait any more are handled, for which nothing is sent.
    async fn put_back<'a>(&self, of: Vec<Readable<'a>>, now: Timestamp, ends: Instant) -> Results<'a> {
        let (records, messages) = split(of);
        let noted: Vec<_> =
            messages.iter().cloned().zip(records.iter().map(|record| notes(record))).collect();
        let not_waiting = match self.engine.put_back(&noted, now).await {
            Ok(not_waiting) => not_waiting,
            Err(failure) => return results_of(records, &Err(failure)),
        };
        let each = records.into_iter().zip(messages).enumerate();
        let (handled, put): (Vec<_>, Vec<_>) = each.partition(|(i, _)| not_waiting.contains(i));
        let handled =
            handled.into_iter().map(|(_, (record, message))| self.handle(Readable { record, message }, ends));
        let put = put.into_iter().map(|(_, (record, _))| (record, Ok(())));
        join_all(handled).await.into_iter().chain(put).collect()
    }

    async fn handle<'a>(
        &self,
        Readable { record, message }: Readable<'a>,
        ends: Instant,
    ) -> (&'a SqsMessage, StoreResult<()>) {
        (record, self.handle_message(record, message, ends).await)
    }

    async fn handle_message(
        &self,
        record: &SqsMessage,
        message: QueueMessage,
        ends: Instant,
    ) -> StoreResult<()> {
        if Instant::now() + MAX_MESSAGE_TIME > ends {
            return self.engine.enqueue(message).await;
        }
        let now = Timestamp::now();
        let over = now + ends.saturating_duration_since(Instant::now()) + MAX_CLOCK_DIFFERENCE;
        let handle = |message| self.handle_begun(record, message, now, ends);
        self.engine.within_flow(message, notes(record), over, now, handle).await
    }

    async fn handle_begun(
        &self,
        record: &SqsMessage,
        message: QueueMessage,
        now: Timestamp,
        ends: Instant,
    ) -> StoreResult<()> {
        let panicked = message.clone();
        let mut handling = tokio::spawn((self.handler)(message, now, ends));
        match timeout_at(ends.into(), &mut handling).await {
            Ok(Ok(result)) => result,
            Err(_) => {
                handling.abort();
                Err(StoreError::Failed("the invocation ended before it was done".into()))
            }
            Ok(Err(panic)) => {
                error!(trace_id = %panicked.trace_id, %panic, "delivery.panicked");
                let received = record.attributes.get("ApproximateReceiveCount");
                let received: u32 = received.and_then(|count| count.parse().ok()).unwrap_or(1);
                if received < MAX_PANICS {
                    return Err(StoreError::Failed("its handler panicked".into()));
                }
                let body = record.body.as_deref().unwrap_or_default();
                self.engine.put_panicked_aside(&panicked, body, now).await
            }
        }
    }
}
