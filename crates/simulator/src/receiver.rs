//! Receivers: what becomes of a request that leaves. How often one answers well stands in its host's name, such as `r60`.

use std::time::Duration;

use bytes::Bytes;
use loanhook_core::model::failure::{ErrorKind, Failure};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{NotSent, ReceivedResponse, SendOutcome, Sender, WebhookRequest};
use tokio::time::sleep;

use crate::Simulation;
use crate::faults::Fault;
use crate::rules::requests;
use crate::throttles::PermitId;
use crate::trace;
use crate::world::{Inner, yield_now};

/// How the request of an attempt ends.
struct Ending {
    elapsed: Duration,
    result: Result<u16, ErrorKind>,
    /// In seconds.
    retry_after: Option<u32>,
    /// The worker crashes with the request under way.
    worker_crashes: bool,
}

/// Where a worker sends.
pub(crate) struct Receiver {
    pub(crate) simulation: Simulation,
    /// Of the message that the worker has.
    pub(crate) permit: PermitId,
}

impl Sender for Receiver {
    async fn send(&self, request: WebhookRequest) -> Result<SendOutcome, NotSent> {
        let (simulation, permit) = (&self.simulation, self.permit);
        let world = &simulation.world;
        yield_now().await;
        let ending = {
            let inner = &mut *world.lock();
            if inner.fault(Fault::ResourceMissing) {
                return Err(NotSent("simulated: no file descriptor is left".into()));
            }
            requests::check(inner, (&simulation.memory.state(), permit), &request);
            inner.throttles.record_sent(permit);
            inner.totals.requests += 1;
            let ending = draw(inner, &request);
            inner.trace.line(&inner.current.name, |trace| {
                let delivery = trace.delivery(request.trace_id);
                let (attempt, number) = (trace.attempt(request.attempt_id), trace::number(request.number));
                format!(
                    "sends {delivery}{number} as {attempt}: {:?} after {:?}",
                    ending.result, ending.elapsed
                )
            });
            ending
        };
        if ending.worker_crashes {
            sleep(ending.elapsed / 2).await;
            match world.crash(Fault::WorkerCrashes).await {}
        }
        sleep(ending.elapsed).await;
        let model = &mut world.lock().model;
        model.flows.answered(permit);
        if let Some(sent) = model.sent.get_mut(&request.attempt_id) {
            sent.answer = Some((ending.elapsed, ending.result));
        }
        Ok(outcome(&ending))
    }
}

fn draw(inner: &mut Inner, request: &WebhookRequest) -> Ending {
    let worker_crashes = inner.fault(Fault::WorkerCrashes);
    let hangs = inner.fault(Fault::ReceiverHangs);
    let kind = if hangs {
        Some(ErrorKind::Timeout)
    } else if inner.fault(Fault::ConnectionClosed) {
        Some(ErrorKind::Interrupted)
    } else if inner.fault(Fault::DestinationBlocked) {
        Some(ErrorKind::Blocked)
    } else {
        None
    };
    let rng = &mut inner.rng;
    let healthy = rng.u32(..100) < health(&request.url);
    let status = match healthy {
        true => [200, 201, 204][rng.usize(..3)],
        false => [404, 429, 500, 503, 302, 0][rng.usize(..6)],
    };
    let result = match (kind, status) {
        (Some(kind), _) => Err(kind),
        (None, 0) => Err([ErrorKind::Connect, ErrorKind::Dns, ErrorKind::Protocol][rng.usize(..3)]),
        (None, status) => Ok(status),
    };
    let retry_after = rng.bool().then(|| [1, 120, 900, 200_000][rng.usize(..4)]);
    let elapsed = match (hangs, rng.u32(..10)) {
        (true, _) => request.timeout,
        // A late answer, which still counts.
        (false, 0) => request.timeout.saturating_sub(Duration::from_millis(rng.u64(1..500))),
        (false, _) => Duration::from_millis(rng.u64(..400)),
    };
    Ending { elapsed, result, retry_after, worker_crashes }
}

/// Of 100 answers, how many are good.
fn health(url: &str) -> u32 {
    let host = url.strip_prefix("https://r").and_then(|rest| rest.split('.').next());
    host.and_then(|digits| digits.parse().ok()).unwrap_or(100)
}

fn outcome(ending: &Ending) -> SendOutcome {
    let Ending { elapsed, result, retry_after, .. } = *ending;
    let response = result.is_ok().then(|| {
        let header = retry_after.map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
        ReceivedResponse {
            headers: header.into_iter().collect(),
            headers_truncated: false,
            headers_dropped: 0,
            body: Bytes::from(format!("answered at {}", Timestamp::now())),
            truncated: false,
        }
    });
    let result = result.map_err(|kind| Failure::new(kind, "simulated"));
    SendOutcome { elapsed, source_ip: None, result, response }
}
