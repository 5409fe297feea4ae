//! Ordered loans in the index of what is due: one of which a delivery waits for an earlier one is looked at every five minutes.
//!
//! What waits for its order has no message, and is not looked at itself. The counter of its loan stands in a bucket instead, from
//! the intake of the first delivery that waits: so a loan costs the same, however many of its deliveries wait. A look heals what
//! a crash left ([`Aws::look_at_loan`]), and moves the counter on as long as something waits.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, TryStreamExt as _};
use tracing::error;

use super::bucket::{Bucket, Slot};
use super::sweep::{CONCURRENT_READS, Sweep};
use crate::engine::Aws;
use crate::items::item::{Item, get_text};
use crate::items::key_schema::{DUE_BUCKET, ItemKey, OrderedLoan};
use crate::sdk::MAX_CONCURRENT_CALLS;
use loanhook_core::model::id::TraceId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// How long after a look the next one follows, and the first one after intake.
const LOOK_INTERVAL: Duration = Duration::from_secs(300);
/// A bucket that begins later than this is read after the intake that asks has ended: no function that takes events in runs for so
/// long.
const MIN_LOOK_DELAY: Duration = Duration::from_secs(60);
/// How many of the shards have loans. Each takes at most 1,000 writes a second, and a loan is one write in five minutes. More may be
/// added at any time, and none taken away: a change of settings is followed in these.
const LOAN_SHARDS: u8 = 8;

/// The bucket into which the counter of a loan is put, as a delivery is about to wait; none where it stands in one that is read later.
pub(crate) fn bucket_of_waiting_loan(
    counter: Option<&Item>,
    trace: TraceId,
    now: Timestamp,
) -> Option<Bucket> {
    let stands = counter.and_then(|counter| get_text(counter, DUE_BUCKET)).and_then(Bucket::read);
    match stands {
        Some(bucket) if bucket.slot > Slot::of(now + MIN_LOOK_DELAY) => None,
        _ => Some(Bucket::to_look_at(Slot::of(now + LOOK_INTERVAL), trace.spread_byte() % LOAN_SHARDS)),
    }
}

impl Aws {
    /// The loans whose partitions begin so, and that are going to be looked at: all of which something waits, but for those that began
    /// to wait so late that the index does not show them yet.
    pub(crate) async fn loans_to_look_at(
        &self,
        prefix: &str,
        now: Timestamp,
    ) -> StoreResult<HashSet<OrderedLoan>> {
        let (first, last) = (Slot::of(now).previous(), Slot::of(now + LOOK_INTERVAL));
        let slots = (first.0..=last.0).map(Slot);
        let buckets =
            slots.flat_map(|slot| (0..LOAN_SHARDS).map(move |shard| Bucket::to_look_at(slot, shard)));
        let reads: Vec<_> = buckets.map(|bucket| self.loans_in_bucket(bucket, prefix)).collect();
        let loans = stream::iter(reads).buffer_unordered(MAX_CONCURRENT_CALLS);
        loans.try_concat().await.map(HashSet::from_iter)
    }

    async fn loans_in_bucket(&self, bucket: Bucket, prefix: &str) -> StoreResult<Vec<OrderedLoan>> {
        let (mut loans, mut from) = (Vec::new(), None);
        loop {
            let (keys, next) = self.keys_in_bucket(bucket, from).await?;
            let own = keys.iter().filter(|key| key.pk.starts_with(prefix));
            loans.extend(own.filter_map(|key| OrderedLoan::read_pk(&key.pk)));
            match next {
                Some(next) => from = Some(next),
                None => return Ok(loans),
            }
        }
    }
}

impl Sweep {
    /// Looks at the loans whose counters stand in a bucket, and moves those on of which something waits; gives their count.
    pub(super) async fn look_at_loans(
        &self,
        bucket: Bucket,
        counters: Vec<ItemKey>,
        now: Timestamp,
    ) -> StoreResult<u64> {
        let count = counters.len() as u64;
        let looks: Vec<_> = counters.into_iter().map(|key| self.look_at_loan(bucket, key, now)).collect();
        let looked: Vec<_> = stream::iter(looks).buffer_unordered(CONCURRENT_READS).collect().await;
        looked.into_iter().collect::<StoreResult<()>>().map(|()| count)
    }

    async fn look_at_loan(&self, bucket: Bucket, counter: ItemKey, now: Timestamp) -> StoreResult<()> {
        let Some(loan) = OrderedLoan::read_pk(&counter.pk) else { return Ok(()) };
        let looked = self.engine.look_at_loan(&loan, self.lease, now).await;
        // One that cannot be looked at holds up no other, and is looked at again.
        let something_waits = looked.unwrap_or_else(|failure| {
            error!(tenant = %loan.tenant, subscription_id = %loan.subscription, %failure, "order.look_failed");
            true
        });
        match something_waits {
            true => {
                let next = Bucket::to_look_at(Slot::of(now + LOOK_INTERVAL), bucket.shard);
                self.engine.move_to_bucket(bucket, counter, next).await
            }
            false => Ok(()),
        }
    }
}
