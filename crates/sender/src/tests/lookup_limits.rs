//! How many look-ups there may be, and that they are shared.

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

use super::{Answer, LOOPBACK, PATIENCE, SHORT, loopback, post, tenant};
use crate::{WebhookClient, resolver::lookup_limiter::LookupLimiter};

/// A name server that answers once for each permit, and counts who asks.
#[derive(Clone)]
struct Slow {
    asking: Arc<AtomicUsize>,
    answers: Arc<Semaphore>,
}

impl Slow {
    fn new() -> (Self, Arc<LookupLimiter>) {
        let slow = Self { asking: Arc::default(), answers: Arc::new(Semaphore::new(0)) };
        let server = slow.clone();
        let resolver = move |_: String| -> Answer {
            let server = server.clone();
            async move {
                let asking = Asking::begin(server.asking);
                server.answers.acquire().await.expect("open").forget();
                drop(asking);
                Ok::<_, io::Error>(vec![LOOPBACK])
            }
            .boxed()
        };
        (slow, Arc::new(LookupLimiter::new(Arc::new(resolver))))
    }

    /// Waits until this many ask at once.
    async fn until(&self, asking: usize) {
        while self.asking.load(Ordering::SeqCst) != asking {
            tokio::task::yield_now().await;
        }
    }
}

struct Asking(Arc<AtomicUsize>);

impl Asking {
    fn begin(asking: Arc<AtomicUsize>) -> Self {
        asking.fetch_add(1, Ordering::SeqCst);
        Self(asking)
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn ask(lookups: &Arc<LookupLimiter>, of: &str, name: &str) -> tokio::task::JoinHandle<Vec<IpAddr>> {
    let (lookups, tenant, name) = (Arc::clone(lookups), tenant(of), name.to_owned());
    tokio::spawn(async move { lookups.addresses(&tenant, &name, &mut None).await.expect("addresses") })
}

#[tokio::test]
async fn a_name_has_one_look_up_at_most() {
    let (slow, lookups) = Slow::new();
    let first = ask(&lookups, "acme", "core.example.test");
    slow.until(1).await;
    let others: Vec<_> = (0..50).map(|_| ask(&lookups, "other", "core.example.test")).collect();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    slow.until(1).await;
    slow.answers.add_permits(1);
    assert_eq!(first.await.expect("an answer"), [LOOPBACK]);
    for other in others {
        assert_eq!(other.await.expect("the same answer"), [LOOPBACK]);
    }
    // It is over: the next one asks anew.
    let again = ask(&lookups, "acme", "core.example.test");
    slow.until(1).await;
    slow.answers.add_permits(1);
    again.await.expect("an answer");
}

#[tokio::test]
async fn names_of_one_tenant_that_never_answer_leave_room_for_others() {
    let (slow, lookups) = Slow::new();
    let stuck: Vec<_> = (0..200).map(|at| ask(&lookups, "acme", &format!("{at}.acme.test"))).collect();
    slow.until(16).await;
    let other = ask(&lookups, "other", "core.example.test");
    slow.until(17).await;
    // Whoever waits for nothing any more gives its room to the next.
    stuck[..16].iter().for_each(tokio::task::JoinHandle::abort);
    for aborted in stuck.into_iter().take(16) {
        aborted.await.expect_err("called off");
    }
    slow.until(17).await;
    slow.answers.add_permits(200);
    assert_eq!(other.await.expect("an answer"), [LOOPBACK]);
}

#[tokio::test]
async fn a_look_up_that_nobody_waits_for_is_called_off() {
    let (slow, lookups) = Slow::new();
    let (one, two) = (ask(&lookups, "acme", "a.test"), ask(&lookups, "acme", "a.test"));
    slow.until(1).await;
    one.abort();
    one.await.expect_err("called off");
    slow.until(1).await;
    two.abort();
    two.await.expect_err("called off");
    slow.until(0).await;
}

#[tokio::test]
async fn tenants_whose_names_never_answer_leave_room_for_another_tenant() {
    let (slow, lookups) = Slow::new();
    let stuck: Vec<_> = (0..10 * 20)
        .map(|at| ask(&lookups, &format!("tenant-{}", at % 10), &format!("{at}.example.test")))
        .collect();
    // One of each tenant's, and all that is shared.
    slow.until(10 + 96).await;
    let other = ask(&lookups, "other", "core.example.test");
    slow.until(10 + 96 + 1).await;
    slow.answers.add_permits(stuck.len() + 1);
    assert_eq!(other.await.expect("an answer"), [LOOPBACK]);
}

#[tokio::test]
async fn a_tenant_that_waits_for_nothing_any_more_is_forgotten() {
    let (slow, lookups) = Slow::new();
    let asked: Vec<_> = (0..20).map(|at| ask(&lookups, "acme", &format!("{at}.acme.test"))).collect();
    slow.until(16).await;
    assert_eq!(lookups.tenant_count(), 1);
    // Those that wait for room go first.
    for asked in asked.into_iter().rev() {
        asked.abort();
        asked.await.expect_err("called off");
    }
    assert_eq!(lookups.tenant_count(), 0);
}

/// Nobody was asked, so no name server is to blame.
#[tokio::test]
async fn a_webhook_that_only_waited_for_room_was_not_sent() {
    let asking: Arc<AtomicUsize> = Arc::default();
    let count = Arc::clone(&asking);
    let never = move |_: String| -> Answer {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::pending().boxed()
    };
    let client = WebhookClient::with_resolver(loopback(), never).expect("a client");
    let stuck: Vec<_> = (0..16)
        .map(|at| {
            let (client, outgoing) = (client.clone(), post(&format!("http://{at}.acme.test/"), "{}"));
            tokio::spawn(async move { client.send(outgoing).await })
        })
        .collect();
    let full = async {
        while asking.load(Ordering::SeqCst) < 16 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, full).await.expect("sixteen look-ups");
    let mut outgoing = post("http://core.acme.test/", "{}");
    outgoing.timeout = SHORT;
    let not_sent = client.send(outgoing).await.expect_err("nothing was sent").to_string();
    assert_eq!(not_sent, "this machine has no room left for another look-up of a name");
    stuck.iter().for_each(tokio::task::JoinHandle::abort);
}
