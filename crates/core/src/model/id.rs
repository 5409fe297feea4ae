//! Identifiers: a UUID type for each kind of thing, and the names of tenants and loans.

mod names;

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

pub use self::names::{LoanId, TenantId};
use super::time::Timestamp;

/// How many bytes of a UUIDv7 are its time.
const TIME_BYTES: usize = 6;
/// The latest time that a UUID can begin with.
const MAX_MILLIS: u64 = (1 << (8 * TIME_BYTES)) - 1;
/// The version of the UUIDs of events whose traces begin with their time, and of these traces.
const TIMED_VERSION: usize = 8;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
        )]
        pub struct $name(Uuid);

        impl $name {
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            /// Hyphenated, as this prints it: other spellings of a UUID are not names of anything.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse::<uuid::fmt::Hyphenated>().map(|id| Self(id.into_uuid()))
            }
        }
    )*};
}

/// A new UUIDv7.
fn uuid_at(time: Timestamp) -> Uuid {
    let millis = u64::try_from(time.millis()).unwrap_or(0);
    if let Some(random) = crate::simulated::random() {
        return uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
    }
    let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, millis / 1000, nanos))
}

macro_rules! ids_of_a_time {
    ($($name:ident)*) => {$(
        impl $name {
            /// A new ID; IDs sort by the time they were made for.
            pub fn at(time: Timestamp) -> Self {
                Self(uuid_at(time))
            }

            /// The time that it was made for.
            pub fn time(self) -> Timestamp {
                time_of(self.0)
            }
        }
    )*};
}

ids_of_a_time! { AttemptId SubscriptionId KeyId JobId }

uuid_ids! {
    /// One accepted event: made as a UUIDv7 is, with the version 8. Where the version is 7, the event is from before its
    /// traces began with its time: see [`TraceId::of`].
    EventId;
    /// One delivery: an event matched to a subscription. It never changes, however often it is sent.
    TraceId;
    /// One attempt: a row of the history (UUIDv7).
    AttemptId;
    SubscriptionId;
    /// An API key's name in the API; not the key itself.
    KeyId;
    /// One recovery job (UUIDv7).
    JobId;
}

impl EventId {
    /// A new ID; IDs sort by the time they were made for.
    pub fn at(time: Timestamp) -> Self {
        Self(uuid::Builder::from_custom_bytes(uuid_at(time).into_bytes()).into_uuid())
    }

    /// The smallest ID that an event of this time can have.
    pub fn first_at(time: Timestamp) -> Self {
        Self(first_uuid_at(time))
    }

    /// The time that it was made for: that of acceptance.
    pub fn time(self) -> Timestamp {
        time_of(self.0)
    }
}

impl TraceId {
    /// The trace of an event at a subscription: the same two always give the same one, so that a repeated intake cannot
    /// make a second delivery.
    ///
    /// It is a UUIDv8: the time of the event, as it stands in its ID, before a hash of both (UUIDv5). So the deliveries of
    /// an event, and those of one time, stand together in an index. The trace of an older event is the hash alone.
    pub fn of(event: EventId, subscription: SubscriptionId) -> Self {
        let hash = Uuid::new_v5(&event.0, subscription.0.as_bytes());
        if event.0.get_version_num() != TIMED_VERSION {
            return Self(hash);
        }
        let mut bytes = hash.into_bytes();
        bytes[..TIME_BYTES].copy_from_slice(&event.0.as_bytes()[..TIME_BYTES]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// The smallest trace that an event of this time can have; those of older events begin with no time.
    pub fn first_at(time: Timestamp) -> Self {
        Self(first_uuid_at(time))
    }

    /// Whether it begins with this time.
    pub fn begins_with(self, time: Timestamp) -> bool {
        let (own, first) = (self.0.as_bytes(), first_uuid_at(time));
        self.0.get_version_num() == TIMED_VERSION && own[..TIME_BYTES] == first.as_bytes()[..TIME_BYTES]
    }

    /// A byte that is spread evenly over traces.
    pub fn spread_byte(self) -> u8 {
        let bytes = self.0.as_bytes();
        if self.0.get_version_num() == TIMED_VERSION { bytes[15] } else { bytes[0] }
    }
}

/// The smallest UUIDv7 of a time.
fn first_uuid_at(time: Timestamp) -> Uuid {
    let millis = u64::try_from(time.millis()).unwrap_or(0).min(MAX_MILLIS);
    let mut bytes = [0; 16];
    bytes[..TIME_BYTES].copy_from_slice(&millis.to_be_bytes()[2..]);
    Uuid::from_bytes(bytes)
}

/// The time that a UUID begins with.
fn time_of(uuid: Uuid) -> Timestamp {
    let mut millis = [0; 8];
    millis[2..].copy_from_slice(&uuid.as_bytes()[..TIME_BYTES]);
    Timestamp::from_millis(i64::from_be_bytes(millis))
}

impl AttemptId {
    /// The smallest ID that an attempt of this time can have.
    pub fn first_at(time: Timestamp) -> Self {
        Self(first_uuid_at(time))
    }

    /// A new ID of this time, or of the millisecond after `newest` where that is later: so the attempts of a delivery sort in
    /// the order in which they began, also where several begin in one millisecond, or the clock was set back.
    pub fn at_or_after(time: Timestamp, newest: Option<Self>) -> Self {
        let Some(newest) = newest.filter(|newest| *newest >= Self::first_at(time)) else {
            return Self::at(time);
        };
        Self::at(time_of(newest.0).plus_millis(1))
    }

    /// The ID right after this one: what comes before it begins with this.
    pub const fn next(self) -> Self {
        Self(Uuid::from_u128(self.0.as_u128().saturating_add(1)))
    }
}

#[cfg(test)]
#[path = "id_tests.rs"]
mod tests;
