//! Waiting and holds as the API shows them.

use serde::Serialize;

use super::id::Timestamp;
use super::values::WaitingReason;
use loanhook_core::holds::ShownHold;
use loanhook_core::model::flow;

/// Why a delivery waits although its attempt is due, and since when.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct Waiting {
    reason: WaitingReason,
    since: Timestamp,
}

/// The hold of a webhook: its deliveries wait.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct Hold {
    /// `failures`, or the name of the key that held it.
    by: String,
    since: Timestamp,
    /// How many deliveries wait.
    waiting: u64,
}

impl From<flow::Waiting> for Waiting {
    fn from(flow::Waiting { reason, since }: flow::Waiting) -> Self {
        Self { reason: reason.into(), since: since.into() }
    }
}

impl From<ShownHold> for Hold {
    fn from(ShownHold { hold, waiting }: ShownHold) -> Self {
        Self { by: hold.by().to_owned(), since: hold.since.into(), waiting }
    }
}
