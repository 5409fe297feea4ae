//! The places that callers' connections take: so many in all, and so many from one address.
//!
//! Where all are taken, one connection has to go. A quarter of the places is for strangers: connections on which nobody
//! ever showed a key or a session, as every new one is at first. While strangers hold more, the oldest of them goes;
//! else the connection of a known caller that has rested longest, and where none rests, the one whose caller has been
//! waited for longest, for a body or for the reading of an answer. So strangers who hold connections keep no known
//! caller out, known callers keep no new one out, and a request that is whole is never broken off for another.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use loanhook_http::web::Group;
use tokio::sync::Notify;

use super::connection_state::{ConnectionState, Rank};

/// How many connections that were let go may still be on their way out.
const ON_THE_WAY_OUT: usize = 16;
/// How long those are waited for at most.
const PATIENCE: Duration = Duration::from_secs(1);
/// A quarter of the places is for strangers, and a quarter is not for one address.
const SHARE: usize = 4;

#[derive(Debug)]
struct Taken {
    state: Arc<ConnectionState>,
    group: Option<Group>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    /// By the order in which they came.
    taken: BTreeMap<u64, Taken>,
    of_groups: HashMap<Group, usize>,
    /// Those that were let go and are not closed yet.
    leaving: usize,
}

#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    table: Mutex<Table>,
    left: Notify,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { most, table: Mutex::default(), left: Notify::new() }
    }

    /// One address may take three quarters of all places.
    const fn most_of_a_group(&self) -> usize {
        self.most - self.most / SHARE
    }

    /// A place for a new connection; no group is a proxy that the operator trusts, which may take all. None where
    /// every connection that could be let go is at a request of somebody who may be here.
    pub(super) fn take(self: &Arc<Self>, group: Option<Group>, now: Instant) -> Option<Place> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let of_group = group.and_then(|group| table.of_groups.get(&group)).copied().unwrap_or_default();
        if of_group >= self.most_of_a_group() {
            table.let_one_go(group, self.most_of_a_group() / SHARE)?;
        } else if table.taken.len() >= self.most {
            table.let_one_go(None, self.most / SHARE)?;
        }
        let id = table.next;
        table.next += 1;
        let state = Arc::new(ConnectionState::new(now));
        table.taken.insert(id, Taken { state: Arc::clone(&state), group });
        if let Some(group) = group {
            *table.of_groups.entry(group).or_default() += 1;
        }
        drop(table);
        Some(Place { places: Arc::clone(self), id, state })
    }

    /// Waits while too many that were let go are not closed yet: they still hold descriptors.
    pub(super) async fn settled(&self) {
        let settled = async {
            loop {
                let left = self.left.notified();
                if self.table.lock().unwrap_or_else(PoisonError::into_inner).leaving <= ON_THE_WAY_OUT {
                    return;
                }
                left.await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, settled).await;
    }

    /// Lets one go because the system gives no more connections.
    pub(super) fn let_one_go(&self) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.let_one_go(None, self.most / SHARE);
    }
}

impl Table {
    /// Lets the one go that is missed least, of this group if one is given; so many strangers go only where nothing
    /// else can.
    fn let_one_go(&mut self, group: Option<Group>, strangers_kept: usize) -> Option<()> {
        let mut strangers = 0;
        let mut oldest_stranger = None;
        let mut chosen: Option<(Rank, u64)> = None;
        for (id, taken) in &self.taken {
            if group.is_some() && taken.group != group {
                continue;
            }
            match taken.state.rank() {
                None => {}
                Some(Rank::Stranger) => {
                    oldest_stranger = oldest_stranger.or(Some(*id));
                    strangers += 1;
                    // No other one is missed less.
                    if strangers > strangers_kept {
                        chosen = None;
                        break;
                    }
                }
                Some(rank) if chosen.is_none_or(|(least, _)| rank < least) => chosen = Some((rank, *id)),
                Some(_) => {}
            }
        }
        let id = chosen.map(|(_, id)| id).or(oldest_stranger)?;
        let taken = self.remove(id)?;
        self.leaving += 1;
        taken.state.let_go();
        Some(())
    }

    fn remove(&mut self, id: u64) -> Option<Taken> {
        let taken = self.taken.remove(&id)?;
        if let Some(group) = taken.group
            && let Some(count) = self.of_groups.get_mut(&group)
        {
            *count -= 1;
            if *count == 0 {
                self.of_groups.remove(&group);
            }
        }
        Some(taken)
    }
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    id: u64,
    pub(super) state: Arc<ConnectionState>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.places.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.remove(self.id).is_none() {
            // It was let go, and is out now.
            table.leaving -= 1;
        }
        drop(table);
        self.places.left.notify_one();
    }
}

#[cfg(test)]
#[path = "connection_permits_tests.rs"]
mod tests;
