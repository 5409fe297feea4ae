//! The limits of name lookups, and that callers share them.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::FutureExt as _;
use tokio::sync::Semaphore;

use super::{
    LOOPBACK, LookupFuture, SHORT_TIMEOUT, TEST_TIMEOUT, client_with_resolver, loopback_network, post, tenant,
};
use crate::resolver::lookup_limiter::LookupLimiter;

/// A resolver that answers one lookup for each permit, and counts the lookups in flight.
#[derive(Clone)]
struct SlowResolver {
    in_flight: Arc<AtomicUsize>,
    answer_permits: Arc<Semaphore>,
}

impl SlowResolver {
    fn new() -> (Self, Arc<LookupLimiter>) {
        let resolver = Self { in_flight: Arc::default(), answer_permits: Arc::new(Semaphore::new(0)) };
        let shared = resolver.clone();
        let resolve = move |_: String| -> LookupFuture {
            let SlowResolver { in_flight, answer_permits } = shared.clone();
            async move {
                let counted = CountedLookup::begin(in_flight);
                answer_permits.acquire().await.expect("open").forget();
                drop(counted);
                Ok::<_, io::Error>(vec![LOOPBACK])
            }
            .boxed()
        };
        (resolver, Arc::new(LookupLimiter::new(Arc::new(resolve))))
    }

    /// Waits until this many lookups are in flight.
    async fn until_in_flight(&self, count: usize) {
        while self.in_flight.load(Ordering::SeqCst) != count {
            tokio::task::yield_now().await;
        }
    }
}

/// Counts a lookup for as long as it is in flight.
struct CountedLookup(Arc<AtomicUsize>);

impl CountedLookup {
    fn begin(in_flight: Arc<AtomicUsize>) -> Self {
        in_flight.fetch_add(1, Ordering::SeqCst);
        Self(in_flight)
    }
}

impl Drop for CountedLookup {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn look_up(
    lookups: &Arc<LookupLimiter>,
    tenant_name: &str,
    name: &str,
) -> tokio::task::JoinHandle<Vec<IpAddr>> {
    let (lookups, tenant, name) = (Arc::clone(lookups), tenant(tenant_name), name.to_owned());
    tokio::spawn(async move { lookups.addresses(&tenant, &name, &mut None).await.expect("addresses") })
}

#[tokio::test]
async fn a_name_has_at_most_one_lookup_in_flight() {
    let (resolver, lookups) = SlowResolver::new();
    let first = look_up(&lookups, "acme", "core.example.test");
    resolver.until_in_flight(1).await;
    let others: Vec<_> = (0..50).map(|_| look_up(&lookups, "other", "core.example.test")).collect();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    resolver.until_in_flight(1).await;
    resolver.answer_permits.add_permits(1);
    assert_eq!(first.await.expect("an answer"), [LOOPBACK]);
    for other in others {
        assert_eq!(other.await.expect("the same answer"), [LOOPBACK]);
    }
    // That lookup has ended: the next call starts another.
    let again = look_up(&lookups, "acme", "core.example.test");
    resolver.until_in_flight(1).await;
    resolver.answer_permits.add_permits(1);
    again.await.expect("an answer");
}

#[tokio::test]
async fn a_tenants_lookups_that_never_end_leave_permits_for_another_tenant() {
    let (resolver, lookups) = SlowResolver::new();
    let stuck: Vec<_> = (0..200).map(|at| look_up(&lookups, "acme", &format!("{at}.acme.test"))).collect();
    resolver.until_in_flight(16).await;
    let other = look_up(&lookups, "other", "core.example.test");
    resolver.until_in_flight(17).await;
    // A lookup that nobody waits for gives its permit to the next.
    stuck[..16].iter().for_each(tokio::task::JoinHandle::abort);
    for aborted in stuck.into_iter().take(16) {
        aborted.await.expect_err("aborted");
    }
    resolver.until_in_flight(17).await;
    resolver.answer_permits.add_permits(200);
    assert_eq!(other.await.expect("an answer"), [LOOPBACK]);
}

#[tokio::test]
async fn a_lookup_that_nobody_waits_for_is_dropped() {
    let (resolver, lookups) = SlowResolver::new();
    let (one, two) = (look_up(&lookups, "acme", "a.test"), look_up(&lookups, "acme", "a.test"));
    resolver.until_in_flight(1).await;
    one.abort();
    one.await.expect_err("aborted");
    resolver.until_in_flight(1).await;
    two.abort();
    two.await.expect_err("aborted");
    resolver.until_in_flight(0).await;
}

#[tokio::test]
async fn many_tenants_lookups_that_never_end_leave_a_reserved_permit_for_another_tenant() {
    let (resolver, lookups) = SlowResolver::new();
    let stuck: Vec<_> = (0..10 * 20)
        .map(|at| look_up(&lookups, &format!("tenant-{}", at % 10), &format!("{at}.example.test")))
        .collect();
    // One reserved permit of each tenant, and all shared ones.
    resolver.until_in_flight(10 + 96).await;
    let other = look_up(&lookups, "other", "core.example.test");
    resolver.until_in_flight(10 + 96 + 1).await;
    resolver.answer_permits.add_permits(stuck.len() + 1);
    assert_eq!(other.await.expect("an answer"), [LOOPBACK]);
}

#[tokio::test]
async fn a_tenant_without_lookups_is_removed() {
    let (resolver, lookups) = SlowResolver::new();
    let asked: Vec<_> = (0..20).map(|at| look_up(&lookups, "acme", &format!("{at}.acme.test"))).collect();
    resolver.until_in_flight(16).await;
    assert_eq!(lookups.tenant_count(), 1);
    // Those that wait for a permit first.
    for asked in asked.into_iter().rev() {
        asked.abort();
        asked.await.expect_err("aborted");
    }
    assert_eq!(lookups.tenant_count(), 0);
}

/// No name server was asked, so none is to blame.
#[tokio::test]
async fn a_request_that_only_waited_for_a_lookup_permit_was_not_sent() {
    let in_flight: Arc<AtomicUsize> = Arc::default();
    let count = Arc::clone(&in_flight);
    let never = move |_: String| -> LookupFuture {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::pending().boxed()
    };
    let client = client_with_resolver(loopback_network(), never);
    let stuck: Vec<_> = (0..16)
        .map(|at| {
            let (client, request) = (client.clone(), post(&format!("http://{at}.acme.test/"), "{}"));
            tokio::spawn(async move { client.send_http(request).await })
        })
        .collect();
    let full = async {
        while in_flight.load(Ordering::SeqCst) < 16 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, full).await.expect("sixteen lookups");
    let mut request = post("http://core.acme.test/", "{}");
    request.timeout = SHORT_TIMEOUT;
    let not_sent = client.send_http(request).await.expect_err("nothing was sent").to_string();
    assert_eq!(not_sent, "this machine has no room left for another look-up of a name");
    stuck.iter().for_each(tokio::task::JoinHandle::abort);
}
