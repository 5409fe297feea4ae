//! Stored flow state of a subscription: its failures in a row, and its hold.

use std::borrow::Cow;
use std::time::Duration;

use loanhook_core::model::flow::{EndedHold, FailureRun, FlowState, HeldBy, Hold, Probe};
use loanhook_core::model::id::TraceId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::StoredTime;
use crate::{Document, Version};

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredFlowState<'a> {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    failures: u32,
    /// The trace that failed first; absent where none has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_failed: Option<Uuid>,
    of_several: bool,
    /// Absent is none.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    hold: Option<StoredHold<'a>>,
    /// Absent is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<StoredEndedHold>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredHold<'a> {
    since: StoredTime,
    by: StoredHeldBy<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredHeldBy<'a> {
    #[serde(rename_all = "camelCase")]
    Failures { probe_due: StoredTime, delay_seconds: u64 },
    /// The name of the key.
    Operator(Cow<'a, str>),
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredEndedHold {
    since: StoredTime,
    at: StoredTime,
}

impl Document for FlowState {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredFlowState<'a>;

    fn to_stored(&self) -> StoredFlowState<'_> {
        let Self { failures: FailureRun { count, first, of_several }, hold, ended } = self;
        StoredFlowState {
            v: Version::NEWEST,
            failures: *count,
            first_failed: first.map(|trace| trace.uuid()),
            of_several: *of_several,
            hold: hold.as_ref().map(Into::into),
            ended: ended.map(|EndedHold { since, at }| StoredEndedHold {
                since: StoredTime(since),
                at: StoredTime(at),
            }),
        }
    }

    fn from_stored(stored: StoredFlowState<'_>) -> Self {
        let StoredFlowState { v: _, failures, first_failed, of_several, hold, ended } = stored;
        let first = first_failed.map(TraceId::from_uuid);
        Self {
            failures: FailureRun { count: failures, first, of_several },
            hold: hold.map(Into::into),
            ended: ended.map(|StoredEndedHold { since, at }| EndedHold { since: since.0, at: at.0 }),
        }
    }
}

impl<'a> From<&'a Hold> for StoredHold<'a> {
    fn from(Hold { by, since }: &'a Hold) -> Self {
        let by = match by {
            HeldBy::Failures(Probe { due, delay }) => {
                StoredHeldBy::Failures { probe_due: StoredTime(*due), delay_seconds: delay.as_secs() }
            }
            HeldBy::Operator(name) => StoredHeldBy::Operator(name.into()),
        };
        Self { since: StoredTime(*since), by }
    }
}

impl From<StoredHold<'_>> for Hold {
    fn from(StoredHold { since, by }: StoredHold<'_>) -> Self {
        let by = match by {
            StoredHeldBy::Failures { probe_due, delay_seconds } => {
                HeldBy::Failures(Probe { due: probe_due.0, delay: Duration::from_secs(delay_seconds) })
            }
            StoredHeldBy::Operator(name) => HeldBy::Operator(name.into_owned()),
        };
        Self { by, since: since.0 }
    }
}
