//! Ports: what the use cases ask of an engine and of a sender.
//!
//! Each trait is one capability; an engine implements them all. An operation that changes several things names, in its docs, the
//! order in which their effects may become durable: an engine that has transactions does it in one, another writes in that
//! order, and every prefix is a state that the next message of the delivery heals.

mod connection_check;
mod dead_letters;
mod deliveries;
mod delivery_list;
mod flow;
mod formula_errors;
mod grants;
mod health;
mod history;
mod jobs;
mod ledger;
mod operational;
mod reports;
mod sending;
mod settings;
mod tokens;

use std::future::Future;
use std::sync::Arc;

use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;
use crate::model::id::{AttemptId, LoanId, SubscriptionId, TenantId, TraceId};
use crate::model::time::Timestamp;

pub use connection_check::{CheckRequest, CheckStep, CheckStepName, ConnectionCheck};
pub use dead_letters::DeadLetters;
pub use deliveries::{
    AcceptOutcome, AcceptRequest, CancelOutcome, ClaimOutcome, Deliveries, IdempotencyKey, IdempotencyRecord,
    Intake, MAX_RECORDING_TIME, NewLedgerEvent, ReleaseOutcome, WatchedTrigger,
};
pub use delivery_list::{DeliveryList, DeliveryPart, DeliverySet, DeliverySpan};
pub use flow::FlowControl;
pub use formula_errors::FormulaErrorLog;
pub use grants::Grants;
pub use health::{Health, NotReady};
pub use history::{
    AttemptRange, Attempts, EarlierResend, EnqueueOutcome, HistoryRow, Payloads, ResendClaimOutcome, Resends,
};
pub use jobs::{CreateJobOutcome, JobRecord, Jobs, MAX_CHANGED_CHUNKS};
pub use ledger::Ledger;
pub use operational::{FailedTenants, OperationalEvents, OutboxPage, OutboxPosition, StatesAdvanced};
pub use reports::Reports;
pub use sending::{
    Egress, EgressAddresses, NotSent, OAuth2Credentials, ReceivedResponse, SendOutcome, SendPermit, Sender,
    WebhookRequest,
};
pub use settings::{DeleteOutcome, EnvironmentKeyOutcome, Keys, ListedKey, ReplaceOutcome, Subscriptions};
pub use tokens::{
    BeginFetchOutcome, FetchLease, FetchOutcome, FormRequest, FormSender, StoredToken, TokenKey, TokenRecord,
    Tokens,
};

/// Why a store did not do what it was asked. Nothing of the operation took effect, as far as is known.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// More is waiting than can be taken in; later it will go.
    #[error("the store is busy")]
    Busy,
    #[error("the store failed: {0}")]
    Failed(Arc<str>),
}

pub type StoreResult<T> = Result<T, StoreError>;

/// A message: something of a delivery is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMessage {
    pub tenant: TenantId,
    pub trace_id: TraceId,
    /// What shares a receiver: a slow one delays no other.
    pub subscription_id: SubscriptionId,
    pub due: Timestamp,
    pub work: DueWork,
}

impl QueueMessage {
    /// The message for the next automatic attempt, if one is due some time and none is in flight.
    pub fn for_next_attempt(delivery: &Delivery) -> Option<Self> {
        let next = delivery.progress.waiting()?;
        Some(Self::for_attempt(delivery, next.number, next.due))
    }

    /// The message for the automatic attempt of this number.
    pub fn for_attempt(delivery: &Delivery, number: u32, due: Timestamp) -> Self {
        Self {
            tenant: delivery.snapshot.tenant.clone(),
            trace_id: delivery.snapshot.trace_id,
            subscription_id: delivery.snapshot.subscription_id,
            due,
            work: DueWork::Attempt(number),
        }
    }

    /// The message for the resend of this row.
    pub fn for_resend(row: &Attempt, due: Timestamp) -> Self {
        Self {
            tenant: row.tenant.clone(),
            trace_id: row.trace_id,
            subscription_id: row.subscription_id,
            due,
            work: DueWork::Resend { loan_id: row.loan_id.clone(), attempt_id: row.id },
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DueWork {
    /// The automatic attempt of this number.
    Attempt(u32),
    /// A resend, by its row.
    Resend { loan_id: LoanId, attempt_id: AttemptId },
}

pub trait Queue {
    /// Puts a message that is due at `message.due`.
    fn enqueue(&self, message: QueueMessage) -> impl Future<Output = StoreResult<()>> + Send;
}
