//! Hold: what it tells when it begins.

use super::facts::Facts;
use super::{OperationalEvent, OperationalKind, Subject};
use crate::model::flow::{FlowState, Hold};

impl OperationalEvent {
    /// A hold began.
    pub fn held(subject: &Subject, hold: &Hold) -> Self {
        let kind = OperationalKind::SubscriptionHeld;
        let facts = Facts::of_kind(kind, Some(subject), hold.since)
            .with("by", hold.by())
            .with("since", hold.since.to_string());
        Self::of_subject(kind, subject, hold.since, &[&hold.since.millis().to_string()], facts)
    }

    /// What a change of a flow state tells of a hold that begins with it. An operator who takes an automatic hold over begins none.
    pub fn held_by_change(subject: &Subject, before: &FlowState, after: &FlowState) -> Option<Self> {
        let began = after.hold.as_ref().filter(|_| before.hold.is_none());
        began.map(|hold| Self::held(subject, hold))
    }
}
