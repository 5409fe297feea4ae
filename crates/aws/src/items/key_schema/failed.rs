//! Keys of the index of deliveries that failed.
//!
//! It and its attributes are called `attention` in the table, as they were when they also had deliveries that were pending after a
//! failure: an index that is renamed is one that is built anew.

use loanhook_core::model::delivery::DeliveryPosition;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::time::Timestamp;

/// Of deliveries that failed, and of no others but pending ones of earlier versions: the partition of the index [`BY_FAILED`],
/// and the place in it.
pub(crate) const FAILED_PK: &str = "attention";
pub(crate) const FAILED_SK: &str = "attentionAt";
/// Deliveries that failed, in the order of a list across loans: keys only, so that no other write to a delivery writes
/// the index.
pub(crate) const BY_FAILED: &str = "attention";

/// How many partitions a tenant's deliveries that failed are spread over. Each takes at most 1,000 writes a second, and
/// where a receiver stays down, each webhook is one. More shards may be added at any time, fewer may not.
pub(crate) const FAILED_SHARDS: u8 = 16;

pub(crate) fn failed_pk(tenant: &TenantId, trace: TraceId) -> String {
    failed_shard_pk(tenant, trace.spread_byte() % FAILED_SHARDS)
}

pub(crate) fn failed_shard_pk(tenant: &TenantId, shard: u8) -> String {
    format!("X#{tenant}#{shard}")
}

/// The place of a delivery: the milliseconds of its acceptance, padded with zeros so that they sort as text, and its trace.
pub(crate) fn failed_sk(position: DeliveryPosition) -> String {
    format!("{:013}#{}", position.accepted_at.millis().max(0), position.trace)
}

/// The position that a sort key says; none where it is none of these.
pub(crate) fn read_failed_sk(sk: &str) -> Option<DeliveryPosition> {
    let (millis, trace) = sk.split_once('#')?;
    Some(DeliveryPosition {
        accepted_at: Timestamp::from_millis(millis.parse().ok()?),
        trace: trace.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_has_its_place_by_time_and_trace() {
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        let trace: TraceId = "01a207d9-217b-8000-8000-00000000002f".parse().expect("a trace");
        let position = DeliveryPosition { accepted_at: Timestamp::from_millis(1_795_428_000_123), trace };
        assert_eq!(failed_pk(&tenant, trace), "X#acme#15");
        let sk = failed_sk(position);
        assert_eq!(sk, "1795428000123#01a207d9-217b-8000-8000-00000000002f");
        assert_eq!(read_failed_sk(&sk), Some(position));
        let earlier = DeliveryPosition::first_at(Timestamp::from_millis(999_999_999_999));
        assert!(failed_sk(earlier) < sk);
    }
}
