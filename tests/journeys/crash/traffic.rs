//! Traffic while the process is being killed: events, resends, and a receiver whose replies vary.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::harness::wait::{pause, within};
use crate::harness::{Api, Gate, Journey, Received, Receiver, Reply, locked, subscription, text, trace_ids};

const POSTERS: u64 = 2;
pub(super) const LOANS: u64 = 20;

pub(super) struct Traffic {
    shared: Arc<Shared>,
    receiver: Receiver,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stopped: AtomicBool,
    events: AtomicU64,
    /// Trace IDs of events that were answered 202.
    accepted: Mutex<BTreeSet<String>>,
    /// Attempts that a resend was answered with 202 for, and their trace IDs.
    resends: Mutex<BTreeMap<String, String>>,
    /// Holds replies until the next kill.
    gate: Mutex<Option<Gate>>,
}

/// What was answered with 202, and the receiver that saw the requests.
pub(super) struct Promised {
    pub(super) accepted: BTreeSet<String>,
    pub(super) resends: BTreeMap<String, String>,
    receiver: Receiver,
}

impl Promised {
    pub(super) fn seen(&self) -> Vec<Received> {
        self.receiver.requests()
    }

    pub(super) fn all_reached(&self) -> bool {
        let seen: BTreeSet<String> =
            self.seen().iter().map(|request| request.trace_id().to_owned()).collect();
        self.accepted.is_subset(&seen)
    }
}

impl Traffic {
    pub(super) async fn start(j: &Journey, seed: u64) -> Self {
        let shared = Arc::new(Shared::default());
        *locked(&shared.gate) = Some(Gate::closed());
        let replies = Arc::clone(&shared);
        let receiver = Receiver::replying_by(move |request| replies.reply(seed, request)).await;
        let retries = json!({"retry": {"delays": vec![1; 24]}, "timeoutSeconds": 30});
        j.api.subscribe(&subscription(&receiver.url("/hook"), retries)).await;
        let mut tasks = vec![tokio::spawn(resend(Arc::clone(&shared), j.api.clone(), seed))];
        for _ in 0..POSTERS {
            tasks.push(tokio::spawn(post(Arc::clone(&shared), j.api.clone())));
        }
        Self { shared, receiver, tasks }
    }

    /// After a kill: releases the replies that were held for it; later ones are held until the next.
    pub(super) fn release_held_requests(&self) {
        if let Some(gate) = locked(&self.shared.gate).replace(Gate::closed()) {
            gate.open();
        }
    }

    /// Ends posts and resends, and releases the held replies.
    pub(super) async fn stop(self) -> Promised {
        self.shared.stopped.store(true, SeqCst);
        if let Some(gate) = locked(&self.shared.gate).take() {
            gate.open();
        }
        for task in self.tasks {
            task.await.expect("the traffic ends in order");
        }
        let accepted = std::mem::take(&mut *locked(&self.shared.accepted));
        let resends = std::mem::take(&mut *locked(&self.shared.resends));
        Promised { accepted, resends, receiver: self.receiver }
    }
}

impl Shared {
    /// The reply depends on the event and the attempt, so that a seed means the same in each run.
    fn reply(&self, seed: u64, request: &Received) -> Reply {
        let event = request.json()["context"]["number"].as_u64().expect("the number of the event");
        let attempt = request.attempt_number().parse().unwrap_or(1_000);
        match fastrand::Rng::with_seed(seed ^ (event << 16) ^ attempt).u8(0..100) {
            0..15 => Reply::status(500),
            15..19 => Reply::reset(),
            19..22 => Reply::close_early(),
            22..25 => locked(&self.gate).as_ref().map_or_else(Reply::ok, |gate| Reply::ok().held(gate)),
            _ => Reply::ok(),
        }
    }
}

/// Posts one event after the other. Every second one has an idempotency key and is posted until it is accepted; the others
/// are posted once, and may or may not have been accepted where the process died meanwhile.
async fn post(shared: Arc<Shared>, api: Api) {
    while !shared.stopped.load(SeqCst) {
        let number = shared.events.fetch_add(1, SeqCst);
        let keyed = number.is_multiple_of(2);
        let mut accepted = post_once(&api, number, keyed).await;
        while accepted.is_none() {
            within("the server listens again", server_listens(&api)).await;
            if !keyed {
                break;
            }
            accepted = post_once(&api, number, keyed).await;
        }
        locked(&shared.accepted).extend(accepted.iter().flat_map(trace_ids));
    }
}

async fn post_once(api: &Api, number: u64, keyed: bool) -> Option<Value> {
    let loan = format!("loan-{}", number % LOANS);
    let event = json!({"eventName": "Posted", "loanId": loan, "context": {"number": number}});
    let mut asked = api.request("POST", "/v1/events").json(&event);
    if keyed {
        asked = asked.header("idempotency-key", &number.to_string());
    }
    let answer = asked.try_send().await.ok()?;
    // A server that has just started may be busy with earlier deliveries.
    (answer.status != 503).then(|| answer.expect_status(202).json())
}

async fn server_listens(api: &Api) {
    while api.request("GET", "/health").try_send().await.is_err() {
        pause(Duration::from_millis(20)).await;
    }
}

/// Resends what was accepted, at random.
async fn resend(shared: Arc<Shared>, api: Api, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed ^ 0x5eed);
    while !shared.stopped.load(SeqCst) {
        let trace = random.choice(locked(&shared.accepted).iter()).cloned();
        let answer = match &trace {
            Some(trace) => api.request("POST", &format!("/v1/webhooks/{trace}/resend")).try_send().await.ok(),
            None => None,
        };
        if let (Some(trace), Some(answer)) = (trace, answer)
            && answer.status == 202
        {
            locked(&shared.resends).insert(text(&answer.json()["id"]).to_owned(), trace);
        }
        pause(Duration::from_millis(random.u64(0..60))).await;
    }
}
