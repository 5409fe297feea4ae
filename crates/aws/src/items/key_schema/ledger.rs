//! Keys of the ledger: the partition of a loan's events, and that of each event in the index of what was accepted.

use super::ItemKey;
use loanhook_core::model::id::{EventId, LoanId, TenantId};

/// Of events: the partition of the index [`BY_ACCEPTANCE`], which sorts by `sk`.
pub(crate) const ACCEPTED_DAY: &str = "acceptedDay";
/// Events by the day when they were accepted: keys only.
pub(crate) const BY_ACCEPTANCE: &str = "accepted";

/// How many partitions of the index a tenant's events of one day are spread over. Each takes at most 1,000 writes a second,
/// and several of them may lie on one physical partition until DynamoDB splits it. More shards would find no event that was
/// stored before.
const SHARDS: u8 = 16;
const DAY_MILLIS: u64 = 24 * 3600 * 1000;

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
    let bytes = id.uuid().into_bytes();
    let mut millis = [0; 8];
    millis[2..].copy_from_slice(&bytes[..6]);
    let day = u64::from_be_bytes(millis) / DAY_MILLIS;
    format!("V#{tenant}#{day}#{}", bytes[15] % SHARDS)
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
