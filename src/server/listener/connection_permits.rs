//! Permits for the connections of callers: a bounded number in all, and three quarters of it from one address.
//!
//! When all permits are held, a new connection evicts an older one. A quarter of the permits is for unauthenticated
//! connections: those on which no request ever showed a valid key or session, as it is with every new one. While more
//! are unauthenticated, the oldest of them is evicted. Otherwise it is the authenticated connection that has been idle
//! longest, or, if none is idle, the one that has waited longest for its caller to send a body or to read a response.
//!
//! So unauthenticated connections keep no authenticated caller out, authenticated callers keep no new connection out,
//! and a complete request with a valid key is never broken off for another connection.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use loanhook_http::web::AddressGroup;
use tokio::sync::Notify;

use super::connection_state::{ConnectionState, EvictionRank};

/// How many evicted connections may still be open before a new one has to wait for them.
const MAX_EVICTED_STILL_OPEN: usize = 16;
/// The longest time that a new connection waits for evicted ones to close.
const EVICTED_CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// A quarter of the permits is for unauthenticated connections, and a quarter is not for one address.
const QUARTER_DIVISOR: usize = 4;

#[derive(Debug)]
struct HeldPermit {
    state: Arc<ConnectionState>,
    group: Option<AddressGroup>,
}

#[derive(Debug, Default)]
struct PermitTable {
    next_id: u64,
    /// By ID, which is the order in which the connections came.
    held: BTreeMap<u64, HeldPermit>,
    held_by_group: HashMap<AddressGroup, usize>,
    /// Connections that were evicted and are not closed yet.
    evicted_still_open: usize,
}

#[derive(Debug)]
pub(super) struct ConnectionPermits {
    max_connections: usize,
    table: Mutex<PermitTable>,
    connection_closed: Notify,
}

impl ConnectionPermits {
    pub(super) fn new(max_connections: usize) -> Self {
        Self { max_connections, table: Mutex::default(), connection_closed: Notify::new() }
    }

    fn table(&self) -> MutexGuard<'_, PermitTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Three quarters of all permits.
    const fn max_connections_of_a_group(&self) -> usize {
        self.max_connections - self.max_connections / QUARTER_DIVISOR
    }

    /// A permit for a new connection, for which another may be evicted. Without a group, which is how connections of
    /// trusted proxies come, all permits may be held. None where no connection may be evicted, because each has an
    /// authenticated request that is complete and being answered.
    pub(super) fn acquire(
        self: &Arc<Self>,
        group: Option<AddressGroup>,
        now: Instant,
    ) -> Option<ConnectionPermit> {
        let mut table = self.table();
        let held_by_group = group.and_then(|group| table.held_by_group.get(&group)).copied().unwrap_or(0);
        let max_of_a_group = self.max_connections_of_a_group();
        if held_by_group >= max_of_a_group {
            table.evict_one(group, max_of_a_group / QUARTER_DIVISOR)?;
        } else if table.held.len() >= self.max_connections {
            table.evict_one(None, self.max_connections / QUARTER_DIVISOR)?;
        }
        let id = table.next_id;
        table.next_id += 1;
        let state = Arc::new(ConnectionState::new(now));
        table.held.insert(id, HeldPermit { state: Arc::clone(&state), group });
        if let Some(group) = group {
            *table.held_by_group.entry(group).or_default() += 1;
        }
        drop(table);
        Some(ConnectionPermit { permits: Arc::clone(self), id, state })
    }

    /// Waits, for [`EVICTED_CLOSE_TIMEOUT`] at most, while too many evicted connections are still open: each has a file
    /// descriptor.
    pub(super) async fn wait_for_evicted(&self) {
        let few_are_open = async {
            loop {
                let closed = self.connection_closed.notified();
                if self.table().evicted_still_open <= MAX_EVICTED_STILL_OPEN {
                    return;
                }
                closed.await;
            }
        };
        let _ = tokio::time::timeout(EVICTED_CLOSE_TIMEOUT, few_are_open).await;
    }

    /// Evicts a connection because the system gives no more of them.
    pub(super) fn evict_one(&self) {
        self.table().evict_one(None, self.max_connections / QUARTER_DIVISOR);
    }
}

impl PermitTable {
    /// Evicts one connection, of `group` if one is given. Where at most `unauthenticated_quota` connections are
    /// unauthenticated, one of them is evicted only if no other connection may be.
    fn evict_one(&mut self, group: Option<AddressGroup>, unauthenticated_quota: usize) -> Option<()> {
        let mut unauthenticated = 0;
        let mut oldest_unauthenticated = None;
        let mut lowest: Option<(EvictionRank, u64)> = None;
        for (id, held) in &self.held {
            if group.is_some() && held.group != group {
                continue;
            }
            match held.state.eviction_rank() {
                None => {}
                Some(EvictionRank::Unauthenticated) => {
                    oldest_unauthenticated = oldest_unauthenticated.or(Some(*id));
                    unauthenticated += 1;
                    // No other connection comes before the oldest of these.
                    if unauthenticated > unauthenticated_quota {
                        lowest = None;
                        break;
                    }
                }
                Some(rank) if lowest.is_none_or(|(lowest, _)| rank < lowest) => lowest = Some((rank, *id)),
                Some(_) => {}
            }
        }
        let id = lowest.map(|(_, id)| id).or(oldest_unauthenticated)?;
        let evicted = self.remove(id)?;
        self.evicted_still_open += 1;
        evicted.state.evict();
        Some(())
    }

    fn remove(&mut self, id: u64) -> Option<HeldPermit> {
        let removed = self.held.remove(&id)?;
        if let Some(group) = removed.group
            && let Some(count) = self.held_by_group.get_mut(&group)
        {
            *count -= 1;
            if *count == 0 {
                self.held_by_group.remove(&group);
            }
        }
        Some(removed)
    }
}

/// A permit, held until this is dropped, which must not be before the connection is closed.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    permits: Arc<ConnectionPermits>,
    id: u64,
    pub(super) state: Arc<ConnectionState>,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut table = self.permits.table();
        if table.remove(self.id).is_none() {
            // The connection was evicted, and is closed now.
            table.evicted_still_open -= 1;
        }
        drop(table);
        self.permits.connection_closed.notify_one();
    }
}

#[cfg(test)]
#[path = "connection_permits_tests.rs"]
mod tests;
