//! Identifiers: a UUID type for each kind of thing, and the names of tenants and loans.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use super::time::Timestamp;
use super::validation::name_error;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
        )]
        pub struct $name(Uuid);

        impl $name {
            /// A new ID; IDs sort by the time they were made for.
            pub fn at(time: Timestamp) -> Self {
                let millis = u64::try_from(time.millis()).unwrap_or(0);
                if let Some(random) = crate::simulated::random() {
                    return Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid());
                }
                let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
                Self(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, millis / 1000, nanos)))
            }

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

uuid_ids! {
    /// One accepted event (UUIDv7).
    EventId;
    /// One delivery: an event matched to a subscription. It never changes, however often it is sent.
    TraceId;
    /// One attempt: a row of the history (UUIDv7).
    AttemptId;
    SubscriptionId;
    /// An API key's name in the API; not the key itself.
    KeyId;
}

impl TraceId {
    /// The trace of an event at a subscription: the same two always give the same one (UUIDv5), so
    /// that a repeated intake cannot make a second delivery.
    pub fn of(event: EventId, subscription: SubscriptionId) -> Self {
        Self(Uuid::new_v5(&event.0, subscription.0.as_bytes()))
    }
}

/// The smallest UUIDv7 of a time.
fn first_uuid_at(time: Timestamp) -> Uuid {
    let millis = u64::try_from(time.millis()).unwrap_or(0);
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    Uuid::from_bytes(bytes)
}

impl EventId {
    /// The smallest ID that an event of this time can have.
    pub fn first_at(time: Timestamp) -> Self {
        Self(first_uuid_at(time))
    }
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
        let mut millis = [0; 8];
        millis[2..].copy_from_slice(&newest.0.as_bytes()[..6]);
        Self::at(Timestamp::from_millis(i64::from_be_bytes(millis).saturating_add(1)))
    }

    /// The ID right after this one: what comes before it begins with this.
    pub const fn next(self) -> Self {
        Self(Uuid::from_u128(self.0.as_u128().saturating_add(1)))
    }
}

/// Whose things these are: `[a-z0-9-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Arc<str>);

impl TenantId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TenantId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err("must be 1 to 64 of the characters a-z, 0-9 and -".into())
        }
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A loan, as the servicing platform names it: 1 to 256 characters that can stand in a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LoanId(Arc<str>);

impl LoanId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LoanId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(fault) = name_error(&text) {
            return Err(fault);
        }
        if text.contains(['/', '\\', '?', '#', '%']) || text == "." || text == ".." {
            return Err("must have none of / \\ ? # % and not be . or .., as it stands in paths".into());
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for LoanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn attempts_sort_by_time() {
        let time = Timestamp::from_millis(1_795_428_000_123);
        let later = Timestamp::from_millis(1_795_428_000_124);
        assert!(AttemptId::first_at(time) <= AttemptId::at(time));
        assert!(AttemptId::at(time) < AttemptId::first_at(later));
    }

    #[test]
    fn attempts_of_a_delivery_sort_as_they_began() {
        let time = Timestamp::from_millis(1_795_428_000_123);
        let in_one_millisecond = (0..20).scan(None, |newest, _| {
            let id = AttemptId::at_or_after(time, *newest);
            newest.replace(id);
            Some(id)
        });
        assert!(in_one_millisecond.collect::<Vec<_>>().is_sorted_by(|before, after| before < after));
        let hour = Duration::from_secs(3600);
        let newest = AttemptId::at(time);
        assert!(AttemptId::at_or_after(time.minus(hour), Some(newest)) > newest);
        let later = AttemptId::at_or_after(time + hour, Some(newest));
        assert!(later > newest && later >= AttemptId::first_at(time + hour));
        let first = AttemptId::at_or_after(time, None);
        assert!(first >= AttemptId::first_at(time) && first < AttemptId::first_at(time + hour));
    }

    #[test]
    fn tenants_and_loans_by_table() {
        for (text, ok) in [("a", true), ("acme-2", true), ("", false), ("Acme", false), ("a b", false)] {
            assert_eq!(TenantId::try_from(text.to_owned()).is_ok(), ok, "{text:?}");
        }
        assert!(TenantId::try_from("a".repeat(65)).is_err());
        for (text, ok) in [
            ("727", true),
            ("Loan 7 (ü)", true),
            ("..7", true),
            ("", false),
            (".", false),
            ("..", false),
            ("a/b", false),
            ("a%2fb", false),
            ("a\u{7f}", false),
            ("a\u{85}", false),
        ] {
            assert_eq!(LoanId::try_from(text.to_owned()).is_ok(), ok, "{text:?}");
        }
        assert!(LoanId::try_from("ü".repeat(256)).is_ok());
        assert!(LoanId::try_from("ü".repeat(257)).is_err());
    }
}
