//! A bucket of the index of what is due: 30 seconds of one shard. It is the partition key of the index.

use std::fmt;
use std::time::Duration;

use loanhook_core::model::id::TraceId;
use loanhook_core::model::time::Timestamp;

use super::is_deferred;

/// How many partitions of the index the deliveries of one time are spread over. Each takes at most 1,000 writes a second, and
/// several of them may lie on one physical partition until DynamoDB splits it, so webhooks may come at some 10,000 a second.
/// More shards may be added at any time, fewer may not.
pub const SHARDS: u8 = 64;
/// The length of a slot.
const SLOT: Duration = Duration::from_secs(30);

/// The time of a bucket: how many slots of 30 seconds have passed since 1970 when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot(pub(super) i64);

impl Slot {
    /// The slot that this time is in.
    pub(super) fn of(time: Timestamp) -> Self {
        Self(time.millis().div_euclid(slot_millis()))
    }

    pub(super) const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub(super) const fn previous(self) -> Self {
        Self(self.0 - 1)
    }

    /// From the end of this slot to that of a later one; zero where that is not later.
    pub(super) fn until(self, later: Self) -> Duration {
        SLOT * u32::try_from(later.0.saturating_sub(self.0).max(0)).unwrap_or(u32::MAX)
    }
}

fn slot_millis() -> i64 {
    i64::try_from(SLOT.as_millis()).unwrap_or(i64::MAX)
}

/// Whether the deliveries of a bucket have a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BucketKind {
    /// Their message was put into the queue when they were put into the bucket.
    Queued,
    /// Their message is put into the queue when the bucket is handed over.
    Deferred,
}

/// A bucket; as text it is the partition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(super) kind: BucketKind,
    pub(super) slot: Slot,
    pub(super) shard: u8,
}

impl Bucket {
    /// The bucket of a delivery whose next attempt is due then. What is overdue is due now: the buckets before are read no
    /// more.
    pub(crate) fn of(due: Timestamp, now: Timestamp, trace: TraceId) -> Self {
        let kind = if is_deferred(due, now) { BucketKind::Deferred } else { BucketKind::Queued };
        Self { kind, slot: Slot::of(due.max(now)), shard: trace.spread_byte() % SHARDS }
    }
}

impl Bucket {
    /// A bucket whose items have no message to be handed over.
    pub(super) const fn to_look_at(slot: Slot, shard: u8) -> Self {
        Self { kind: BucketKind::Queued, slot, shard }
    }

    /// Whether the sweep sees to its delivery by the time at which that is due: it looks at what has a message again and again, and
    /// hands over what has none when the bucket comes.
    pub(crate) fn is_in_time_for(self, due: Timestamp, now: Timestamp) -> bool {
        self.kind == BucketKind::Queued || self.slot <= Slot::of(due.max(now)).next()
    }

    /// The bucket that a text names; none where it names none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '#');
        let kind = match parts.next()? {
            "Q" => BucketKind::Queued,
            "D" => BucketKind::Deferred,
            _ => return None,
        };
        Some(Self { kind, slot: Slot(parts.next()?.parse().ok()?), shard: parts.next()?.parse().ok()? })
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            BucketKind::Queued => 'Q',
            BucketKind::Deferred => 'D',
        };
        write!(f, "{kind}#{}#{}", self.slot.0, self.shard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::MAX_DELAY;

    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_123);

    fn bucket(due: Timestamp) -> Bucket {
        Bucket::of(due, NOW, TraceId::from_uuid(uuid::Uuid::from_u128(0x25 << 120)))
    }

    #[test]
    fn a_bucket_is_named_by_kind_slot_and_shard() {
        assert_eq!(bucket(NOW).to_string(), "Q#59847600#37");
        assert_eq!(bucket(NOW + Duration::from_secs(3600)).to_string(), "D#59847720#37");
        for bucket in [bucket(NOW), bucket(NOW + Duration::from_secs(3600))] {
            assert_eq!(Bucket::read(&bucket.to_string()), Some(bucket));
        }
        for text in ["", "Q#1", "T#1#2", "Q#x#2", "Q#1#256"] {
            assert_eq!(Bucket::read(text), None, "{text}");
        }
    }

    #[test]
    fn only_what_is_due_after_the_longest_delay_of_a_message_is_deferred() {
        for (due, kind) in [
            (NOW.minus(Duration::from_secs(3600)), BucketKind::Queued),
            (NOW + MAX_DELAY, BucketKind::Queued),
            (NOW + MAX_DELAY + Duration::from_millis(1), BucketKind::Deferred),
        ] {
            assert_eq!(bucket(due).kind, kind, "{due}");
        }
    }

    #[test]
    fn what_is_overdue_stands_in_the_slot_of_now() {
        assert_eq!(bucket(NOW.minus(Duration::from_secs(3600))).slot, Slot::of(NOW));
    }

    #[test]
    fn a_slot_is_30_seconds() {
        let begin = Timestamp::from_millis(59_847_600 * 30_000);
        assert_eq!(Slot::of(begin.minus(Duration::from_millis(1))), Slot::of(begin).previous());
        assert_eq!(Slot::of(begin + Duration::from_millis(29_999)), Slot::of(begin));
        assert_eq!(Slot::of(begin + Duration::from_secs(30)), Slot::of(begin).next());
    }
}
