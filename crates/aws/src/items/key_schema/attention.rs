//! Keys of the index of what needs attention.

use loanhook_core::model::delivery::DeliveryPosition;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::time::Timestamp;

/// Of deliveries that need attention, and of no others: the partition of the index [`BY_ATTENTION`], and the place in it.
pub(crate) const ATTENTION: &str = "attention";
pub(crate) const ATTENTION_AT: &str = "attentionAt";
/// Deliveries that need attention, in the order of a list across loans: keys only, so that no other write to a delivery writes
/// the index.
pub(crate) const BY_ATTENTION: &str = "attention";

/// How many partitions a tenant's deliveries that need attention are spread over. Each takes at most 1,000 writes a second, and
/// where a receiver is down, each webhook is one. More shards may be added at any time, fewer may not.
pub(crate) const ATTENTION_SHARDS: u8 = 16;

pub(crate) fn attention_pk(tenant: &TenantId, trace: TraceId) -> String {
    attention_shard_pk(tenant, trace.spread_byte() % ATTENTION_SHARDS)
}

pub(crate) fn attention_shard_pk(tenant: &TenantId, shard: u8) -> String {
    format!("X#{tenant}#{shard}")
}

/// The place of a delivery: the milliseconds of its acceptance, padded with zeros so that they sort as text, and its trace.
pub(crate) fn attention_sk(position: DeliveryPosition) -> String {
    format!("{:013}#{}", position.accepted_at.millis().max(0), position.trace)
}

/// The position that a sort key says; none where it is none of these.
pub(crate) fn read_attention_sk(sk: &str) -> Option<DeliveryPosition> {
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
        assert_eq!(attention_pk(&tenant, trace), "X#acme#15");
        let sk = attention_sk(position);
        assert_eq!(sk, "1795428000123#01a207d9-217b-8000-8000-00000000002f");
        assert_eq!(read_attention_sk(&sk), Some(position));
        let earlier = DeliveryPosition::first_at(Timestamp::from_millis(999_999_999_999));
        assert!(attention_sk(earlier) < sk);
    }
}
