//! Stored trigger state of a loan: a map from subscriptions to their triggers that were true.

use std::collections::BTreeMap;

use loanhook_core::model::id::{SubscriptionId, TraceId};
use loanhook_core::model::trigger_state::{TriggerState, TrueTrigger};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Document;
use crate::values::StoredTime;

/// The map is all of the document: a second version would be an object with `v` and the map in a field.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredTriggerState(BTreeMap<Uuid, StoredTrigger>);

#[derive(Debug, Serialize, Deserialize)]
struct StoredTrigger {
    since: u64,
    /// `[trace ID, moment]`. Absent where nothing came of its rising edge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fired: Option<(Uuid, StoredTime)>,
}

impl Document for TriggerState {
    const VERSION: u32 = 1;
    type Stored<'a> = StoredTriggerState;

    fn to_stored(&self) -> StoredTriggerState {
        let Self(triggers) = self;
        let stored = triggers.iter().map(|(id, TrueTrigger { since, fired })| {
            let fired = fired.map(|(trace, at)| (trace.uuid(), StoredTime(at)));
            (id.uuid(), StoredTrigger { since: *since, fired })
        });
        StoredTriggerState(stored.collect())
    }

    fn from_stored(stored: StoredTriggerState) -> Self {
        let StoredTriggerState(triggers) = stored;
        let triggers = triggers.into_iter().map(|(id, StoredTrigger { since, fired })| {
            let fired = fired.map(|(trace, StoredTime(at))| (TraceId::from_uuid(trace), at));
            (SubscriptionId::from_uuid(id), TrueTrigger { since, fired })
        });
        Self(triggers.collect())
    }
}

#[cfg(test)]
mod tests {
    use loanhook_core::model::id::EventId;
    use loanhook_core::model::time::Timestamp;
    use loanhook_core::model::trigger_state::TriggerReading;

    use super::*;
    use crate::{read, write};

    #[test]
    fn a_state_reads_back_as_it_was_written() {
        let start = Timestamp::from_millis(0);
        let mut state = TriggerState::default();
        let subscription = SubscriptionId::at(start);
        let trace = TraceId::of(EventId::at(start), subscription);
        state.update(TriggerReading { subscription, since: 7, holds: true }, Some(trace), start);
        let json = write(&state).expect("JSON");
        assert_eq!(read::<TriggerState>(&json).expect("a state"), state);
    }
}
