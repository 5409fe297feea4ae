//! Waiting: that a delivery does not leave although its attempt is due, and why, as readers see it.
//!
//! For a limit and a hold it is told from the delivery and from the flow of its subscription, and is stored nowhere. For the order
//! an engine knows.

use std::str::FromStr;

use super::Hold;
use crate::model::delivery::Delivery;
use crate::model::time::Timestamp;

/// Why a delivery waits although its attempt is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingReason {
    /// A limit of its subscription.
    Limit,
    /// An earlier delivery of its loan.
    Order,
    /// A hold of its subscription.
    Hold,
}

impl WaitingReason {
    pub const ALL: [Self; 3] = [Self::Limit, Self::Order, Self::Hold];

    /// Its word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Order => "order",
            Self::Hold => "hold",
        }
    }
}

/// What is no reason.
#[derive(Debug)]
pub struct UnknownWaitingReason;

impl FromStr for WaitingReason {
    type Err = UnknownWaitingReason;

    fn from_str(text: &str) -> Result<Self, UnknownWaitingReason> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or(UnknownWaitingReason)
    }
}

/// Why a delivery waits, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub reason: WaitingReason,
    pub since: Timestamp,
}

/// The flow of a subscription at this moment, as far as readers are told of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscriptionFlow {
    pub hold: Option<Hold>,
    /// Since when the hold is, or the one whose deliveries still leave at the pace of its end.
    pub waits_since: Option<Timestamp>,
    /// Whether a limit, of requests under way or of requests a second, holds back what is due. One that is not reached does not.
    pub is_limited: bool,
    /// Whether deliveries of a loan wait for earlier ones.
    pub is_ordered: bool,
}

impl SubscriptionFlow {
    /// For which limit or hold a delivery of the subscription waits at `now`; none where it does not.
    pub fn waiting(&self, delivery: &Delivery, now: Timestamp) -> Option<Waiting> {
        let due = delivery.progress.next_due().filter(|due| *due <= now)?;
        match self.waits_since {
            Some(held) => Some(Waiting { reason: WaitingReason::Hold, since: held.max(due) }),
            None => self.is_limited.then_some(Waiting { reason: WaitingReason::Limit, since: due }),
        }
    }
}
