//! Flows that readers are told.

use uuid::Uuid;

use super::QueueScheduler;
use loanhook_core::model::flow::throttle::SentBefore;
use loanhook_core::model::flow::{DeliveryOrder, FlowSettings};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;

#[test]
fn flows_are_those_of_a_tenant() {
    let ordered = FlowSettings { order: DeliveryOrder::Loan, ..FlowSettings::default() };
    let (scheduler, now) = (QueueScheduler::default(), Timestamp::now());
    let tenant = |name: &str| TenantId::try_from(name.to_owned()).expect("a tenant");
    let (before, own, after) = (tenant("a"), tenant("b"), tenant("c"));
    let id = |number| SubscriptionId::from_uuid(Uuid::from_u128(number));
    for (of, number) in [(&before, 1), (&own, 2), (&own, 0), (&after, 3)] {
        scheduler.set_flow_settings((of, id(number)), ordered, SentBefore::Nothing);
    }
    assert_eq!(scheduler.flows(&own, now).into_keys().collect::<Vec<_>>(), [id(0), id(2)]);
    assert!(scheduler.flow((&own, id(2)), now).is_some());
    assert_eq!(scheduler.flow((&own, id(3)), now), None);
    scheduler.set_flow_settings((&own, id(2)), FlowSettings::default(), SentBefore::Unknown);
    assert_eq!(scheduler.flows(&own, now).into_keys().collect::<Vec<_>>(), [id(0)]);
    assert_eq!(scheduler.flow((&own, id(2)), now), None);
}
