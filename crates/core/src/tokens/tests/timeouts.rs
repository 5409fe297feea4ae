//! The timeout of an attempt: it holds for the token and the request together.

use std::rc::Rc;

use super::*;
use crate::ports::{StoreError, StoreResult, TokenRecord};
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
fn after_a_sender_that_died_whoever_waits_fetches_in_the_same_attempt() {
    run(async {
        let fake = Fake { answers: Semaphore::new(0), ..Fake::default() };
        let sender = fake.sender();
        assert!(timeout(SECOND, sender.send(request(1))).await.is_err(), "it dies while it fetches");
        let before = Instant::now();
        fake.answers.add_permits(1);
        assert_eq!(sender.send(request(1)).await.expect("sent").result, Ok(200));
        assert_eq!((fake.forms(), before.elapsed()), (2, LEASE - SECOND), "the lease of the first one ended");
    });
}

#[test]
fn a_fetch_that_dies_late_is_no_attempt_of_those_who_waited() {
    run(async {
        let fake = Fake { answers: Semaphore::new(0), ..Fake::default() };
        let sender = fake.sender();
        let dies = timeout(14 * SECOND, sender.send(request(1)));
        let (died, waited) = tokio::join!(dies, sender.send(request(1)));
        assert!(died.is_err(), "it dies while it fetches");
        let Err(NotSent(why)) = waited else { panic!("an attempt was made") };
        assert!(why.contains("another attempt"), "{why}");
        assert_eq!((fake.forms(), fake.sent().len()), (1, 0));
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
    tokens.extend_fetch(&key, FetchLease { until: until + 60 * SECOND, ..dead }).await.expect("stored");
    tokens.end_fetch(&key, dead.fetch, Some(ended("old"))).await.expect("stored");
    let record = tokens.token(&key).await.expect("read");
    assert_eq!((record.generation, record.fetching_until), (0, Some(second.until)));
    tokens.end_fetch(&key, second.fetch, Some(ended("new"))).await.expect("stored");
    let record = tokens.token(&key).await.expect("read");
    assert_eq!((record.generation, record.outcome), (1, Some(ended("new"))));
    // Who has not seen that fetches nothing.
    let stale = tokens.begin_fetch(&key, 0, lease(until), until).await.expect("stored");
    assert!(matches!(stale, BeginFetchOutcome::NotBegun(record) if record.generation == 1));
}

/// Tokens in memory, of which some calls are not answered, or fail.
#[derive(Default)]
struct Broken {
    inner: MemoryTokens,
    /// Nothing is answered.
    is_silent: bool,
    /// How long each answer takes.
    takes: Duration,
    /// Nothing of a fetch can be stored once it has begun.
    loses_ends: bool,
    ends: Mutex<u32>,
}

impl Broken {
    async fn answer<T>(&self, answer: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
        sleep(self.takes).await;
        if self.is_silent { std::future::pending().await } else { answer.await }
    }
}

impl Tokens for Broken {
    async fn token(&self, key: &TokenKey) -> StoreResult<TokenRecord> {
        self.answer(self.inner.token(key)).await
    }

    async fn begin_fetch(
        &self,
        key: &TokenKey,
        generation: u64,
        lease: FetchLease,
        now: Timestamp,
    ) -> StoreResult<BeginFetchOutcome> {
        self.answer(self.inner.begin_fetch(key, generation, lease, now)).await
    }

    async fn extend_fetch(&self, key: &TokenKey, lease: FetchLease) -> StoreResult<()> {
        if self.loses_ends { Err(StoreError::Busy) } else { self.inner.extend_fetch(key, lease).await }
    }

    async fn end_fetch(&self, key: &TokenKey, fetch: Uuid, outcome: Option<FetchOutcome>) -> StoreResult<()> {
        *self.ends.lock().expect("a lock") += 1;
        let end = self.inner.end_fetch(key, fetch, outcome);
        if self.loses_ends { Err(StoreError::Busy) } else { self.answer(end).await }
    }

    async fn fetch_ended(&self, key: &TokenKey, generation: u64) {
        self.inner.fetch_ended(key, generation).await;
    }
}

#[test]
fn a_store_that_does_not_answer_is_no_attempt_and_is_not_waited_for_long() {
    run(async {
        let (fake, before) = (Fake::default(), Instant::now());
        let tokens = Broken { is_silent: true, ..Broken::default() };
        let sent = AuthenticatedSender { sender: &fake, tokens }.send(request(1)).await;
        assert!(sent.is_err(), "no attempt was made");
        assert_eq!((fake.forms(), fake.sent().len()), (0, 0));
        assert_eq!(before.elapsed(), 15 * SECOND + STORE_TIMEOUT);
    });
}

#[test]
fn a_token_that_cannot_be_stored_serves_whoever_fetched_it_and_fails_nobody_else() {
    run(async {
        let fake = Fake { form_takes: SECOND, ..Fake::default() };
        let sender =
            AuthenticatedSender { sender: &fake, tokens: Broken { loses_ends: true, ..Broken::default() } };
        let (one, other) = tokio::join!(sender.send(request(1)), sender.send(request(1)));
        assert_eq!((one.expect("sent").result, other.expect("sent").result), (Ok(200), Ok(200)));
        let ends = *sender.tokens.ends.lock().expect("a lock");
        assert_eq!((fake.forms(), ends), (2, 2), "the second one fetched when the lease had ended");
    });
}

#[test]
fn a_store_that_takes_the_time_of_an_attempt_is_no_attempt() {
    // The read alone, the read and the lease, and those with the end of the fetch.
    for (takes, forms) in [(16, 0), (8, 0), (7, 1)] {
        run(async {
            let fake = Fake::default();
            let tokens = Broken { takes: takes * SECOND, ..Broken::default() };
            let sent = AuthenticatedSender { sender: &fake, tokens }.send(request(1)).await;
            let Err(NotSent(why)) = sent else { panic!("an attempt was made after {takes} s") };
            assert!(why.contains("took the time of the attempt"), "{why}");
            assert_eq!((fake.forms(), fake.sent().len()), (forms, 0), "{takes} s");
        });
    }
}
