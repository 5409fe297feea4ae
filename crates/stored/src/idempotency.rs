//! Stored records of idempotency keys: what a key of an event and a key of a resend stand for.

use loanhook_core::model::id::{AttemptId, EventId, SubscriptionId, TraceId};
use loanhook_core::ports::IdempotencyRecord;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{StoredHash, StoredTime};
use crate::words::StoredDecision;
use crate::{Document, Version};

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub struct StoredEventRecord {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    digest: StoredHash,
    event_id: Uuid,
    accepted_at: StoredTime,
    /// `[subscription ID, its version]` each.
    matched: Vec<(Uuid, u64)>,
    /// `[subscription ID, its version, what it decided]` each. Absent where there are none, and in records of versions that
    /// kept no ledger.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unmatched: Vec<(Uuid, u64, StoredDecision)>,
}

impl Document for IdempotencyRecord {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredEventRecord;

    fn to_stored(&self) -> StoredEventRecord {
        let Self { digest, event_id, accepted_at, matched, unmatched } = self;
        let unmatched = unmatched.iter().map(|(id, version, kind)| (id.uuid(), *version, (*kind).into()));
        StoredEventRecord {
            v: Version::NEWEST,
            digest: StoredHash(*digest),
            event_id: event_id.uuid(),
            accepted_at: StoredTime(*accepted_at),
            matched: matched.iter().map(|(id, version)| (id.uuid(), *version)).collect(),
            unmatched: unmatched.collect(),
        }
    }

    fn from_stored(stored: StoredEventRecord) -> Self {
        let StoredEventRecord { v: _, digest, event_id, accepted_at, matched, unmatched } = stored;
        let unmatched = unmatched
            .into_iter()
            .map(|(id, version, kind)| (SubscriptionId::from_uuid(id), version, kind.into()));
        let matched = matched.into_iter().map(|(id, version)| (SubscriptionId::from_uuid(id), version));
        Self {
            digest: digest.0,
            event_id: EventId::from_uuid(event_id),
            accepted_at: accepted_at.0,
            matched: matched.collect(),
            unmatched: unmatched.collect(),
        }
    }
}

/// The record of a resend: the delivery and the row. A second version would be an object with `v`.
impl Document for (TraceId, AttemptId) {
    const VERSION: u32 = 1;
    type Stored<'a> = (Uuid, Uuid);

    fn to_stored(&self) -> (Uuid, Uuid) {
        let (trace, attempt) = self;
        (trace.uuid(), attempt.uuid())
    }

    fn from_stored((trace, attempt): (Uuid, Uuid)) -> Self {
        (TraceId::from_uuid(trace), AttemptId::from_uuid(attempt))
    }
}
