//! The sharing of tokens: how many fetches there are, and who gets what of them.

use std::collections::VecDeque;
use std::sync::Mutex;

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::*;
use crate::model::attempt::AttemptNumber;
use crate::model::id::{AttemptId, EventId, LoanId, SubscriptionId, TenantId, TraceId};
use crate::model::subscription::{ClientStyle, Method};
use crate::ports::{FormRequest, OAuth2Credentials};

/// A receiver that takes some tokens, and a token endpoint that issues `the-token-1`, `the-token-2` …, or answers with these statuses.
struct Fake {
    refused: Vec<&'static str>,
    statuses: Mutex<VecDeque<u16>>,
    lifetime: u32,
    forms: Mutex<u32>,
    sent: Mutex<Vec<String>>,
    /// How many forms may be answered.
    answers: Semaphore,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            refused: Vec::new(),
            statuses: Mutex::default(),
            lifetime: 3600,
            forms: Mutex::default(),
            sent: Mutex::default(),
            answers: Semaphore::new(1000),
        }
    }
}

fn outcome(status: u16, body: String) -> SendOutcome {
    let response = ReceivedResponse {
        headers: Vec::new(),
        headers_truncated: false,
        headers_dropped: 0,
        body: Bytes::from(body),
        truncated: false,
    };
    SendOutcome { elapsed: Duration::ZERO, source_ip: None, result: Ok(status), response: Some(response) }
}

impl FormSender for &Fake {
    async fn post_form(&self, _: FormRequest) -> Result<SendOutcome, NotSent> {
        let number = {
            let mut forms = self.forms.lock().expect("a lock");
            *forms += 1;
            *forms
        };
        self.answers.acquire().await.expect("open").forget();
        let status = self.statuses.lock().expect("a lock").pop_front().unwrap_or(200);
        let lifetime = self.lifetime;
        Ok(outcome(status, format!(r#"{{"access_token": "the-token-{number}", "expires_in": {lifetime}}}"#)))
    }
}

impl Sender for &Fake {
    async fn send(&self, request: WebhookRequest) -> Result<SendOutcome, NotSent> {
        let authorization = request.headers.get("Authorization").cloned().unwrap_or_default();
        let status = if self.refused.iter().any(|token| authorization.ends_with(token)) { 401 } else { 200 };
        self.sent.lock().expect("a lock").push(authorization.clone());
        Ok(outcome(status, format!("got {authorization}")))
    }
}

impl Fake {
    fn forms(&self) -> u32 {
        *self.forms.lock().expect("a lock")
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().expect("a lock").clone()
    }

    fn sender(&self) -> AuthenticatedSender<&Self, MemoryTokens> {
        AuthenticatedSender { sender: self, tokens: MemoryTokens::default() }
    }
}

fn request(version: u64) -> WebhookRequest {
    let now = Timestamp::now();
    let settings = OAuth2 {
        token_url: "https://login.example.com/token".into(),
        client_id: "loanhook".into(),
        client_secret: "s3cret-of-the-client".into(),
        scopes: Vec::new(),
        style: ClientStyle::Basic,
        parameters: Default::default(),
    };
    let subscription_id = SubscriptionId::from_uuid(Uuid::from_u128(1));
    WebhookRequest {
        tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
        subscription_id,
        fresh_connection: false,
        test: false,
        method: Method::Post,
        url: "https://core.example.com/".into(),
        headers: Default::default(),
        content_type: None,
        body: Bytes::new(),
        trace_id: TraceId::of(EventId::at(now), subscription_id),
        attempt_id: AttemptId::at(now),
        number: AttemptNumber::Auto(1),
        event_name: "Payment".into(),
        loan_id: LoanId::try_from("727".to_owned()).expect("a loan"),
        occurred_at: None,
        sequence: None,
        traceparent: None,
        oauth2: Some(Box::new(OAuth2Credentials { version, settings })),
        tls: None,
        secrets: Vec::new(),
        sent_at: now,
        timeout: Duration::from_secs(15),
        spent: Duration::ZERO,
    }
}

#[tokio::test]
async fn attempts_at_once_share_one_fetch() {
    let fake = Fake { answers: Semaphore::new(0), ..Fake::default() };
    let sender = fake.sender();
    let attempts = futures_util::future::join_all((0..10).map(|_| sender.send(request(1))));
    let (outcomes, ()) = tokio::join!(attempts, async {
        while fake.forms() == 0 {
            tokio::task::yield_now().await;
        }
        fake.answers.add_permits(100);
    });
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().is_ok_and(|outcome| outcome.result == Ok(200))));
    assert_eq!((fake.forms(), fake.sent()), (1, vec!["Bearer the-token-1".to_owned(); 10]));
    // Another version has another token.
    sender.send(request(2)).await.expect("sent");
    assert_eq!(fake.forms(), 2);
}

#[tokio::test]
async fn attempts_that_waited_for_a_fetch_that_failed_share_its_failure_and_later_ones_fetch_again() {
    let fake = Fake { answers: Semaphore::new(0), statuses: Mutex::new([500].into()), ..Fake::default() };
    let sender = fake.sender();
    let attempts = futures_util::future::join_all((0..5).map(|_| sender.send(request(1))));
    let (outcomes, ()) = tokio::join!(attempts, async {
        while fake.forms() == 0 {
            tokio::task::yield_now().await;
        }
        fake.answers.add_permits(100);
    });
    for outcome in outcomes {
        let failure = outcome.expect("an outcome").result.expect_err("a failure");
        assert_eq!((failure.kind, failure.phase), (ErrorKind::Auth, Some(Phase::Prepare)));
        assert!(failure.detail.contains("answered 500"), "{}", failure.detail);
    }
    assert_eq!((fake.forms(), fake.sent().len()), (1, 0));
    // A failure is shared with those who waited, and not kept.
    assert_eq!(sender.send(request(1)).await.expect("sent").result, Ok(200));
    assert_eq!(fake.forms(), 2);
}

#[tokio::test]
async fn a_401_is_followed_by_one_new_token_and_one_request() {
    for (refused, sent, result) in [
        (vec!["the-token-1"], vec!["Bearer the-token-1", "Bearer the-token-2"], Ok(200)),
        // Never a loop.
        (
            vec!["the-token-1", "the-token-2", "the-token-3"],
            vec!["Bearer the-token-1", "Bearer the-token-2"],
            Ok(401),
        ),
    ] {
        let fake = Fake { refused, ..Fake::default() };
        let outcome = fake.sender().send(request(1)).await.expect("sent");
        assert_eq!(
            (outcome.result, fake.sent(), fake.forms()),
            (result, sent.into_iter().map(str::to_owned).collect(), 2)
        );
        // What came back has no token in it.
        assert_eq!(outcome.response.expect("an answer").body, "got Bearer ***");
    }
}

#[tokio::test]
async fn the_answer_of_a_receiver_stands_where_no_new_token_can_be_had() {
    let fake =
        Fake { refused: vec!["the-token-1"], statuses: Mutex::new([200, 500].into()), ..Fake::default() };
    let outcome = fake.sender().send(request(1)).await.expect("sent");
    assert_eq!((outcome.result, fake.sent().len(), fake.forms()), (Ok(401), 1, 2));
}

#[tokio::test]
async fn a_token_is_used_until_it_expires() {
    for (lifetime, forms) in [(3600, 1), (0, 2)] {
        let fake = Fake { lifetime, ..Fake::default() };
        let sender = fake.sender();
        sender.send(request(1)).await.expect("sent");
        sender.send(request(1)).await.expect("sent");
        assert_eq!(fake.forms(), forms, "{lifetime}");
    }
}

#[tokio::test]
async fn without_oauth_a_request_passes_through() {
    let fake = Fake::default();
    let plain = WebhookRequest { oauth2: None, ..request(1) };
    assert_eq!(fake.sender().send(plain).await.expect("sent").result, Ok(200));
    assert_eq!((fake.forms(), fake.sent()), (0, vec![String::new()]));
}

#[tokio::test]
async fn the_lease_of_a_fetch_that_died_ends() {
    let (tokens, now) = (MemoryTokens::default(), Timestamp::now());
    let key = TokenKey {
        tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
        subscription_id: SubscriptionId::from_uuid(Uuid::from_u128(1)),
        version: 1,
    };
    let lease = |until| FetchLease { fetch: Uuid::new_v4(), until };
    let (dead, until) = (lease(now + Duration::from_secs(10)), now + Duration::from_secs(10));
    assert_eq!(tokens.begin_fetch(&key, 0, dead, now).await.expect("stored"), BeginFetchOutcome::Begun);
    let refused = tokens.begin_fetch(&key, 0, lease(until), now).await.expect("stored");
    assert!(matches!(refused, BeginFetchOutcome::NotBegun(record) if record.fetching_until == Some(until)));
    let second = lease(until + Duration::from_secs(10));
    assert_eq!(tokens.begin_fetch(&key, 0, second, until).await.expect("stored"), BeginFetchOutcome::Begun);
    // The first one changes nothing any more.
    let token = |value: &str| StoredToken { value: value.into(), use_until: until };
    let ended = |value: &str| FetchOutcome { at: now, result: Ok(token(value)) };
    tokens.end_fetch(&key, dead.fetch, ended("old")).await.expect("stored");
    assert_eq!(tokens.token(&key).await.expect("read").generation, 0);
    tokens.end_fetch(&key, second.fetch, ended("new")).await.expect("stored");
    let record = tokens.token(&key).await.expect("read");
    assert_eq!((record.generation, record.outcome), (1, Some(ended("new"))));
    // Who has not seen that fetches nothing.
    let stale = tokens.begin_fetch(&key, 0, lease(until), until).await.expect("stored");
    assert!(matches!(stale, BeginFetchOutcome::NotBegun(record) if record.generation == 1));
}
