//! Reservation: which bucket and which second after a hold a request was reserved in.
//!
//! A setting or a hold may come and go before what was reserved leaves or is given back. It then frees nothing of what others
//! reserved since.

use std::time::Instant;

/// What was taken for requests that are to begin. The default is that of a subscription without limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reservation {
    /// When the bucket was made that their tokens are of.
    pub(super) bucket: Option<Instant>,
    pub(super) paced_second: Option<PacedSecond>,
}

/// A second after a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PacedSecond {
    /// When memory heard of the end of the hold.
    pub(super) begin: Instant,
    /// Whole seconds after the end.
    pub(super) second: u64,
}
