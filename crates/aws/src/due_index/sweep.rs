//! The sweep of the index of what is due, which a function runs once a minute.
//!
//! A run hands over the deferred deliveries that are due within the next minutes: it puts their messages into the queue,
//! with the delay that is left. Then it checks the deliveries whose time has passed: one for which nothing is under way is
//! woken by another message, and looked at again later.
//!
//! It may run twice at once, die at any point, or not run for a while: a second message of an attempt changes nothing, and
//! the next run begins where the cursors are. A delivery that is handed over late is late by no more than the sweep was.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;
use serde::Serialize;
use tracing::{error, warn};

pub use super::bucket::SHARDS;
use super::bucket::{Bucket, BucketKind, Slot};
use super::cursor::Cursor;
use super::is_deferred;
use super::overdue::{GRACE, OverdueAction, overdue_action};
use crate::engine::Aws;
use crate::items::delivery_item;
use crate::items::unreadable::readable;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage, StoreResult};

/// How long before its time a deferred delivery is handed over: so many runs may fail before one is late.
const LEAD: Duration = Duration::from_secs(300);
/// When a delivery that was woken, or is in flight, is looked at again at the earliest.
const MIN_RECHECK_DELAY: Duration = Duration::from_secs(120);
/// When a delivery that was woken is looked at again: its message may wait behind a backlog.
const RECHECK_DELAY: Duration = Duration::from_secs(900);
/// How many shards are swept at once, and how many reads of each are under way.
const CONCURRENT_SHARDS: usize = 4;
const CONCURRENT_READS: usize = 4;
/// How many deliveries one read takes.
const DELIVERIES_PER_READ: usize = 100;
/// After so many slots the cursor is put, so that a run that catches up keeps what it did.
const SLOTS_PER_CURSOR_WRITE: i64 = 20;

/// What sweeps.
#[derive(Clone)]
pub struct Sweep {
    pub engine: Aws,
    /// How long a claim may be alive.
    pub lease: Duration,
    /// The shards that it sweeps, of [`SHARDS`]: where one function is too slow for all, each of several sweeps some.
    pub shards: Range<u8>,
}

/// What a run did: numbers of deliveries.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SweepReport {
    /// Put into the queue for the first time.
    pub handed_over: u64,
    /// Looked at after their time.
    pub checked: u64,
    /// Found with nothing under way, and put into the queue again.
    pub woken: u64,
}

#[derive(Default)]
struct Counters {
    handed_over: AtomicU64,
    checked: AtomicU64,
    woken: AtomicU64,
}

impl Sweep {
    /// Sweeps its shards, until `end` at the latest; what is left then is done by the next run.
    ///
    /// # Errors
    ///
    /// When a shard could not be swept; the others were.
    pub async fn run(&self, now: Timestamp, end: Instant) -> StoreResult<SweepReport> {
        let cursors = self.engine.sweep_cursors(self.shards.clone(), now).await?;
        let counters = Counters::default();
        let shards = cursors.into_iter().map(|cursor| self.sweep_shard(cursor, now, end, &counters));
        let results: Vec<_> = stream::iter(shards).buffer_unordered(CONCURRENT_SHARDS).collect().await;
        let report = SweepReport {
            handed_over: counters.handed_over.into_inner(),
            checked: counters.checked.into_inner(),
            woken: counters.woken.into_inner(),
        };
        results.into_iter().collect::<StoreResult<()>>().map(|()| report)
    }

    async fn sweep_shard(
        &self,
        mut cursor: Cursor,
        now: Timestamp,
        end: Instant,
        counters: &Counters,
    ) -> StoreResult<()> {
        let before = cursor;
        let swept = self.sweep_slots(&mut cursor, now, end, counters).await;
        if let Err(failure) = &swept {
            error!(shard = cursor.shard, %failure, "sweep.shard_failed");
        }
        if cursor != before {
            self.engine.put_sweep_cursor(cursor).await?;
        }
        swept
    }

    /// Hands over, then checks; the cursor is at what was done, also where this fails.
    async fn sweep_slots(
        &self,
        cursor: &mut Cursor,
        now: Timestamp,
        end: Instant,
        counters: &Counters,
    ) -> StoreResult<()> {
        let shard = cursor.shard;
        let last = Slot::of(now + LEAD);
        while cursor.handed_over < last && Instant::now() < end {
            let slot = cursor.handed_over.next();
            let bucket = Bucket { kind: BucketKind::Deferred, slot, shard };
            let handed_over =
                self.for_each_read(bucket, |deliveries| self.hand_over(deliveries, now)).await?;
            counters.handed_over.fetch_add(handed_over, Ordering::Relaxed);
            cursor.handed_over = slot;
            self.put_cursor_at_times(cursor, slot).await?;
        }
        // The last slot that has ended, for which no delivery can come any more.
        let last = Slot::of(now.minus(GRACE)).previous();
        while cursor.checked < last && Instant::now() < end {
            let slot = cursor.checked.next();
            for kind in [BucketKind::Queued, BucketKind::Deferred] {
                let bucket = Bucket { kind, slot, shard };
                let check = |deliveries| self.check(bucket, deliveries, now, counters);
                let checked = self.for_each_read(bucket, check).await?;
                counters.checked.fetch_add(checked, Ordering::Relaxed);
            }
            cursor.checked = slot;
            self.put_cursor_at_times(cursor, slot).await?;
        }
        Ok(())
    }

    async fn put_cursor_at_times(&self, cursor: &Cursor, slot: Slot) -> StoreResult<()> {
        match slot.0 % SLOTS_PER_CURSOR_WRITE {
            0 => self.engine.put_sweep_cursor(*cursor).await,
            _ => Ok(()),
        }
    }

    /// Reads the deliveries of a bucket, some at a time, and does something with them; the sum of what that gives.
    async fn for_each_read<F: Future<Output = StoreResult<u64>>>(
        &self,
        bucket: Bucket,
        act: impl Fn(Vec<Delivery>) -> F,
    ) -> StoreResult<u64> {
        let (mut sum, mut from) = (0, None);
        loop {
            let (keys, next) = self.engine.keys_in_bucket(bucket, from).await?;
            let reads = keys.chunks(DELIVERIES_PER_READ).map(|keys| async {
                let items = self.engine.get_all_eventually(keys.to_vec()).await?;
                act(readable(&items, delivery_item::read)).await
            });
            let reads: Vec<_> = reads.collect();
            let results: Vec<_> = stream::iter(reads).buffer_unordered(CONCURRENT_READS).collect().await;
            for result in results {
                sum += result?;
            }
            match next {
                Some(next) => from = Some(next),
                None => return Ok(sum),
            }
        }
    }

    async fn hand_over(&self, deliveries: Vec<Delivery>, now: Timestamp) -> StoreResult<u64> {
        let messages = deliveries.iter().filter_map(QueueMessage::for_next_attempt);
        // A delivery that has moved on since to a later time stands in another bucket.
        let messages: Vec<_> = messages.filter(|message| !is_deferred(message.due, now)).collect();
        let handed_over = messages.len() as u64;
        self.engine.enqueue_all(messages).await?;
        Ok(handed_over)
    }

    async fn check(
        &self,
        bucket: Bucket,
        deliveries: Vec<Delivery>,
        now: Timestamp,
        counters: &Counters,
    ) -> StoreResult<u64> {
        let (mut messages, mut moves) = (Vec::new(), Vec::new());
        for delivery in &deliveries {
            match overdue_action(&delivery.progress, self.lease, now) {
                OverdueAction::Nothing => {}
                OverdueAction::LookAgain(due) => moves.push((delivery, due.max(now + MIN_RECHECK_DELAY))),
                OverdueAction::Wake { attempt, due } => {
                    messages.push(wake_message(delivery, attempt, due));
                    moves.push((delivery, now + RECHECK_DELAY));
                }
            }
        }
        counters.woken.fetch_add(messages.len() as u64, Ordering::Relaxed);
        self.engine.enqueue_all(messages).await?;
        let moves: Vec<_> = moves
            .into_iter()
            .map(|(delivery, at)| self.engine.move_to_bucket(bucket, delivery, at, now))
            .collect();
        let moved: Vec<_> = stream::iter(moves).buffer_unordered(CONCURRENT_READS).collect().await;
        moved.into_iter().collect::<StoreResult<()>>().map(|()| deliveries.len() as u64)
    }
}

/// The message that wakes a delivery. That one was needed is a fault of ours, or a long backlog.
fn wake_message(delivery: &Delivery, attempt: u32, due: Timestamp) -> QueueMessage {
    let snapshot = &delivery.snapshot;
    warn!(tenant = %snapshot.tenant, trace_id = %snapshot.trace_id, attempt, %due, "delivery.woken");
    QueueMessage {
        tenant: snapshot.tenant.clone(),
        trace_id: snapshot.trace_id,
        subscription_id: snapshot.subscription_id,
        due,
        work: DueWork::Attempt(attempt),
    }
}
