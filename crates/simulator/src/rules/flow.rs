//! Limits and holds: what leaves keeps to the flow settings of its subscription, and what is handed out and claimed to its hold. A
//! second statement of the rules, which shares nothing with the throttle.

use std::collections::BTreeMap;

use loanhook_core::model::flow::{FlowSettings, Hold};
use loanhook_core::model::id::{SubscriptionId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;
use loanhook_memory::State;
use tokio::time::Instant;

use super::Rule;
use crate::throttles::{PermitId, is_automatic};
use crate::trace::elapsed;
use crate::world::Inner;

/// What is allowed beyond a rate, as it is computed in fractions.
const ROUNDING: f64 = 0.001;
/// How many whole seconds after the end of a hold its pace is bounded.
const PACED_SECONDS: u64 = 20;

/// What was seen of the flow of all subscriptions, and what is handed out.
#[derive(Default)]
pub(crate) struct SeenFlows {
    flows: BTreeMap<SubscriptionId, SeenFlow>,
    handed_out: BTreeMap<PermitId, HandedOut>,
}

#[derive(Default)]
struct SeenFlow {
    settings: FlowSettings,
    hold: Option<Hold>,
    /// How often its rate was set.
    rates: u64,
    /// When the requests left that began since the rate was set.
    left_at: Vec<Instant>,
    /// Where the last hold is over.
    end: Option<SeenEnd>,
}

/// The end of a hold, and how many automatic attempts that began in each second after it have left.
struct SeenEnd {
    at: Instant,
    left: BTreeMap<u64, u64>,
}

/// A message that a worker has.
struct HandedOut {
    of: SubscriptionId,
    trace: TraceId,
    automatic: bool,
    /// When it was claimed, or before that when it was handed out.
    begun: Begun,
    request: Request,
}

/// What was set when a message was handed out or claimed.
#[derive(Clone, Copy, Default)]
struct Begun {
    /// The largest limit of requests in flight since then; none is no limit.
    max_in_flight: Option<u32>,
    /// How often the rate had been set.
    rates: u64,
    /// The end of the hold that it follows, and how many whole seconds later it is.
    follows: Option<(Instant, u64)>,
}

/// The request of a message that a worker has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Request {
    NotLeft,
    UnderWay,
    Ended,
}

impl SeenFlows {
    /// The receiver has answered, or the time for that is over.
    pub(crate) fn answered(&mut self, id: PermitId) {
        if let Some(handed_out) = self.handed_out.get_mut(&id) {
            handed_out.request = Request::Ended;
        }
    }

    /// The worker of a message has ended or crashed.
    pub(crate) fn ended(&mut self, id: PermitId) {
        self.handed_out.remove(&id);
    }

    fn of(&self, of: SubscriptionId) -> impl Iterator<Item = &HandedOut> {
        self.handed_out.values().filter(move |handed_out| handed_out.of == of)
    }
}

/// Looks at the settings and the holds as they are now.
pub(crate) fn changes(inner: &mut Inner, state: &State) {
    for subscription in state.every_subscription() {
        let (of, settings) = (subscription.id, subscription.settings.flow);
        let flow = state.flow_states.get(&(subscription.tenant.clone(), of));
        let hold = flow.and_then(|flow| flow.hold.clone());
        let flows = &mut inner.model.flows;
        for handed_out in flows.handed_out.values_mut().filter(|handed_out| handed_out.of == of) {
            let both = handed_out.begun.max_in_flight.zip(settings.max_in_flight);
            handed_out.begun.max_in_flight = both.map(|(before, now)| before.max(now));
        }
        let seen = flows.flows.entry(of).or_default();
        let before = std::mem::replace(&mut seen.settings, settings);
        if before.max_per_second != settings.max_per_second {
            seen.rates += 1;
            seen.left_at.clear();
        }
        let was_held = std::mem::replace(&mut seen.hold, hold).is_some();
        match (was_held, seen.hold.is_some()) {
            (false, true) => {
                seen.end = None;
                inner.totals.holds += 1;
            }
            (true, false) => seen.end = Some(SeenEnd { at: Instant::now(), left: BTreeMap::new() }),
            _ => {}
        }
    }
}

/// A message is handed out.
pub(crate) fn handed_out(inner: &mut Inner, id: PermitId, message: &QueueMessage) {
    let (of, trace) = (message.subscription_id, message.trace_id);
    let automatic = is_automatic(message);
    let handed_out = HandedOut { of, trace, automatic, begun: Begun::default(), request: Request::NotLeft };
    inner.model.flows.handed_out.insert(id, handed_out);
    begins(inner, id);
}

/// A message is handed out, or is about to be claimed.
pub(crate) fn begins(inner: &mut Inner, id: PermitId) {
    let flows = &mut inner.model.flows;
    let Some(own) = flows.handed_out.get(&id) else { return };
    let (of, trace, automatic) = (own.of, own.trace, own.automatic);
    // It is one of them itself.
    let attempts = flows.of(of).filter(|other| other.automatic).count();
    let seen = flows.flows.entry(of).or_default();
    let hold = seen.hold.as_ref().filter(|_| automatic);
    let broken = match hold.map(|hold| (hold, hold.probe())) {
        None => None,
        Some((hold, None)) => Some(format!("an attempt begins, and {} holds its webhook", hold.by())),
        Some((_, Some(_))) if attempts > 1 => Some("an attempt begins beside a probe".to_owned()),
        Some((_, Some(probe))) => {
            inner.totals.probes += 1;
            let is_early = Timestamp::now() < probe.due;
            is_early.then(|| format!("a probe begins before it is due, at {}", elapsed(probe.due)))
        }
    };
    let end = seen.end.as_ref().filter(|_| automatic);
    let follows = end.map(|end| (end.at, end.at.elapsed().as_secs()));
    let begun = Begun { max_in_flight: seen.settings.max_in_flight, rates: seen.rates, follows };
    if let Some(own) = flows.handed_out.get_mut(&id) {
        own.begun = begun;
    }
    if let Some(detail) = broken {
        let name = inner.trace.delivery(trace);
        inner.broken(Rule::HoldIsKept, format!("{name}: {detail}"));
    }
}

/// The request of a message leaves.
pub(crate) fn leaves(inner: &mut Inner, id: PermitId) -> Result<(), (Rule, String)> {
    let flows = &mut inner.model.flows;
    let Some(mut own) = flows.handed_out.remove(&id) else { return Ok(()) };
    let under_way = flows.of(own.of).filter(|other| other.request == Request::UnderWay).count();
    own.request = Request::UnderWay;
    let (of, begun) = (own.of, own.begun);
    flows.handed_out.insert(id, own);
    if let Some(most) = begun.max_in_flight.filter(|most| under_way >= *most as usize) {
        return Err((Rule::LimitsAreKept, format!("{under_way} are under way, and may be {most}")));
    }
    let Some(seen) = flows.flows.get_mut(&of) else { return Ok(()) };
    if let Some(rate) = seen.settings.max_per_second.filter(|_| begun.rates == seen.rates) {
        seen.left_at.push(Instant::now());
        check_rate(&seen.left_at, rate)?;
    }
    let end = seen.end.as_mut();
    let follows = begun.follows.zip(end).filter(|((at, _), end)| *at == end.at);
    if let Some(((_, second), end)) = follows.filter(|((_, second), _)| *second < PACED_SECONDS) {
        let left = end.left.entry(second).or_default();
        *left += 1;
        // 4 in the first second, and twice as many in each that follows.
        let most = 4 << second;
        if *left > most {
            let detail = format!("{left} began {second} s after the end of a hold, and may be {most}");
            return Err((Rule::HoldIsKept, detail));
        }
    }
    Ok(())
}

/// In any time, no more left than the bucket holds and its rate gives.
fn check_rate(left_at: &[Instant], per_second: f64) -> Result<(), (Rule, String)> {
    let now = Instant::now();
    for (place, first) in left_at.iter().enumerate() {
        let (left, seconds) = (left_at.len() - place, (now - *first).as_secs_f64());
        let most = per_second.max(1.0) + per_second * seconds;
        if float(left) > most + ROUNDING {
            let detail = format!("{left} left within {seconds} s at {per_second} a second");
            return Err((Rule::LimitsAreKept, detail));
        }
    }
    Ok(())
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
