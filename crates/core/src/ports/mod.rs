//! What the use cases ask of the world.
//!
//! Each trait is one capability; an engine implements them all. An operation that changes several
//! things names, in its words here, the order in which their effects may become durable: an engine that
//! has transactions does it in one, another writes in that order, and every prefix is a state that the
//! next wake of the delivery heals.

mod deliveries;
mod grants;
mod health;
mod history;
mod sending;
mod settings;
mod triggers;
mod work;

use std::future::Future;
use std::sync::Arc;

use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;
use crate::model::id::{AttemptId, LoanId, SubscriptionId, TenantId, TraceId};
use crate::model::time::Timestamp;

pub use deliveries::{
    Accepted, Begun, Canceled, Deliveries, Idempotency, Intake, RECORDED_WITHIN, Released, Remembered,
};
pub use grants::Grants;
pub use health::Health;
pub use history::{Attempts, Payloads, Queued, Resends, Row, Span, Taken};
pub use sending::{Egress, EgressAddresses, NotSent, Outgoing, Received, Sender, Sent};
pub use settings::{Ensured, Keys, ListedKey, Replaced, Subscriptions};
pub use triggers::{Decided, Triggers, Watched};
pub use work::{Claimed, Place, Work};

/// Why a store did not do what it was asked. Nothing of the operation took effect, as far as is known.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// More is waiting than can be taken in; later it will go.
    #[error("the store is busy")]
    Busy,
    #[error("the store failed: {0}")]
    Failed(Arc<str>),
}

pub type Stored<T> = Result<T, StoreError>;

/// A message: something of a delivery is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    pub tenant: TenantId,
    pub trace_id: TraceId,
    /// What shares a receiver: a slow one delays no other.
    pub subscription_id: SubscriptionId,
    pub due: Timestamp,
    pub what: Due,
}

impl Wake {
    /// The message for the next automatic attempt, if one is due some time and none is in flight.
    pub fn next_of(delivery: &Delivery) -> Option<Self> {
        let next = delivery.progress.next.filter(|_| delivery.progress.in_flight.is_none())?;
        Some(Self {
            tenant: delivery.frozen.tenant.clone(),
            trace_id: delivery.frozen.trace_id,
            subscription_id: delivery.frozen.subscription_id,
            due: next.due,
            what: Due::Attempt(next.number),
        })
    }

    /// The message for the resend of this row.
    pub fn of_resend(row: &Attempt, due: Timestamp) -> Self {
        Self {
            tenant: row.tenant.clone(),
            trace_id: row.trace_id,
            subscription_id: row.subscription_id,
            due,
            what: Due::Resend { loan_id: row.loan_id.clone(), attempt_id: row.id },
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// The automatic attempt of this number.
    Attempt(u32),
    /// A resend, by its row.
    Resend { loan_id: LoanId, attempt_id: AttemptId },
}

pub trait Queue {
    /// Puts a message that is due at `wake.due`.
    fn send_on(&self, wake: Wake) -> impl Future<Output = Stored<()>> + Send;
}
