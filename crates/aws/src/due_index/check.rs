//! The check of deliveries whose time has passed, a part of the sweep: what has nothing under way is woken, and all that have
//! not ended are moved to a bucket of a later time, in which they are looked at again.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tracing::warn;

use super::bucket::{Bucket, Slot};
use super::overdue::{OVERDUE_AFTER, OverdueAction, SLOW_OVERDUE_AFTER, overdue_action};
use super::report::Counters;
use super::sweep::{CONCURRENT_READS, Sweep};
use crate::deliveries::PutAside;
use crate::flow::WaitingTurn;
use crate::items::item::Item;
use crate::items::{delivery_item, key_schema};
use crate::queue::Receiver;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::TraceId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreResult};

/// When a delivery that is in flight is looked at again at the earliest.
const MIN_RECHECK_DELAY: Duration = Duration::from_secs(120);
/// How long after a wake the next one may follow: as long as the delivery has been overdue, within these.
const MIN_WAKE_INTERVAL: Duration = Duration::from_secs(900);
const MAX_WAKE_INTERVAL: Duration = Duration::from_secs(24 * 3600);
/// How long after a look the next one may follow at a delivery that waits for a limit, a hold or an operator: what is to wake it may
/// be lost.
const MAX_LOOK_INTERVAL: Duration = Duration::from_secs(3600);

/// A delivery that stands in the index.
pub(super) struct Indexed {
    pub(super) delivery: Delivery,
    put_aside: Option<PutAside>,
}

impl Indexed {
    pub(super) fn read(item: &Item) -> StoreResult<Self> {
        Ok(Self { delivery: delivery_item::read(item)?, put_aside: PutAside::read(item) })
    }
}

impl Sweep {
    /// Does what is to be done for each of some deliveries that stand in a bucket whose time has passed; gives their count.
    pub(super) async fn check(
        &self,
        bucket: Bucket,
        deliveries: Vec<Indexed>,
        now: Timestamp,
        counters: &Counters,
    ) -> StoreResult<u64> {
        let overdue = |delivery: &Delivery| {
            let action = overdue_action(&delivery.progress, self.lease, OVERDUE_AFTER, now);
            matches!(action, OverdueAction::Wake { .. })
        };
        // Marks are read only where they matter.
        let all = || deliveries.iter().map(|indexed| &indexed.delivery);
        if all().any(overdue) {
            self.engine.refresh_slow_marks().await;
        }
        let waiting = self.waiting_for_flow(all().filter(|delivery| overdue(delivery))).await?;
        let (mut messages, mut moves) = (Vec::new(), Vec::new());
        for Indexed { delivery, put_aside } in &deliveries {
            // An attempt in flight waits for no permit.
            let waits = delivery.progress.waiting().is_some();
            let is_slow = waits && self.engine.has_slow_mark(delivery, now);
            let overdue_after = if is_slow { SLOW_OVERDUE_AFTER } else { OVERDUE_AFTER };
            match overdue_action(&delivery.progress, self.lease, overdue_after, now) {
                OverdueAction::Nothing => {}
                OverdueAction::LookAgain(due) => {
                    let overdue_at = due + overdue_after.saturating_sub(OVERDUE_AFTER);
                    let at = overdue_at.max(now + MIN_RECHECK_DELAY);
                    // Its kind is by the time when it is due: another would hand it over.
                    let next =
                        Bucket { slot: Slot::of(at), ..Bucket::of(due, now, delivery.snapshot.trace_id) };
                    moves.push((delivery, next));
                }
                OverdueAction::Wake { attempt, due } => {
                    // One that waits for a limit or a hold is woken by what ends that, and one whose message was put aside by
                    // who redrives it.
                    let is_put_aside = put_aside.is_some_and(|mark| mark.holds(attempt, now));
                    let waits = is_put_aside || waiting.contains(&delivery.snapshot.trace_id);
                    if !waits {
                        messages.push(QueueMessage::for_attempt(delivery, attempt, due));
                        counters.oldest_due_seconds.fetch_max(now.since(due).as_secs(), Ordering::Relaxed);
                    }
                    let longest = if waits { MAX_LOOK_INTERVAL } else { MAX_WAKE_INTERVAL };
                    // Behind a long backlog it is woken less and less often.
                    let at = now + now.since(due).clamp(MIN_WAKE_INTERVAL, longest);
                    let next =
                        Bucket { slot: Slot::of(at), ..Bucket::of(now, now, delivery.snapshot.trace_id) };
                    moves.push((delivery, next));
                }
            }
        }
        if let Some(first) = messages.first() {
            let (woken, tenant, trace_id) = (messages.len(), &first.tenant, first.trace_id);
            warn!(woken, first.tenant = %tenant, first.trace_id = %trace_id, "delivery.woken");
        }
        counters.woken.fetch_add(messages.len() as u64, Ordering::Relaxed);
        self.engine.enqueue_all(messages).await?;
        let moves: Vec<_> = moves
            .into_iter()
            .map(|(delivery, to)| {
                let snapshot = &delivery.snapshot;
                let key = key_schema::delivery(&snapshot.tenant, snapshot.trace_id);
                self.engine.move_to_bucket(bucket, key, to)
            })
            .collect();
        let moved: Vec<_> = stream::iter(moves).buffer_unordered(CONCURRENT_READS).collect().await;
        moved.into_iter().collect::<StoreResult<()>>().map(|()| deliveries.len() as u64)
    }

    /// Which of these deliveries wait for a limit or a hold.
    async fn waiting_for_flow(
        &self,
        overdue: impl Iterator<Item = &Delivery>,
    ) -> StoreResult<HashSet<TraceId>> {
        let waits = overdue.filter_map(|delivery| {
            let (snapshot, next) = (&delivery.snapshot, delivery.progress.waiting()?);
            Some((Receiver::of_snapshot(snapshot), next.due, snapshot.trace_id))
        });
        let waits: Vec<_> = waits.collect();
        if waits.is_empty() {
            return Ok(HashSet::new());
        }
        // Of the few subscriptions of which something waits.
        let turns = self.engine.turns::<WaitingTurn>().await?;
        let subscriptions: HashSet<_> = turns.into_iter().map(|(turn, _)| turn.of()).collect();
        let waits: Vec<_> = waits.into_iter().filter(|(of, ..)| subscriptions.contains(of)).collect();
        let noted = self.engine.noted_waiting(&waits).await?;
        Ok(waits.into_iter().zip(noted).filter(|(_, noted)| *noted).map(|((.., trace), _)| trace).collect())
    }
}
