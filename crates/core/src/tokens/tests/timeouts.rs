//! The timeout of an attempt: it holds for the token and the request together.

use std::rc::Rc;

use tokio::time::sleep;

use super::*;
use crate::ports::StoreResult;
use crate::simulated::{Source, with_source};

const SECOND: Duration = Duration::from_secs(1);

/// A clock that moves only by waits.
struct WaitClock(Instant);

impl Source for WaitClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000_000) + self.0.elapsed()
    }

    fn random(&self) -> [u8; 10] {
        [7; 10]
    }
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let clock = {
        let _entered = runtime.enter();
        WaitClock(Instant::now())
    };
    with_source(Rc::new(clock), || runtime.block_on(test));
}

fn assert_too_late(outcome: Result<SendOutcome, NotSent>) {
    let failure = outcome.expect("an outcome").result.expect_err("a failure");
    assert_eq!((failure.kind, failure.phase), (ErrorKind::Auth, Some(Phase::Prepare)));
    assert!(failure.detail.contains("within 15 s, the timeout of an attempt"), "{}", failure.detail);
}

#[test]
fn a_request_has_what_its_token_left_of_the_timeout() {
    run(async {
        let fake = Fake { form_takes: 14 * SECOND, ..Fake::default() };
        let outcome = fake.sender().send(request(1)).await.expect("sent");
        // What the token took is no time of the receiver.
        assert_eq!((outcome.result, outcome.elapsed), (Ok(200), Duration::ZERO));
        assert_eq!(fake.sent.lock().expect("a lock")[0].timeout, SECOND);
    });
}

#[test]
fn a_token_that_comes_too_late_is_kept_for_the_next_attempt() {
    run(async {
        let fake = Fake { form_takes: 15 * SECOND, ..Fake::default() };
        let sender = fake.sender();
        assert_too_late(sender.send(request(1)).await);
        assert!(fake.sent().is_empty());
        sender.send(request(1)).await.expect("sent");
        assert_eq!((fake.forms(), fake.sent().len()), (1, 1));
    });
}

#[test]
fn a_slow_fetch_is_waited_for_as_long_as_it_may_take() {
    run(async {
        let fake = Fake { form_takes: 29 * SECOND, ..Fake::default() };
        let sender = fake.sender();
        let patient = || WebhookRequest { timeout: 30 * SECOND, ..request(1) };
        let (one, other) = tokio::join!(sender.send(patient()), sender.send(patient()));
        assert_eq!((one.expect("sent").result, other.expect("sent").result), (Ok(200), Ok(200)));
        assert_eq!(fake.forms(), 1);
    });
}

#[test]
fn after_a_fetch_that_died_those_who_wait_fail_and_a_later_attempt_fetches() {
    run(async {
        let fake = Fake { answers: Semaphore::new(0), ..Fake::default() };
        let sender = fake.sender();
        assert!(timeout(SECOND, sender.send(request(1))).await.is_err(), "it dies while it fetches");
        assert_too_late(sender.send(request(1)).await);
        fake.answers.add_permits(1);
        sleep(LEASE_MARGIN).await;
        assert_eq!(sender.send(request(1)).await.expect("sent").result, Ok(200));
        assert_eq!(fake.forms(), 2);
    });
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

/// A store that does not answer.
struct Silent;

impl Tokens for Silent {
    async fn token(&self, _: &TokenKey) -> StoreResult<crate::ports::TokenRecord> {
        std::future::pending().await
    }

    async fn begin_fetch(
        &self,
        _: &TokenKey,
        _: u64,
        _: FetchLease,
        _: Timestamp,
    ) -> StoreResult<BeginFetchOutcome> {
        std::future::pending().await
    }

    async fn end_fetch(&self, _: &TokenKey, _: Uuid, _: FetchOutcome) -> StoreResult<()> {
        std::future::pending().await
    }

    async fn fetch_ended(&self, _: &TokenKey, _: u64) {
        std::future::pending().await
    }
}

#[test]
fn a_store_that_does_not_answer_is_not_waited_for_longer() {
    run(async {
        let fake = Fake::default();
        assert_too_late(AuthenticatedSender { sender: &fake, tokens: Silent }.send(request(1)).await);
        assert_eq!((fake.forms(), fake.sent().len()), (0, 0));
    });
}
