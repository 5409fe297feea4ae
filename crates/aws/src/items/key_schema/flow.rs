//! Keys of the flow of subscriptions: their states, the places of those with limits, what waits, and the turns of those for which
//! something waits.

use super::ItemKey;
use loanhook_core::model::id::{SubscriptionId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;

/// Of a flow state: until when a probe is taken to be under way, in milliseconds since 1970, and the token of who sends it.
pub(crate) const PROBE: &str = "probe";
pub(crate) const PROBE_TOKEN: &str = "probeToken";
/// Of a flow state: the attempt whose end changed it last; absent where a hand or a change of settings did.
pub(crate) const CHANGED_BY: &str = "changedBy";
/// Of places: the time up to which requests have taken their share of the rate, in microseconds since 1970.
pub(crate) const PLACE_TIME: &str = "until";
/// Of the turn of a subscription: the second after a hold for which deliveries were woken last, in milliseconds since 1970.
pub(crate) const PACED: &str = "paced";

/// The partition of the turns of all subscriptions for which something waits.
pub(crate) const WAITING_TURNS_PK: &str = "O#waiting";

/// The beginning of the partitions of a subscription's flow: each kind of item has one of its own, as each may be busy.
fn flow_pk(tenant: &TenantId, id: SubscriptionId) -> String {
    format!("B#{tenant}#{id}")
}

/// The flow state of a subscription.
pub(crate) fn flow_state(tenant: &TenantId, id: SubscriptionId) -> ItemKey {
    ItemKey::only(flow_pk(tenant, id))
}

/// One of the items between which the limits of a subscription are divided.
pub(crate) fn places(tenant: &TenantId, id: SubscriptionId, index: u32) -> ItemKey {
    ItemKey::only(format!("{}#places-{index}", flow_pk(tenant, id)))
}

/// The partition of a subscription's deliveries that wait for a limit or a hold.
pub(crate) fn waiting_pk(tenant: &TenantId, id: SubscriptionId) -> String {
    format!("{}#waiting", flow_pk(tenant, id))
}

/// A delivery that waits: what is due first comes first.
pub(crate) fn waiting(tenant: &TenantId, id: SubscriptionId, due: Timestamp, trace: TraceId) -> ItemKey {
    // Padded with zeros, so that times sort as text.
    ItemKey { pk: waiting_pk(tenant, id), sk: format!("{:015}#{trace}", due.millis()) }
}

/// The time when a delivery that waits is due and its trace, by the sort key; none where it is none of these.
pub(crate) fn read_waiting_sk(sk: &str) -> Option<(Timestamp, TraceId)> {
    let (due, trace) = sk.split_once('#')?;
    Some((Timestamp::from_millis(due.parse().ok()?), trace.parse().ok()?))
}

/// The turn of a subscription for which something waits.
pub(crate) fn waiting_turn(tenant: &TenantId, id: SubscriptionId) -> ItemKey {
    ItemKey { pk: WAITING_TURNS_PK.into(), sk: format!("{tenant}#{id}") }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_waits_is_sorted_by_its_time_and_read_as_it_was_written() {
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        let id = SubscriptionId::from_uuid(Uuid::from_u128(1));
        let times = [0, 999, 1_795_428_000_000, 99_999_999_999_999].map(Timestamp::from_millis);
        let trace = |number| TraceId::from_uuid(Uuid::from_u128(number));
        let keys: Vec<_> =
            times.iter().zip(1..).map(|(due, n)| waiting(&tenant, id, *due, trace(10 - n)).sk).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        for (sk, (due, n)) in keys.iter().zip(times.into_iter().zip(1..)) {
            assert_eq!(read_waiting_sk(sk), Some((due, trace(10 - n))));
        }
        assert_eq!(read_waiting_sk("-"), None);
    }
}
