//! The queue and its scheduler.

pub(crate) mod fair_shares;
pub(crate) mod queue_states;
pub(crate) mod scheduler;
