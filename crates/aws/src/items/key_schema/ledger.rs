//! Keys of the ledger: the partition of a loan's events, and that of each event in the index of what was accepted.

use std::time::Duration;

use super::ItemKey;
use loanhook_core::model::id::{EventId, LoanId, TenantId};
use loanhook_core::model::time::Timestamp;

/// Of events: the partition of the index [`BY_ACCEPTANCE`], which sorts by `sk`.
pub(crate) const ACCEPTED_DAY: &str = "acceptedDay";
/// Events by the day when they were accepted: keys only.
pub(crate) const BY_ACCEPTANCE: &str = "accepted";

/// How many partitions of the index a tenant's events of one day are spread over. Each takes at most 1,000 writes a second,
/// and several of them may lie on one physical partition until DynamoDB splits it. More shards would find no event that was
/// stored before.
pub(crate) const ACCEPTANCE_SHARDS: u8 = 16;
/// A day of the index.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The partition of a loan's events.
pub(crate) fn events_pk(tenant: &TenantId, loan: &LoanId) -> String {
    format!("V#{tenant}#{loan}")
}

pub(crate) fn event(tenant: &TenantId, loan: &LoanId, id: EventId) -> ItemKey {
    ItemKey { pk: events_pk(tenant, loan), sk: id.to_string() }
}

/// The partition of an event in the index [`BY_ACCEPTANCE`]: the day that its ID is of, in days since 1970, and a shard by the
/// random end of its ID.
pub(crate) fn acceptance_pk(tenant: &TenantId, id: EventId) -> String {
    acceptance_day_pk(tenant, AcceptanceDay::of(id.time()), id.uuid().into_bytes()[15] % ACCEPTANCE_SHARDS)
}

/// The partition of a shard of a day in the index [`BY_ACCEPTANCE`].
pub(crate) fn acceptance_day_pk(tenant: &TenantId, day: AcceptanceDay, shard: u8) -> String {
    format!("V#{tenant}#{}#{shard}", day.0)
}

/// A day of the index [`BY_ACCEPTANCE`]: how many days have passed since 1970 when it begins, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AcceptanceDay(i64);

impl AcceptanceDay {
    pub(crate) fn of(time: Timestamp) -> Self {
        Self(time.millis().div_euclid(day_millis()))
    }

    pub(crate) fn begins(self) -> Timestamp {
        Timestamp::from_millis(self.0 * day_millis())
    }

    /// The day before it by so many.
    pub(crate) const fn minus(self, days: i64) -> Self {
        Self(self.0 - days)
    }
}

fn day_millis() -> i64 {
    i64::try_from(DAY.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_found_by_the_day_and_the_end_of_its_id() {
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        for (id, partition) in [
            // The first millisecond of 2026-11-23, and the last of the day before.
            ("01a205b3-d000-7000-8000-000000000000", "V#acme#20780#0"),
            ("01a205b3-cfff-7000-8000-00000000002f", "V#acme#20779#15"),
        ] {
            assert_eq!(acceptance_pk(&tenant, id.parse().expect("an ID")), partition);
        }
    }
}
