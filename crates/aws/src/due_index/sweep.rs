//! The sweep of the index of what is due, which a function runs once a minute.
//!
//! A run hands over the deferred deliveries that are due within the next minutes: it puts their messages into the queue,
//! with the delay that is left. Then it checks the deliveries whose time has passed: one for which nothing is under way is
//! woken by another message, and looked at again later. One whose receiver has a slow mark may wait for a permit. A loan of which
//! something waits for an earlier delivery is looked at as a whole. A recovery job that no message drives any more is sent one. At
//! last it counts what waits and what is left of jobs, for metrics.
//!
//! It may run twice at once, die at any point, or not run for a while: a second message of an attempt changes nothing, and
//! the next run begins where the cursors are. A delivery that is handed over late is late by no more than the sweep was.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;
use tracing::error;

pub use super::bucket::SHARDS;
use super::bucket::{Bucket, BucketKind, Slot};
use super::check::Indexed;
use super::cursor::Cursor;
pub use super::gauges::{OpenJobs, SweepGauges, WaitingCounts};
use super::is_deferred;
use super::overdue::OVERDUE_AFTER;
use super::report::Counters;
pub use super::report::SweepReport;
use crate::engine::Aws;
use crate::flow::WaitingTurn;
use crate::items::key_schema::OrderedLoan;
use crate::items::unreadable::readable;
use crate::jobs::JobTurn;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreResult};

/// How long before its time a deferred delivery is handed over: four runs may fail before one is late.
const LEAD: Duration = Duration::from_secs(300);
/// How many shards are swept at once, and how many reads of each are under way.
const CONCURRENT_SHARDS: usize = 4;
pub(super) const CONCURRENT_READS: usize = 4;
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

/// What is done with each shard, in this order.
#[derive(Debug, Clone, Copy)]
enum Pass {
    HandOver,
    Check,
}

impl Sweep {
    /// Sweeps its shards, until `end` at the latest; what is left then is done by the next run. All of them are handed over
    /// before any is checked.
    ///
    /// # Errors
    ///
    /// When a shard could not be swept; the others were.
    pub async fn run(&self, now: Timestamp, end: Instant) -> StoreResult<SweepReport> {
        let mut cursors = self.engine.sweep_cursors(self.shards.clone(), now).await?;
        // Each run begins with another shard, so that none is always the last.
        let first = usize::try_from(Slot::of(now).0).unwrap_or(0) % cursors.len().max(1);
        cursors.rotate_left(first);
        let counters = Counters::default();
        let mut failure = self.wake_jobs(now, &counters).await.err();
        failure = failure.or(self.wake_subscriptions(now, &counters).await.err());
        for pass in [Pass::HandOver, Pass::Check] {
            let shards =
                cursors.into_iter().map(|cursor| self.sweep_shard(pass, cursor, now, end, &counters));
            let swept: Vec<_> = stream::iter(shards).buffered(CONCURRENT_SHARDS).collect().await;
            let (moved, results): (Vec<_>, Vec<_>) = swept.into_iter().unzip();
            cursors = moved;
            failure = failure.or(results.into_iter().find_map(Result::err));
        }
        let behind = cursors.iter().map(|cursor| cursor.handed_over.until(Slot::of(now + LEAD)).as_secs());
        counters.lag_seconds.store(behind.max().unwrap_or(0), Ordering::Relaxed);
        let gauges = self.read_gauges(now, end, &counters).await;
        failure.map_or(Ok(counters.report(gauges)), Err)
    }

    /// Sends a message to each recovery job whose messages were lost. Of several that sweep at once, one does it.
    async fn wake_jobs(&self, now: Timestamp, counters: &Counters) -> StoreResult<()> {
        if !self.shards.contains(&0) {
            return Ok(());
        }
        let woken = self.engine.wake_turns::<JobTurn>(now).await;
        if let Err(failure) = &woken {
            error!(%failure, "sweep.jobs_not_woken");
        }
        counters.woken_jobs.fetch_add(woken?, Ordering::Relaxed);
        Ok(())
    }

    /// Has it looked at what waits of each subscription, where no message did for a minute: one that was to wake it may be lost.
    async fn wake_subscriptions(&self, now: Timestamp, counters: &Counters) -> StoreResult<()> {
        if !self.shards.contains(&0) {
            return Ok(());
        }
        let woken = self.engine.wake_turns::<WaitingTurn>(now).await;
        if let Err(failure) = &woken {
            error!(%failure, "sweep.subscriptions_not_woken");
        }
        counters.woken_subscriptions.fetch_add(woken?, Ordering::Relaxed);
        Ok(())
    }

    /// Does a pass over a shard; gives its cursor, which is at what was done also where this fails.
    async fn sweep_shard(
        &self,
        pass: Pass,
        mut cursor: Cursor,
        now: Timestamp,
        end: Instant,
        counters: &Counters,
    ) -> (Cursor, StoreResult<()>) {
        let before = cursor;
        let (mut swept, is_worth_a_write) = match pass {
            Pass::HandOver => {
                let handed_over = self.hand_over_slots(&mut cursor, now, end, counters).await;
                let is_worth_a_write = !matches!(handed_over, Ok(0));
                (handed_over.map(drop), is_worth_a_write)
            }
            Pass::Check => (self.check_slots(&mut cursor, now, end, counters).await, true),
        };
        // Buckets that had nothing to hand over may be read again; the check puts the cursor.
        if cursor != before && is_worth_a_write {
            swept = swept.and(self.engine.put_sweep_cursor(cursor).await);
        }
        if let Err(failure) = &swept {
            error!(shard = cursor.shard, %failure, "sweep.shard_failed");
        }
        (cursor, swept)
    }

    /// Hands over; gives how many deliveries there were.
    async fn hand_over_slots(
        &self,
        cursor: &mut Cursor,
        now: Timestamp,
        end: Instant,
        counters: &Counters,
    ) -> StoreResult<u64> {
        let mut sum = 0;
        let last = Slot::of(now + LEAD);
        while cursor.handed_over < last && Instant::now() < end {
            let slot = cursor.handed_over.next();
            let bucket = Bucket { kind: BucketKind::Deferred, slot, shard: cursor.shard };
            let handed_over = self
                .for_each_read(bucket, now, |deliveries| self.hand_over(deliveries, now, counters))
                .await?;
            counters.handed_over.fetch_add(handed_over, Ordering::Relaxed);
            sum += handed_over;
            cursor.handed_over = slot;
            self.put_cursor_at_times(cursor, slot).await?;
        }
        Ok(sum)
    }

    /// Checks up to the last slot that has ended and into which no delivery can come any more.
    async fn check_slots(
        &self,
        cursor: &mut Cursor,
        now: Timestamp,
        end: Instant,
        counters: &Counters,
    ) -> StoreResult<()> {
        let last = Slot::of(now.minus(OVERDUE_AFTER)).previous();
        while cursor.checked < last && Instant::now() < end {
            let slot = cursor.checked.next();
            for kind in [BucketKind::Queued, BucketKind::Deferred] {
                let bucket = Bucket { kind, slot, shard: cursor.shard };
                let check = |deliveries| self.check(bucket, deliveries, now, counters);
                let checked = self.for_each_read(bucket, now, check).await?;
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

    /// Reads the deliveries of a bucket, some at a time, and does something with them; the sum of what that gives. The ordered loans in
    /// it, which are in no bucket to be handed over, are looked at.
    async fn for_each_read<F: Future<Output = StoreResult<u64>>>(
        &self,
        bucket: Bucket,
        now: Timestamp,
        act: impl Fn(Vec<Indexed>) -> F,
    ) -> StoreResult<u64> {
        let (mut sum, mut from) = (0, None);
        loop {
            let (keys, next) = self.engine.keys_in_bucket(bucket, from).await?;
            let (loans, keys): (Vec<_>, Vec<_>) =
                keys.into_iter().partition(|key| OrderedLoan::read_pk(&key.pk).is_some());
            sum += self.look_at_loans(bucket, loans, now).await?;
            let reads = keys.chunks(DELIVERIES_PER_READ).map(|keys| async {
                let items = self.engine.get_all_eventually(keys.to_vec()).await?;
                act(readable(&items, Indexed::read)).await
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

    async fn hand_over(
        &self,
        deliveries: Vec<Indexed>,
        now: Timestamp,
        counters: &Counters,
    ) -> StoreResult<u64> {
        let messages =
            deliveries.iter().filter_map(|indexed| QueueMessage::for_next_attempt(&indexed.delivery));
        // A delivery that has moved on since to a later time stands in another bucket.
        let messages: Vec<_> = messages.filter(|message| !is_deferred(message.due, now)).collect();
        let due_for = messages.iter().map(|message| now.since(message.due).as_secs()).max();
        counters.slow_due_seconds.fetch_max(due_for.unwrap_or(0), Ordering::Relaxed);
        let handed_over = messages.len() as u64;
        self.engine.enqueue_all(messages).await?;
        Ok(handed_over)
    }
}
