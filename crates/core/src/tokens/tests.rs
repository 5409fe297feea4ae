//! The sharing of tokens: how many fetches there are, and who gets what of them.

mod refusals;
mod timeouts;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::*;
use crate::model::attempt::AttemptNumber;
use crate::model::failure::{ErrorKind, Failure};
use crate::model::id::{AttemptId, EventId, LoanId, SubscriptionId, TenantId, TraceId};
use crate::model::subscription::{ClientStyle, Method};
use crate::ports::{FormRequest, OAuth2Credentials, ReceivedResponse};

/// A receiver that takes some tokens, and a token endpoint that issues `the-token-1`, `the-token-2` …, or answers with these statuses.
struct Fake {
    refused: Vec<&'static str>,
    /// What comes of the second request instead.
    second: Mutex<Option<Result<SendOutcome, NotSent>>>,
    /// The token endpoint gives `the-token-1` again and again.
    repeats: bool,
    form_takes: Duration,
    request_takes: Duration,
    statuses: Mutex<VecDeque<u16>>,
    lifetime: u32,
    /// The first form cannot be posted for want of something of ours.
    unposted: AtomicBool,
    forms: Mutex<u32>,
    sent: Mutex<Vec<WebhookRequest>>,
    /// How many forms may be answered.
    answers: Semaphore,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            refused: Vec::new(),
            second: Mutex::default(),
            repeats: false,
            form_takes: Duration::ZERO,
            request_takes: Duration::ZERO,
            statuses: Mutex::default(),
            lifetime: 3600,
            unposted: AtomicBool::default(),
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
        if !self.form_takes.is_zero() {
            tokio::time::sleep(self.form_takes).await;
        }
        if self.unposted.swap(false, Ordering::Relaxed) {
            return Err(NotSent("no file descriptor is left".into()));
        }
        let number = if self.repeats { 1 } else { number };
        let status = self.statuses.lock().expect("a lock").pop_front().unwrap_or(200);
        let lifetime = self.lifetime;
        Ok(outcome(status, format!(r#"{{"access_token": "the-token-{number}", "expires_in": {lifetime}}}"#)))
    }
}

impl Sender for &Fake {
    async fn send(&self, request: WebhookRequest) -> Result<SendOutcome, NotSent> {
        let authorization = request.headers.get("Authorization").cloned().unwrap_or_default();
        let status = if self.refused.iter().any(|token| authorization.ends_with(token)) { 401 } else { 200 };
        let is_second = {
            let mut sent = self.sent.lock().expect("a lock");
            sent.push(request);
            sent.len() == 2
        };
        if is_second && let Some(instead) = self.second.lock().expect("a lock").take() {
            return instead;
        }
        if !self.request_takes.is_zero() {
            tokio::time::sleep(self.request_takes).await;
        }
        Ok(outcome(status, format!("got {authorization}")))
    }
}

impl Fake {
    fn forms(&self) -> u32 {
        *self.forms.lock().expect("a lock")
    }

    fn sent(&self) -> Vec<String> {
        let sent = self.sent.lock().expect("a lock");
        sent.iter().map(|request| request.headers.get("Authorization").cloned().unwrap_or_default()).collect()
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
        trace_context: None,
        oauth2: Some(Box::new(OAuth2Credentials { version, settings })),
        tls: None,
        secrets: Vec::new(),
        sent_at: now,
        timeout: Duration::from_secs(15),
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
async fn a_fetch_that_asked_nobody_is_no_failure_of_those_who_waited() {
    let fake = Fake { answers: Semaphore::new(0), unposted: true.into(), ..Fake::default() };
    let sender = fake.sender();
    let attempts = futures_util::future::join_all((0..5).map(|_| sender.send(request(1))));
    let (outcomes, ()) = tokio::join!(attempts, async {
        while fake.forms() == 0 {
            tokio::task::yield_now().await;
        }
        fake.answers.add_permits(100);
    });
    let (sent, unsent): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((sent.len(), unsent.len()), (4, 1), "whoever fetched made no attempt");
    assert!(sent.iter().all(|outcome| outcome.as_ref().is_ok_and(|outcome| outcome.result == Ok(200))));
    assert_eq!((fake.forms(), fake.sent()), (2, vec!["Bearer the-token-2".to_owned(); 4]));
}

#[tokio::test]
async fn tenants_subscriptions_and_versions_have_tokens_of_their_own() {
    let fake = Fake::default();
    let sender = fake.sender();
    let other_tenant = TenantId::try_from("other".to_owned()).expect("a tenant");
    let other_subscription = SubscriptionId::from_uuid(Uuid::from_u128(2));
    for _ in 0..2 {
        sender.send(request(1)).await.expect("sent");
        sender.send(request(2)).await.expect("sent");
        sender.send(WebhookRequest { tenant: other_tenant.clone(), ..request(1) }).await.expect("sent");
        sender
            .send(WebhookRequest { subscription_id: other_subscription, ..request(1) })
            .await
            .expect("sent");
    }
    let tokens = [1, 2, 3, 4, 1, 2, 3, 4].map(|number| format!("Bearer the-token-{number}"));
    assert_eq!(fake.sent(), tokens);
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
