//! Tests of the transitions, by table and by property.

mod attempt_ends;
mod certificates;
mod exhausted;
mod facts;
mod failures;

use uuid::Uuid;

use super::*;
use crate::model::id::{AttemptId, SubscriptionId, TenantId};
use crate::model::time::Timestamp;

const START: Timestamp = Timestamp::from_millis(1_795_428_000_000);

fn subject() -> Subject {
    Subject {
        tenant: TenantId::try_from("lender".to_owned()).expect("a tenant"),
        subscription: SubscriptionId::from_uuid(Uuid::from_u128(7)),
        title: "Core banking \"A\"".into(),
        is_current: true,
    }
}

/// So many seconds after the start.
fn at(seconds: i64) -> Timestamp {
    START.plus_millis(1000 * seconds)
}

/// The end of an attempt so many seconds after the start.
fn end(seconds: i64, outcome: EndOutcome) -> AttemptEnd {
    let attempt = AttemptId::from_uuid(Uuid::from_u128(u128::try_from(seconds).expect("after the start")));
    AttemptEnd { ended_at: at(seconds), attempt, outcome }
}

fn fact(event: &OperationalEvent, name: &str) -> serde_json::Value {
    let context: serde_json::Value = serde_json::from_str(&event.context).expect("JSON");
    context.get(name).unwrap_or_else(|| panic!("{name} in {context}")).clone()
}
