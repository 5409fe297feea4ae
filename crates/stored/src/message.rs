//! Stored queue message: the body of a message of SQS. It says where to look, and no more than that.

use loanhook_core::model::id::{AttemptId, SubscriptionId, TraceId};
use loanhook_core::ports::{DueWork, QueueMessage};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{StoredLoan, StoredTenant, StoredTime};
use crate::{Document, Version};

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredMessage {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    tenant: StoredTenant,
    trace_id: Uuid,
    subscription_id: Uuid,
    due: StoredTime,
    #[serde(flatten)]
    work: StoredWork,
}

/// One of two, told apart by their fields.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum StoredWork {
    Attempt {
        number: u32,
    },
    #[serde(rename_all = "camelCase")]
    Resend {
        loan_id: StoredLoan,
        attempt_id: Uuid,
    },
}

impl Document for QueueMessage {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredMessage;

    fn to_stored(&self) -> StoredMessage {
        let Self { tenant, trace_id, subscription_id, due, work } = self;
        StoredMessage {
            v: Version::NEWEST,
            tenant: StoredTenant(tenant.clone()),
            trace_id: trace_id.uuid(),
            subscription_id: subscription_id.uuid(),
            due: StoredTime(*due),
            work: match work {
                DueWork::Attempt(number) => StoredWork::Attempt { number: *number },
                DueWork::Resend { loan_id, attempt_id } => {
                    StoredWork::Resend { loan_id: StoredLoan(loan_id.clone()), attempt_id: attempt_id.uuid() }
                }
            },
        }
    }

    fn from_stored(stored: StoredMessage) -> Self {
        let StoredMessage { v: _, tenant, trace_id, subscription_id, due, work } = stored;
        Self {
            tenant: tenant.0,
            trace_id: TraceId::from_uuid(trace_id),
            subscription_id: SubscriptionId::from_uuid(subscription_id),
            due: due.0,
            work: match work {
                StoredWork::Attempt { number } => DueWork::Attempt(number),
                StoredWork::Resend { loan_id, attempt_id } => {
                    DueWork::Resend { loan_id: loan_id.0, attempt_id: AttemptId::from_uuid(attempt_id) }
                }
            },
        }
    }
}
