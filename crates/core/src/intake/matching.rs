//! Matching of an event to subscriptions, and rendering for those that it fires.
//!
//! First all are judged, then what they would send is measured, and only then it is rendered.

use std::sync::Arc;

use bytes::Bytes;

use crate::model::delivery::Delivery;
use crate::model::id::EventId;
use crate::model::memory::Watch;
use crate::model::occurrence::{MAX_RENDERED, Occurrence};
use crate::model::rendering;
use crate::model::subscription::{Subscription, Verdict};
use crate::model::template::MAX_BODY;
use crate::model::trouble::TroubleOf;
use crate::ports::Watched;

/// After how many steps of formulas and templates others get their turn: some 5 ms.
const STEPS_AT_A_TIME: u64 = 50_000;
/// As how many steps a subscription with formulas or templates counts, beside what those take.
const DEAR: u64 = 1_000;

/// What an event means for the subscriptions of a tenant.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) fires: Vec<Arc<Subscription>>,
    /// Those that fire if their trigger rises, and none where their restriction forbids.
    pub(super) watched: Vec<(Watch, Option<Arc<Subscription>>)>,
    pub(super) troubles: Vec<TroubleOf>,
}

pub(super) async fn judge(subscriptions: &[Arc<Subscription>], occurrence: &Occurrence<'_>) -> Judged {
    let (mut judged, mut turns) = (Judged::default(), Turns::default());
    for subscription in subscriptions {
        let before = occurrence.work();
        match subscription.judge(occurrence) {
            Verdict::No => {}
            Verdict::Fires => judged.fires.push(Arc::clone(subscription)),
            Verdict::Watched { watch, allowed } => {
                judged.watched.push((watch, allowed.then(|| Arc::clone(subscription))));
            }
            Verdict::Failed(trouble) => {
                judged.troubles.push(TroubleOf { subscription: subscription.id, trouble });
            }
        }
        if subscription.is_dear() {
            turns.took(DEAR + occurrence.work() - before).await;
        }
    }
    judged
}

/// Lets others have their turn: a formula or template may take milliseconds, and there may be hundreds.
#[derive(Default)]
struct Turns {
    steps: u64,
}

impl Turns {
    async fn took(&mut self, steps: u64) {
        self.steps += steps;
        if self.steps >= STEPS_AT_A_TIME {
            self.steps = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// How many bytes the requests of these subscriptions take in memory at most.
pub(super) fn size_at_most<'a>(
    subscriptions: impl Iterator<Item = &'a Arc<Subscription>>,
    occurrence: &Occurrence<'_>,
) -> usize {
    let sizes = subscriptions.map(|subscription| rendering::size_at_most(subscription, occurrence));
    let (bodies, rest) = sizes.fold((0, 0), |(bodies, rest), (body, other)| (bodies + body, rest + other));
    // Rendering stops at the first body that goes beyond this.
    bodies.min(MAX_RENDERED + MAX_BODY) + rest
}

pub(super) async fn render(
    subscriptions: &[Arc<Subscription>],
    occurrence: &Occurrence<'_>,
    id: EventId,
) -> Vec<(Delivery, Bytes)> {
    let (mut deliveries, mut turns) = (Vec::with_capacity(subscriptions.len()), Turns::default());
    for subscription in subscriptions {
        let before = occurrence.work();
        deliveries.push(Delivery::render_for(subscription, occurrence, id));
        turns.took(occurrence.work() - before).await;
    }
    deliveries
}

pub(super) async fn render_watched(
    watched: Vec<(Watch, Option<Arc<Subscription>>)>,
    occurrence: &Occurrence<'_>,
    id: EventId,
) -> Vec<Watched> {
    let (mut rendered, mut turns) = (Vec::with_capacity(watched.len()), Turns::default());
    for (watch, allowed) in watched {
        let before = occurrence.work();
        let delivery = allowed.map(|subscription| Delivery::render_for(&subscription, occurrence, id));
        rendered.push(Watched { watch, delivery });
        turns.took(occurrence.work() - before).await;
    }
    rendered
}
