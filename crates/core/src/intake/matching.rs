//! Matching of an event to subscriptions, and rendering for those that it fires.
//!
//! First all are evaluated, then what they would send is measured, and only then it is rendered.

use std::sync::Arc;

use bytes::Bytes;

use crate::model::delivery::Delivery;
use crate::model::event_evaluation::{EventEvaluation, MAX_RENDERED_BYTES};
use crate::model::formula_errors::SubscriptionFormulaError;
use crate::model::id::EventId;
use crate::model::ledger::{Decision, Verdict};
use crate::model::rendering;
use crate::model::subscription::{MatchResult, Subscription};
use crate::model::template::MAX_BODY;
use crate::model::trigger_state::TriggerReading;
use crate::ports::WatchedTrigger;

/// After how many steps of formulas and templates others get their turn: some 5 ms.
const STEPS_BETWEEN_YIELDS: u64 = 50_000;
/// As how many steps a subscription with formulas or templates counts, beside what those take.
const EXPENSIVE_SUBSCRIPTION_STEPS: u64 = 1_000;

/// What an event means for the subscriptions of a tenant.
#[derive(Default)]
pub(super) struct EvaluatedEvent {
    pub(super) matched: Vec<Arc<Subscription>>,
    /// Those that fire if their trigger rises, unless their restriction forbids.
    pub(super) watched: Vec<EvaluatedTrigger>,
    pub(super) formula_errors: Vec<SubscriptionFormulaError>,
    /// What those decided that do not fire, whatever came before.
    pub(super) verdicts: Vec<Verdict>,
}

/// A trigger whose state a loan keeps, at an event.
pub(super) struct EvaluatedTrigger {
    watch: TriggerReading,
    subscription: Arc<Subscription>,
    /// Whether its restriction allows what it fires.
    allowed: bool,
}

impl EvaluatedTrigger {
    /// The subscription, if it fires where its trigger rises.
    pub(super) fn allowed(&self) -> Option<&Arc<Subscription>> {
        self.allowed.then_some(&self.subscription)
    }
}

pub(super) async fn evaluate(
    subscriptions: &[Arc<Subscription>],
    evaluation: &EventEvaluation<'_>,
) -> EvaluatedEvent {
    let (mut evaluated, mut yielder) = (EvaluatedEvent::default(), StepYielder::default());
    for subscription in subscriptions {
        let before = evaluation.steps_used();
        match subscription.evaluate(evaluation) {
            MatchResult::OtherName => {}
            MatchResult::NoMatch(decision) => evaluated.verdicts.push(verdict(subscription, decision)),
            MatchResult::Match => evaluated.matched.push(Arc::clone(subscription)),
            MatchResult::Watched { watch, allowed } => {
                let subscription = Arc::clone(subscription);
                evaluated.watched.push(EvaluatedTrigger { watch, subscription, allowed });
            }
            MatchResult::FormulaError(error) => {
                let decision = Decision::formula_error(&error.detail);
                evaluated.verdicts.push(verdict(subscription, decision));
                evaluated
                    .formula_errors
                    .push(SubscriptionFormulaError { subscription: subscription.id, error });
            }
        }
        if subscription.is_expensive() {
            yielder.add_steps(EXPENSIVE_SUBSCRIPTION_STEPS + evaluation.steps_used() - before).await;
        }
    }
    evaluated
}

/// What a subscription decides, as it is.
pub(super) fn verdict(subscription: &Subscription, decision: Decision) -> Verdict {
    let Subscription { id, version, settings, .. } = subscription;
    Verdict { subscription_id: *id, title: settings.title.clone(), version: *version, decision }
}

/// The verdict of the subscription that a delivery is for.
pub(super) fn delivered(delivery: &Delivery) -> Verdict {
    let snapshot = &delivery.snapshot;
    Verdict {
        subscription_id: snapshot.subscription_id,
        title: snapshot.event_title.clone(),
        version: snapshot.subscription_version,
        decision: Decision::Delivered(snapshot.trace_id),
    }
}

/// Lets others have their turn: a formula or template may take milliseconds, and there may be hundreds.
#[derive(Default)]
struct StepYielder {
    steps: u64,
}

impl StepYielder {
    async fn add_steps(&mut self, steps: u64) {
        self.steps += steps;
        if self.steps >= STEPS_BETWEEN_YIELDS {
            self.steps = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// How many bytes the requests of these subscriptions take in memory at most.
pub(super) fn size_at_most<'a>(
    subscriptions: impl Iterator<Item = &'a Arc<Subscription>>,
    evaluation: &EventEvaluation<'_>,
) -> usize {
    let sizes = subscriptions.map(|subscription| rendering::size_at_most(subscription, evaluation));
    let (bodies, rest) = sizes.fold((0, 0), |(bodies, rest), (body, other)| (bodies + body, rest + other));
    // Rendering stops at the first body that goes beyond this.
    bodies.min(MAX_RENDERED_BYTES + MAX_BODY) + rest
}

pub(super) async fn render(
    subscriptions: &[Arc<Subscription>],
    evaluation: &EventEvaluation<'_>,
    id: EventId,
) -> Vec<(Delivery, Bytes)> {
    let (mut deliveries, mut yielder) = (Vec::with_capacity(subscriptions.len()), StepYielder::default());
    for subscription in subscriptions {
        let before = evaluation.steps_used();
        deliveries.push(Delivery::render(subscription, evaluation, id));
        yielder.add_steps(evaluation.steps_used() - before).await;
    }
    deliveries
}

pub(super) async fn render_watched(
    watched: Vec<EvaluatedTrigger>,
    evaluation: &EventEvaluation<'_>,
    id: EventId,
) -> Vec<WatchedTrigger> {
    let (mut rendered, mut yielder) = (Vec::with_capacity(watched.len()), StepYielder::default());
    for EvaluatedTrigger { watch, subscription, allowed } in watched {
        let before = evaluation.steps_used();
        let delivery = allowed.then(|| Delivery::render(&subscription, evaluation, id));
        let (title, version) = (subscription.settings.title.clone(), subscription.version);
        rendered.push(WatchedTrigger { watch, title, version, delivery });
        yielder.add_steps(evaluation.steps_used() - before).await;
    }
    rendered
}
