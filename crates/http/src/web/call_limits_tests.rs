use super::*;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::key::KeySource;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{EnvironmentKeyOutcome, ListedKey};

/// A store with one key, that says how often it was asked.
struct OneKey {
    key: std::sync::Mutex<Option<Arc<Key>>>,
    lookups: std::sync::atomic::AtomicUsize,
}

const RIGHT: &str = "lh_the_right_key_0001";

impl OneKey {
    fn new() -> Self {
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        let key = Arc::new(Key::admin(tenant, KeySource::Api, Timestamp::from_millis(1)));
        Self { key: std::sync::Mutex::new(Some(key)), lookups: 0.into() }
    }

    fn lookups(&self) -> usize {
        self.lookups.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Keys for OneKey {
    async fn key(&self, hash: KeyHash) -> StoreResult<Option<Arc<Key>>> {
        self.lookups.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let key = self.key.lock().expect("the key").clone();
        Ok(key.filter(|_| hash == KeyHash::of(RIGHT)))
    }

    async fn add_key(&self, _: Key, _: KeyHash) -> StoreResult<()> {
        unreachable!("nobody makes keys here")
    }

    async fn keys(&self, _: &TenantId, _: Option<KeyId>, _: usize) -> StoreResult<Vec<ListedKey>> {
        unreachable!("nobody lists keys here")
    }

    async fn listed_key(&self, _: &TenantId, _: KeyId) -> StoreResult<Option<Key>> {
        Ok(None)
    }

    async fn ensure_environment_key(&self, _: Key, _: KeyHash) -> StoreResult<EnvironmentKeyOutcome> {
        Ok(EnvironmentKeyOutcome::Unchanged)
    }

    fn record_use(&self, _: &Key, _: KeyHash, _: Timestamp) {}

    async fn delete_key(&self, _: &TenantId, _: KeyId) -> StoreResult<bool> {
        unreachable!("nobody deletes keys here")
    }
}

fn from(address: &str) -> Client {
    Client::new(address.parse().ok(), None)
}

/// What a key comes to. No time passes in these tests.
async fn shown(
    limits: &CallLimits,
    store: &OneKey,
    face: EntryPoint,
    client: &Client,
    key: &str,
) -> &'static str {
    static NOW: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    match limits.check_key(store, (face, client), key, *NOW).await.expect("the store answers") {
        KeyCheck::Valid(..) => "valid",
        KeyCheck::Invalid => "invalid",
        KeyCheck::RateLimited(_) => "too many",
    }
}

/// Shows many wrong keys.
async fn guess(limits: &CallLimits, store: &OneKey, face: EntryPoint, client: &Client) -> Vec<&'static str> {
    let mut results = Vec::new();
    for number in 0..50 {
        results.push(shown(limits, store, face, client, &format!("lh_guess_{number:020}")).await);
    }
    results
}

#[tokio::test]
async fn guesses_beyond_the_burst_are_not_looked_up() {
    let (limits, store, client) = (CallLimits::default(), OneKey::new(), from("192.0.2.7"));
    let results = guess(&limits, &store, EntryPoint::Api, &client).await;
    let looked_up = results.iter().filter(|results| **results == "invalid").count();
    assert_eq!(looked_up, 10, "{results:?}");
    assert_eq!(store.lookups(), looked_up);
    assert_eq!(
        shown(&limits, &store, EntryPoint::Api, &client, RIGHT).await,
        "too many",
        "it could be a guess"
    );
}

#[tokio::test]
async fn a_key_that_was_valid_from_there_passes_whatever_comes_beside_it() {
    let (limits, store, client) = (CallLimits::default(), OneKey::new(), from("192.0.2.7"));
    assert_eq!(shown(&limits, &store, EntryPoint::Api, &client, RIGHT).await, "valid");
    guess(&limits, &store, EntryPoint::Api, &client).await;
    assert_eq!(shown(&limits, &store, EntryPoint::Api, &client, RIGHT).await, "valid");
    assert_eq!(shown(&limits, &store, EntryPoint::Api, &client, "lh_another").await, "too many");
}

#[tokio::test]
async fn valid_keys_use_nothing_up() {
    let (limits, store, client) = (CallLimits::default(), OneKey::new(), from("192.0.2.7"));
    for _ in 0..100 {
        assert_eq!(shown(&limits, &store, EntryPoint::Api, &client, RIGHT).await, "valid");
    }
    let results = guess(&limits, &store, EntryPoint::Api, &client).await;
    assert_eq!(results.iter().filter(|results| **results == "invalid").count(), 10, "{results:?}");
}

#[tokio::test]
async fn other_addresses_and_the_other_face_have_failures_of_their_own() {
    let (limits, store) = (CallLimits::default(), OneKey::new());
    guess(&limits, &store, EntryPoint::Api, &from("2001:db8::1")).await;
    assert_eq!(shown(&limits, &store, EntryPoint::SignIn, &from("2001:db8::1"), "lh_wrong").await, "invalid");
    assert_eq!(
        shown(&limits, &store, EntryPoint::Api, &from("2001:db8:0:1::1"), "lh_wrong").await,
        "invalid"
    );
    assert_eq!(shown(&limits, &store, EntryPoint::Api, &from("2001:db8::ffff"), RIGHT).await, "too many");
    assert_eq!(shown(&limits, &store, EntryPoint::SignIn, &from("2001:db8::1"), RIGHT).await, "valid");
    assert_eq!(shown(&limits, &store, EntryPoint::Api, &from("2001:db8::1"), RIGHT).await, "valid");
}

#[tokio::test]
async fn a_key_that_was_deleted_is_not_known_any_more() {
    let (limits, store, client) = (CallLimits::default(), OneKey::new(), from("192.0.2.7"));
    assert_eq!(shown(&limits, &store, EntryPoint::Api, &client, RIGHT).await, "valid");
    guess(&limits, &store, EntryPoint::Api, &client).await;
    store.key.lock().expect("the key").take();
    assert_eq!(shown(&limits, &store, EntryPoint::Api, &client, RIGHT).await, "invalid");
    assert_eq!(shown(&limits, &store, EntryPoint::Api, &client, RIGHT).await, "too many");
}

#[test]
fn resends_are_counted_by_who_asks() {
    let limits = CallLimits::default();
    let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
    let now = Instant::now();
    let of = |asker: &Requester| {
        (0..2000).take_while(|_| limits.take_resend(asker, &tenant, "Ann", now).is_ok()).count()
    };
    let key = Requester::Key(KeyId::at(Timestamp::from_millis(1)));
    let viewer = Requester::Viewer(KeyHash::of("a key"), "Ann".into());
    let other = Requester::Viewer(KeyHash::of("a key"), "Joe".into());
    assert_eq!((of(&key), of(&viewer), of(&other)), (600, 60, 60));
}

#[tokio::test]
async fn made_up_tokens_of_sessions_use_up_the_failures_of_the_sign_in() {
    let (limits, store, client) = (CallLimits::default(), OneKey::new(), from("192.0.2.7"));
    let now = Instant::now();
    let counted = (0..50).take_while(|_| limits.count_unknown_token(&client, now).is_ok()).count();
    assert_eq!(counted, 10);
    assert!(limits.count_unknown_token(&from("192.0.2.8"), now).is_ok());
    let key =
        limits.check_key(&store, (EntryPoint::SignIn, &client), "lh_wrong", now).await.expect("an answer");
    assert!(matches!(key, KeyCheck::RateLimited(_)), "{key:?}");
    let later = now + Duration::from_secs(1);
    assert!(
        limits.count_unknown_token(&client, later).is_ok()
            && limits.count_unknown_token(&client, later).is_err()
    );
}

#[test]
fn the_wait_is_whole_seconds_and_never_none() {
    for (millis, seconds) in [(1, 1), (999, 1), (1000, 1), (1001, 2)] {
        assert_eq!(RateLimited(Duration::from_millis(millis)).retry_after_seconds(), seconds);
    }
}
