//! Stored chunk of a recovery job's list.

use std::ops::Not;

use loanhook_core::model::id::{AttemptId, SubscriptionId, TraceId};
use loanhook_core::model::job::{ItemState, JobChunk, JobItem};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::StoredLoan;
use crate::words::StoredSkipReason;
use crate::{Document, Version};

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub struct StoredJobChunk {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    number: u32,
    items: Vec<StoredItem>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredItem {
    trace: Uuid,
    subscription: Uuid,
    loan: StoredLoan,
    /// Whether it had succeeded when it was listed. Absent is false.
    #[serde(default, skip_serializing_if = "Not::not")]
    succeeded: bool,
    /// Absent is waiting.
    #[serde(default, skip_serializing_if = "StoredState::is_waiting")]
    state: StoredState,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredState {
    #[default]
    Waiting,
    Superseded,
    Taken,
    Sent(Uuid),
    Succeeded(Option<Uuid>),
    Failed(Uuid),
    Skipped(StoredSkipReason),
}

impl StoredState {
    const fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting)
    }
}

impl Document for JobChunk {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredJobChunk;

    fn to_stored(&self) -> StoredJobChunk {
        let Self { number, items } = self;
        StoredJobChunk {
            v: Version::NEWEST,
            number: *number,
            items: items.iter().map(StoredItem::from).collect(),
        }
    }

    fn from_stored(StoredJobChunk { v: _, number, items }: StoredJobChunk) -> Self {
        Self { number, items: items.into_iter().map(JobItem::from).collect() }
    }
}

impl From<&JobItem> for StoredItem {
    fn from(item: &JobItem) -> Self {
        let JobItem { trace, subscription, loan, had_succeeded, state } = item;
        Self {
            trace: trace.uuid(),
            subscription: subscription.uuid(),
            loan: StoredLoan(loan.clone()),
            succeeded: *had_succeeded,
            state: match *state {
                ItemState::Waiting => StoredState::Waiting,
                ItemState::Superseded => StoredState::Superseded,
                ItemState::Taken => StoredState::Taken,
                ItemState::Sent(id) => StoredState::Sent(id.uuid()),
                ItemState::Succeeded(id) => StoredState::Succeeded(id.map(AttemptId::uuid)),
                ItemState::Failed(id) => StoredState::Failed(id.uuid()),
                ItemState::Skipped(reason) => StoredState::Skipped(reason.into()),
            },
        }
    }
}

impl From<StoredItem> for JobItem {
    fn from(stored: StoredItem) -> Self {
        let StoredItem { trace, subscription, loan, succeeded, state } = stored;
        Self {
            trace: TraceId::from_uuid(trace),
            subscription: SubscriptionId::from_uuid(subscription),
            loan: loan.0,
            had_succeeded: succeeded,
            state: match state {
                StoredState::Waiting => ItemState::Waiting,
                StoredState::Superseded => ItemState::Superseded,
                StoredState::Taken => ItemState::Taken,
                StoredState::Sent(id) => ItemState::Sent(AttemptId::from_uuid(id)),
                StoredState::Succeeded(id) => ItemState::Succeeded(id.map(AttemptId::from_uuid)),
                StoredState::Failed(id) => ItemState::Failed(AttemptId::from_uuid(id)),
                StoredState::Skipped(reason) => ItemState::Skipped(reason.into()),
            },
        }
    }
}
