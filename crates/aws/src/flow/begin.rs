//! Beginning of a request: what the flow of its subscription says of a message, before its attempt is claimed.
//!
//! 1. The newest version of the subscription says whether it has limits or a hold; most have none, and the message goes on. A first
//!    attempt of which intake said so a moment ago needs no look.
//! 2. The hold and older deliveries that wait are looked at, then a place is taken: see [`super::places`].
//! 3. An attempt that may not begin is noted to wait ([`super::waiting`]), and its message is done with. Then it is asked once
//!    more, as what ended the wait may have looked just before it was noted. A resend is put back for some seconds.
//!
//! Once the message is handled the place is given back, and the delivery that has waited longest is woken.

use std::time::Duration;

use tracing::warn;

use super::ask::Answer;
use super::known::KnownFlow;
use super::places::Place;
use super::state::ProbeRight;
use super::waiting::Waiting;
use crate::engine::Aws;
use crate::queue::Receiver;
use loanhook_core::model::progress::Progress;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Attempts as _, DueWork, Queue as _, QueueMessage, StoreResult};

/// A first attempt whose subscription had no flow so short a time before goes on without a look.
const INTAKE_VALIDITY: Duration = Duration::from_secs(10);
/// How long after the first delivery was noted what waits is looked at, where nothing says when its wait may end.
const FIRST_LOOK: Duration = Duration::from_secs(1);
/// How long a resend waits each time that a limit forbids it, at least and at most.
const MIN_RESEND_DELAY: Duration = Duration::from_secs(1);
const MAX_RESEND_DELAY: Duration = Duration::from_secs(10);
/// A claim this old is one of a sender that died, whatever lease the function has.
const MAX_LEASE: Duration = Duration::from_secs(600);
/// When a message is looked at again whose attempt is in flight.
const IN_FLIGHT_DELAY: Duration = Duration::from_secs(30);

/// What a message says beside its work.
#[derive(Debug, Clone, Copy, Default)]
pub struct FlowNotes {
    /// When intake knew that the subscription had no flow.
    pub(crate) without_flow_at: Option<Timestamp>,
    /// The share in which a place was given back for it.
    pub(crate) share: Option<u32>,
    /// When a limit, a hold or an order let it go.
    pub(crate) woken_at: Option<Timestamp>,
}

/// What became of a message before it is handled.
enum Begun {
    /// It is handled; what it took is given back then.
    Now(Request),
    /// It is done with: its delivery or its resend waits.
    Waits,
}

/// What a request has taken.
struct Request {
    of: Receiver,
    place: Option<Place>,
    probe: Option<ProbeRight>,
    /// Its subscription may be held when it ends.
    keeps_state: bool,
    /// The newest version of its subscription was read for it.
    read_ahead: Option<ReadAhead>,
}

impl Request {
    /// A request that took nothing.
    const fn free(of: Receiver, read_ahead: Option<ReadAhead>) -> Self {
        Self { of, place: None, probe: None, keeps_state: false, read_ahead }
    }
}

/// Keeps the newest version that was read before a claim, for the request that they were read for.
struct ReadAhead {
    engine: Aws,
    of: Receiver,
}

impl ReadAhead {
    fn new(engine: &Aws, of: &Receiver) -> Self {
        engine.cache().begin_read_ahead(&of.tenant, of.subscription_id);
        Self { engine: engine.clone(), of: of.clone() }
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.engine.cache().end_read_ahead(&self.of.tenant, self.of.subscription_id);
    }
}

impl Aws {
    /// Handles a message where the flow of its subscription lets its request begin; else its delivery or resend waits, and the
    /// message is done with. What it takes is given back once `handle` has ended, and is over at `over` in any case, when the
    /// invocation certainly is.
    ///
    /// # Errors
    ///
    /// Those of `handle`, and where the store fails before it: the message must come again.
    pub async fn within_flow<F: Future<Output = StoreResult<()>>>(
        &self,
        message: QueueMessage,
        notes: FlowNotes,
        over: Timestamp,
        now: Timestamp,
        handle: impl FnOnce(QueueMessage) -> F,
    ) -> StoreResult<()> {
        let request = match self.begin_request(&message, notes, over, now).await? {
            Begun::Now(request) => request,
            Begun::Waits => return Ok(()),
        };
        let result = handle(message).await;
        let of = request.of.clone();
        if let Err(failure) = self.end_request(request).await {
            // What was taken is over with the invocation, and the sweep has it looked at what waits.
            warn!(tenant = of.tenant.as_str(), subscription_id = %of.subscription_id, %failure, "place.kept");
        }
        result
    }

    /// Looks at what the flow of a message's subscription says.
    async fn begin_request(
        &self,
        message: &QueueMessage,
        notes: FlowNotes,
        over: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Begun> {
        let of = Receiver::of(message);
        let is_known_free = |at: Timestamp| now.since(at) <= INTAKE_VALIDITY && is_first(message);
        if now < message.due || notes.without_flow_at.is_some_and(is_known_free) {
            return Ok(Begun::Now(Request::free(of, None)));
        }
        let flow = self.read_flow_and_credentials(&of).await?;
        let read_ahead = Some(ReadAhead::new(self, &of));
        if !flow.restricts() {
            return Ok(Begun::Now(Request::free(of, read_ahead)));
        }
        let answer = match &message.work {
            DueWork::Resend { .. } => match self.take_limits(&of, &flow, notes.share, over, now).await? {
                Answer::Wait(until) => {
                    self.put_resend_back(message, until, now).await?;
                    return Ok(Begun::Waits);
                }
                begin @ Answer::Begin(..) => begin,
            },
            DueWork::Attempt(number) => {
                let next = Waiting { due: message.due, trace: message.trace_id, number: *number };
                match self.ask(&of, &flow, &next, notes.share, over, now).await? {
                    Answer::Wait(until) => {
                        match self.wait(message, *number, &flow, until, over, now).await? {
                            Some(answer) => answer,
                            None => return Ok(Begun::Waits),
                        }
                    }
                    begin @ Answer::Begin(..) => begin,
                }
            }
        };
        match answer {
            Answer::Begin(place, probe) => {
                let keeps_state = flow.keeps_state();
                Ok(Begun::Now(Request { of, place, probe, keeps_state, read_ahead }))
            }
            Answer::Wait(_) => Ok(Begun::Waits),
        }
    }

    /// Gives back what a request took, and wakes the delivery that has waited longest for it.
    async fn end_request(&self, request: Request) -> StoreResult<()> {
        let Request { of, place, probe, keeps_state, read_ahead } = request;
        drop(read_ahead);
        if let Some(place) = place {
            self.give_place_back(&of, &place).await?;
            // While it is held nothing leaves, and after that the turns keep the pace.
            let now = (self.stack().clock)();
            if !keeps_state || self.flow_state(&of).await?.state.waits_since(now).is_none() {
                self.wake_one(&of, place.share).await?;
            }
        }
        if let Some(probe) = probe
            && self.give_probe_back(&of, probe).await?
        {
            // It said nothing of the receiver, so the next may leave at once.
            self.send_next_turn(&of, (self.stack().clock)()).await?;
        }
        Ok(())
    }

    /// Notes that a delivery waits, and asks once more where it has waited longest. None where it waits, or where its message is
    /// put back.
    async fn wait(
        &self,
        message: &QueueMessage,
        number: u32,
        flow: &KnownFlow,
        until: Option<Timestamp>,
        over: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Option<Answer>> {
        let of = Receiver::of(message);
        let Some(delivery) = self.delivery(&message.tenant, message.trace_id).await? else {
            return Ok(Some(Answer::Begin(None, None)));
        };
        let next = match &delivery.progress {
            Progress::Waiting(next) if next.number == number => *next,
            // Its sender lives, or died a short while ago.
            Progress::Sending { claim, .. } | Progress::Canceling(claim)
                if claim.number == number && now < claim.since + MAX_LEASE =>
            {
                self.enqueue(QueueMessage { due: now + IN_FLIGHT_DELAY, ..message.clone() }).await?;
                return Ok(None);
            }
            // Nothing is sent for it.
            _ => return Ok(Some(Answer::Begin(None, None))),
        };
        let waiting = Waiting { due: next.due, trace: message.trace_id, number };
        self.put_waiting(&of, &waiting).await?;
        self.begin_turns(&of, until.unwrap_or(now + FIRST_LOOK), now).await?;
        if self.oldest_waiting(&of, 1).await?.first() != Some(&waiting) {
            return Ok(None);
        }
        match self.ask(&of, flow, &waiting, None, over, now).await? {
            Answer::Wait(_) => Ok(None),
            begin @ Answer::Begin(..) => {
                self.remove_waiting(&of, &waiting).await?;
                Ok(Some(begin))
            }
        }
    }

    /// Has a resend wait for a limit: until the rate may let it through, or some seconds.
    async fn put_resend_back(
        &self,
        message: &QueueMessage,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> StoreResult<()> {
        let waited = now.since(message.due);
        let at = until.unwrap_or(now + waited).clamp(now + MIN_RESEND_DELAY, now + MAX_RESEND_DELAY);
        self.enqueue_not_before(message.clone(), at).await
    }
}

/// Whether it is the first attempt of a delivery.
fn is_first(message: &QueueMessage) -> bool {
    matches!(message.work, DueWork::Attempt(..=1))
}
