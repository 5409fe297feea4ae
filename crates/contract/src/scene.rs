//! Scene: a subscription and an accepted delivery, with which most cases begin.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::attempt::{Attempt, AttemptState, Completion};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::event::{Event, EventInput};
use loanhook_core::model::event_evaluation::EventEvaluation;
use loanhook_core::model::failure::{ErrorKind, Failure};
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::id::{AttemptId, EventId, LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::retry::RetryPolicy;
use loanhook_core::model::secret::{Secrets, SigningSecret};
use loanhook_core::model::subscription::{CompiledCache, Criteria, Method, Request, Settings, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    AcceptOutcome, AcceptRequest, AttemptRange, Attempts, ClaimOutcome, Deliveries, DueWork, EnqueueOutcome,
    IdempotencyKey, IdempotencyRecord, Intake, QueueMessage, Resends, StoreResult, Subscriptions,
};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::engine::Engine;
use crate::sender::Scripted;

/// When the cases begin, 2020-01-01T10:00:00Z: all they queue is due already by any real clock.
pub const START: Timestamp = Timestamp::from_millis(1_577_872_800_000);
pub const SECOND: Duration = Duration::from_secs(1);
pub const MILLISECOND: Duration = Duration::from_millis(1);
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// More attempts than any case makes.
const MANY: usize = 1000;
/// What a sender has, where a case gives it a lease.
pub const LEASE: Duration = Duration::from_secs(40);

pub fn tenant(name: &str) -> TenantId {
    TenantId::try_from(name.to_owned()).expect("a tenant's name")
}

pub fn loan(name: &str) -> LoanId {
    LoanId::try_from(name.to_owned()).expect("a loan's name")
}

/// A subscription of every event, made at `at`, with retries after so many seconds.
pub fn subscription(of: &TenantId, title: &str, delays: &[u32], at: Timestamp) -> Subscription {
    let request = Request {
        method: Method::Post,
        url: "https://core.example.com/hooks".into(),
        headers: BTreeMap::from([("Authorization".into(), "Bearer x".into())]),
        content_type: "application/json".into(),
        payload: None,
        auth: None,
        tls: None,
    };
    Subscription {
        id: SubscriptionId::at(at),
        tenant: of.clone(),
        version: 1,
        created_at: at,
        updated_at: at,
        updated_by: None,
        settings: Settings {
            title: title.into(),
            description: String::new(),
            enabled: true,
            criteria: Criteria::Events(vec!["*".into()]),
            restriction: None,
            request,
            retry: RetryPolicy::Delays { delays: delays.to_vec() },
            timeout_seconds: 15,
            flow: FlowSettings::default(),
            compiled: CompiledCache::default(),
        },
        secrets: Secrets::new(secret()),
    }
}

pub fn secret() -> SigningSecret {
    SigningSecret::generate().expect("randomness")
}

pub fn event(loan_id: &str, context: &str) -> Event {
    let input = EventInput {
        event_name: "Payment Posted to Account".into(),
        loan_id: loan_id.into(),
        context: RawValue::from_string(context.into()).expect("JSON"),
        occurred_at: Some("2020-01-01T10:00:00Z".into()),
    };
    input.check().expect("an event")
}

/// The message for an automatic attempt of a delivery.
pub fn attempt_message(delivery: &Delivery, number: u32, due: Timestamp) -> QueueMessage {
    QueueMessage {
        tenant: delivery.snapshot.tenant.clone(),
        trace_id: delivery.snapshot.trace_id,
        subscription_id: delivery.snapshot.subscription_id,
        due,
        work: DueWork::Attempt(number),
    }
}

pub fn ended(mut row: Attempt, result: Result<u16, ErrorKind>, at: Timestamp) -> Attempt {
    row.state = AttemptState::Complete(Completion {
        ended_at: at,
        response_time_ms: Some(41.7),
        source_ip: None,
        result: result.map_err(|kind| Failure::new(kind, "the case says so")),
        response: None,
    });
    row
}

/// An attempt in the hands of its sender.
pub struct Claim {
    pub token: Uuid,
    pub delivery: Delivery,
    pub row: Attempt,
}

/// A delivery for loan 727 of the tenant `acme`, and the engine it is in.
pub struct Scene<E> {
    pub engine: E,
    pub subscription: Subscription,
    /// As it was accepted.
    pub accepted: Delivery,
    /// The message for its first attempt, received.
    pub first: QueueMessage,
}

impl<E: Engine> Scene<E> {
    /// Accepted at [`START`], with retries after so many seconds.
    pub async fn new(delays: &[u32]) -> StoreResult<Self> {
        let engine = E::fresh().await;
        let subscription = subscription(&tenant("acme"), "Core banking", delays, START);
        assert!(engine.ports().create(subscription.clone(), 1).await?);
        let accepted = accept(&engine, &subscription, "727", START).await?;
        let first = engine.receive().await;
        Ok(Self { engine, subscription, accepted, first })
    }

    pub fn ports(&self) -> &E::Ports {
        self.engine.ports()
    }

    pub fn tenant(&self) -> &TenantId {
        &self.accepted.snapshot.tenant
    }

    pub fn trace(&self) -> TraceId {
        self.accepted.snapshot.trace_id
    }

    /// The delivery as it is now.
    pub async fn delivery(&self) -> StoreResult<Delivery> {
        Ok(delivery_of(self.ports(), self.tenant(), self.trace()).await?.expect("the delivery"))
    }

    /// Its rows, the oldest first.
    pub async fn rows(&self) -> StoreResult<Vec<Attempt>> {
        self.rows_of(&self.accepted).await
    }

    /// The rows of another delivery, the oldest first.
    pub async fn rows_of(&self, delivery: &Delivery) -> StoreResult<Vec<Attempt>> {
        let (tenant, trace) = (&delivery.snapshot.tenant, delivery.snapshot.trace_id);
        let story =
            self.ports().delivery_with_attempts(tenant, trace, AttemptRange::OLDEST_FIRST, MANY).await?;
        Ok(story.expect("the delivery").1)
    }

    /// Claims its next attempt.
    pub async fn claim(&self, now: Timestamp) -> StoreResult<Claim> {
        let next = self.delivery().await?.progress.waiting().expect("a next attempt");
        let (message, token) = (attempt_message(&self.accepted, next.number, next.due), Uuid::new_v4());
        match self.ports().claim(&message, next.number, token, now).await? {
            ClaimOutcome::Claimed(won) => Ok(Claim { token, delivery: won.0, row: won.1 }),
            ClaimOutcome::NotClaimed(delivery) => panic!("the claim was lost: {delivery:?}"),
        }
    }

    /// Makes its next attempt at `now`, for a second, and takes the message for the one after it off the
    /// queue.
    pub async fn attempt(&self, result: Result<u16, ErrorKind>, now: Timestamp) -> StoreResult<()> {
        let claim = self.claim(now).await?;
        let row = ended(claim.row, result, now + SECOND);
        assert!(self.ports().complete(&claim.delivery, claim.token, row, None).await?);
        if self.delivery().await?.progress.waiting().is_some() {
            self.engine.receive().await;
        }
        Ok(())
    }

    /// Asks for a resend of its newest attempt.
    pub async fn resend(
        &self,
        key: Option<IdempotencyKey>,
        now: Timestamp,
    ) -> StoreResult<(Attempt, EnqueueOutcome)> {
        let delivery = self.delivery().await?;
        let newest = delivery.history.newest_attempt.expect("an attempt");
        let row = delivery.resend_row(AttemptId::at(now), newest, "Servicing".into(), now);
        let queued = self.ports().enqueue_resend(row.clone(), key, now).await?;
        Ok((row, queued))
    }

    /// What delivers, with a sender that gets 500 each time.
    pub fn deliver(&self, lease: Option<Duration>) -> Deliver<E::Ports, Scripted> {
        Deliver { store: self.ports().clone(), sender: Scripted::always(500), lease, deadline: None }
    }
}

/// The message for a resend.
pub fn resend_message(row: &Attempt, due: Timestamp) -> QueueMessage {
    QueueMessage {
        tenant: row.tenant.clone(),
        trace_id: row.trace_id,
        subscription_id: row.subscription_id,
        due,
        work: DueWork::Resend { loan_id: row.loan_id.clone(), attempt_id: row.id },
    }
}

/// Accepts an event of a loan for a subscription.
pub async fn accept<E: Engine>(
    engine: &E,
    subscription: &Subscription,
    loan: &str,
    now: Timestamp,
) -> StoreResult<Delivery> {
    let event = event(loan, r#"{"last-payment-amount": 250.00}"#);
    let (delivery, bytes) =
        Delivery::render(subscription, &EventEvaluation::new(&event, now), EventId::at(now));
    let deliveries = vec![(delivery.clone(), bytes)];
    let accepted = engine
        .ports()
        .accept(unwatched(&subscription.tenant, None, deliveries, now), Default::default())
        .await?;
    assert_eq!(accepted, AcceptOutcome::Stored { fired: vec![] });
    Ok(delivery)
}

/// Deliveries of loan 727 that are stored in any case.
pub fn unwatched(
    tenant: &TenantId,
    idempotency: Option<(IdempotencyKey, IdempotencyRecord)>,
    deliveries: Vec<(Delivery, Bytes)>,
    now: Timestamp,
) -> AcceptRequest {
    AcceptRequest {
        tenant: tenant.clone(),
        loan_id: loan("727"),
        idempotency,
        event: None,
        deliveries,
        watched: vec![],
        in_order: BTreeSet::new(),
        completes_earlier: false,
        now,
    }
}

/// A delivery as it is now, if there is one.
pub async fn delivery_of<P: Attempts>(
    ports: &P,
    tenant: &TenantId,
    trace: TraceId,
) -> StoreResult<Option<Delivery>> {
    let story = ports.delivery_with_attempts(tenant, trace, AttemptRange::OLDEST_FIRST, MANY).await?;
    Ok(story.map(|(delivery, _)| delivery))
}
