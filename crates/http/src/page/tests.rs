//! Pages of a history that is longer than a test can make over HTTP.

mod no_jobs;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;
use uuid::Uuid;

use super::*;
use loanhook_core::model::attempt::{Attempt, AttemptNumber, AttemptState, Completion};
use loanhook_core::model::credentials::CredentialsVersion;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::SubscriptionFlow;
use loanhook_core::model::grant::{Grant, GrantKind, GrantMaker};
use loanhook_core::model::id::{AttemptId, EventId, KeyId, LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::key::{Key, KeyHash, Scope};
use loanhook_core::model::payload::{Payload, PayloadKey};
use loanhook_core::model::subscription::Method;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    AttemptRange, Attempts, DeliveryPart, DeliverySet, DeliverySpan, EarlierResend, EnqueueOutcome,
    EnvironmentKeyOutcome, HistoryRow, IdempotencyKey, ListedKey, Payloads, QueueMessage, ResendClaimOutcome,
    Resends, StoreResult,
};

/// A loan of 12,000 webhooks, the event title of every one of which is `Ordinary`, but for those of these
/// numbers, counted from the newest: theirs is `Rare`.
#[derive(Clone)]
struct Loan(Arc<Vec<u32>>);

const WEBHOOKS: u32 = 12_000;

fn tenant() -> TenantId {
    TenantId::try_from("acme".to_owned()).expect("a tenant")
}

/// The newest is 0; IDs fall as numbers rise.
fn id(number: u32) -> AttemptId {
    AttemptId::from_uuid(Uuid::from_u128(u128::from(WEBHOOKS - number)))
}

fn attempt(number: u32, rare: bool) -> Attempt {
    let ended_at = Timestamp::from_millis(1_795_428_000_000);
    let result =
        Completion { ended_at, response_time_ms: None, source_ip: None, result: Ok(200), response: None };
    Attempt {
        id: id(number),
        tenant: tenant(),
        loan_id: LoanId::try_from("727".to_owned()).expect("a loan"),
        trace_id: TraceId::of(EventId::from_uuid(Uuid::nil()), SubscriptionId::from_uuid(Uuid::nil())),
        subscription_id: SubscriptionId::from_uuid(Uuid::nil()),
        event_title: if rare { "Rare" } else { "Ordinary" }.into(),
        event_name: "Payment".into(),
        occurred_at: None,
        test: false,
        method: Method::Post,
        destination: "https://core.example.com/".into(),
        content_type: None,
        source: Payload::of(b""),
        number: AttemptNumber::Auto(1),
        requested_by: None,
        resend_of: None,
        address_version: None,
        credentials: CredentialsVersion::Own,
        sent_at: ended_at,
        state: AttemptState::Complete(result),
        next_attempt_at: None,
    }
}

impl Attempts for Loan {
    async fn rows(
        &self,
        _: &TenantId,
        _: &LoanId,
        _: Option<AttemptId>,
        before: Option<AttemptId>,
        limit: usize,
    ) -> StoreResult<Vec<Attempt>> {
        let numbers = (0..WEBHOOKS).filter(|number| before.is_none_or(|before| id(*number) < before));
        Ok(numbers.take(limit).map(|number| attempt(number, self.0.contains(&number))).collect())
    }

    async fn history_rows(&self, _: &TenantId, attempts: Vec<Attempt>) -> StoreResult<Vec<HistoryRow>> {
        Ok(attempts
            .into_iter()
            .map(|attempt| HistoryRow { attempt, resends: 0, subscription_version: None })
            .collect())
    }

    async fn row(&self, _: &TenantId, _: &LoanId, _: AttemptId) -> StoreResult<Option<HistoryRow>> {
        Ok(None)
    }

    async fn delivery(&self, _: &TenantId, _: TraceId) -> StoreResult<Option<Delivery>> {
        Ok(None)
    }

    async fn delivery_with_attempts(
        &self,
        _: &TenantId,
        _: TraceId,
        _: AttemptRange,
        _: usize,
    ) -> StoreResult<Option<(Delivery, Vec<Attempt>)>> {
        Ok(None)
    }
}

/// It has no lists across loans.
impl DeliveryList for Loan {
    async fn deliveries(
        &self,
        _: &TenantId,
        _: DeliverySet,
        _: DeliverySpan,
        _: usize,
    ) -> StoreResult<DeliveryPart> {
        Ok(DeliveryPart::default())
    }

    async fn deliveries_of_traces(&self, _: &TenantId, _: &[TraceId]) -> StoreResult<Vec<Delivery>> {
        Ok(Vec::new())
    }

    async fn newest_attempts(&self, _: &TenantId, _: &[Delivery]) -> StoreResult<Vec<Option<Attempt>>> {
        Ok(Vec::new())
    }
}

/// Nothing is held, limited or ordered.
impl FlowControl for Loan {
    async fn hold(&self, _: &TenantId, _: SubscriptionId, _: &str, _: Timestamp) -> StoreResult<bool> {
        Ok(false)
    }

    async fn release_hold(&self, _: &TenantId, _: SubscriptionId, _: Timestamp) -> StoreResult<bool> {
        Ok(false)
    }

    async fn flows(
        &self,
        _: &TenantId,
        _: Timestamp,
    ) -> StoreResult<BTreeMap<SubscriptionId, SubscriptionFlow>> {
        Ok(BTreeMap::new())
    }

    async fn waiting_for_order(
        &self,
        _: &TenantId,
        _: &[Delivery],
        _: Timestamp,
    ) -> StoreResult<BTreeSet<TraceId>> {
        Ok(BTreeSet::new())
    }

    async fn count_waiting(&self, _: &TenantId, _: SubscriptionId, _: Timestamp) -> StoreResult<u64> {
        Ok(0)
    }
}

/// Every token is a session, and its key is valid.
impl Grants for Loan {
    async fn add_grant(&self, _: KeyHash, _: Grant, _: Timestamp) -> StoreResult<()> {
        Ok(())
    }

    async fn grant(&self, key: KeyHash, now: Timestamp) -> StoreResult<Option<Grant>> {
        let until = now + std::time::Duration::from_secs(60);
        let (scopes, name) = (vec![Scope::HistoryRead], "Jane".into());
        Ok(Some(Grant {
            kind: GrantKind::Session,
            tenant: tenant(),
            loan: None,
            scopes,
            name,
            until,
            maker: GrantMaker::Key(key),
        }))
    }

    async fn end_grant(&self, _: KeyHash) -> StoreResult<()> {
        Ok(())
    }
}

impl Keys for Loan {
    async fn key(&self, _: KeyHash) -> StoreResult<Option<Arc<Key>>> {
        let now = Timestamp::now();
        Ok(Some(Arc::new(Key::new(tenant(), "LMS".into(), Vec::new(), now))))
    }

    async fn add_key(&self, _: Key, _: KeyHash) -> StoreResult<()> {
        Ok(())
    }

    async fn keys(&self, _: &TenantId, _: Option<KeyId>, _: usize) -> StoreResult<Vec<ListedKey>> {
        Ok(Vec::new())
    }

    async fn listed_key(&self, _: &TenantId, _: KeyId) -> StoreResult<Option<Key>> {
        Ok(None)
    }

    async fn ensure_environment_key(&self, _: Key, _: KeyHash) -> StoreResult<EnvironmentKeyOutcome> {
        Ok(EnvironmentKeyOutcome::Unchanged)
    }

    fn record_use(&self, _: &Key, _: KeyHash, _: Timestamp) {}

    async fn delete_key(&self, _: &TenantId, _: KeyId) -> StoreResult<bool> {
        Ok(false)
    }
}

impl Payloads for Loan {
    async fn payload(&self, _: &TenantId, _: PayloadKey) -> StoreResult<Option<Bytes>> {
        Ok(None)
    }
}

impl Resends for Loan {
    async fn enqueue_resend(
        &self,
        _: Attempt,
        _: Option<IdempotencyKey>,
        _: Timestamp,
    ) -> StoreResult<EnqueueOutcome> {
        Ok(EnqueueOutcome::Enqueued)
    }

    async fn earlier_resend(
        &self,
        _: &Attempt,
        _: &IdempotencyKey,
        _: Timestamp,
    ) -> StoreResult<Option<EarlierResend>> {
        Ok(None)
    }

    async fn claim_resend(
        &self,
        _: &QueueMessage,
        _: &LoanId,
        _: AttemptId,
        _: Uuid,
        _: Timestamp,
    ) -> StoreResult<ResendClaimOutcome> {
        Ok(ResendClaimOutcome::NotClaimed(None))
    }

    async fn complete_resend(&self, _: Uuid, _: Attempt, _: Option<Bytes>) -> StoreResult<bool> {
        Ok(false)
    }

    async fn release_resend(&self, _: Uuid, _: Attempt, _: Timestamp) -> StoreResult<bool> {
        Ok(false)
    }
}

/// The page of a loan whose rare webhooks have these numbers, filtered to them.
async fn rare(numbers: &[u32], before: Option<u32>) -> String {
    let before = before.map(|number| format!("&before={}", id(number))).unwrap_or_default();
    let request = Request::get(format!("/loans/727/webhooks?eventTitle=Rare{before}"));
    let request = request.header("host", "localhost").header("cookie", "lh-any=token");
    let router = router(Loan(Arc::new(numbers.to_vec())), SiteSettings::default());
    let response = router.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(body.into()).expect("a page")
}

/// Whether the page has a link to the rows before the one of this number.
fn leads_on(page: &str, number: u32) -> bool {
    page.contains(&format!("before={}\">Search older</a>", id(number)))
}

#[tokio::test]
async fn a_page_that_ends_early_offers_to_search_older() {
    let page = rare(&[5_001], None).await;
    assert!(page.contains("No match yet") && leads_on(&page, 4_999), "{page}");
    let page = rare(&[5_001], Some(4_999)).await;
    assert!(page.contains("<bdi>Rare</bdi>") && leads_on(&page, 9_999), "{page}");
    assert!(page.contains("No further match among the webhooks looked at so far"), "{page}");
    let page = rare(&[5_001], Some(9_999)).await;
    assert!(page.contains("No older match") && !page.contains("Search older"), "{page}");
}

#[tokio::test]
async fn a_page_that_is_full_leads_to_older_ones() {
    let page = rare(&(0..60).collect::<Vec<_>>(), None).await;
    assert!(page.contains(&format!("before={}\">Older</a>", id(49))) && !page.contains("Search older"));
}
