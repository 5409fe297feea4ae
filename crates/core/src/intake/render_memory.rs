//! Memory for rendered requests: how much of it all events of this process may take until they are stored.
//!
//! An event may match 200 subscriptions, and each of them may render a megabyte, so a batch of events could take
//! more memory than there is. So what an event will render to, at most, is reserved before it is rendered; an event
//! for which there is no room waits for those before it, and is refused as busy where that takes too long.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::ports::{StoreError, StoreResult};

/// The unit in which memory is reserved, in bytes.
const UNIT_BYTES: usize = 1024;
/// The memory that rendered requests may take in this process: 64 MiB. One event alone takes 41 MiB at most.
const TOTAL_UNITS: usize = 64 * 1024;
/// The time that an event waits for memory before it is refused.
const MAX_WAIT: Duration = Duration::from_secs(10);

static FREE_UNITS: Semaphore = Semaphore::const_new(TOTAL_UNITS);

/// How much of it is free, in units of a KiB.
#[cfg(test)]
pub(super) fn free_units() -> usize {
    FREE_UNITS.available_permits()
}

/// Reserves memory for what renders to so many bytes at most; it is free again when this is dropped.
///
/// # Errors
///
/// [`StoreError::Busy`] where there is no room for it in time.
pub(super) async fn reserve(bytes: usize) -> StoreResult<SemaphorePermit<'static>> {
    let units = u32::try_from(bytes.div_ceil(UNIT_BYTES).min(TOTAL_UNITS)).unwrap_or(u32::MAX);
    let reserved = timeout(MAX_WAIT, FREE_UNITS.acquire_many(units)).await;
    reserved.ok().and_then(Result::ok).ok_or(StoreError::Busy)
}
