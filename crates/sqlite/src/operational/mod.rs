//! Operational events: states of subscriptions and the outbox, in the transactions of what they tell.
//!
//! 1. The operation that ends an attempt, ends a delivery, changes a hold or saves a job records what that tells
//!    (`recording`): the state of the subscription after it (`rows`), and events in the outbox.
//! 2. After the commit [`OperationalStates::follow`] wakes the task of the process, and takes over which subscriptions fail.
//! 3. The task asks for what time has brought (`time`), and takes the outbox in (`loanhook_core::operational`).
//!
//! A success of a subscription that does not fail reads and writes nothing: which ones may fail is in memory.

mod outbox;
mod recording;
mod rows;
mod subscriptions;
mod time;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Notify;

use super::cache::Cache;
use loanhook_core::model::id::SubscriptionId;

pub(crate) use recording::Ended;
pub(crate) use rows::shift;
pub(crate) use subscriptions::{record_deleted, record_replaced};

/// What is known of operational states beside the file.
pub(crate) struct OperationalStates {
    /// Who is told.
    cache: Arc<Cache>,
    /// The subscriptions that may have failures in a row: those that have some as committed, and those of which the commit that is
    /// under way, or one that failed, has recorded some.
    failing: Mutex<HashSet<SubscriptionId>>,
    /// Something is in the outbox, or is due at another time than before.
    changed: Notify,
    /// How long exhausted deliveries are gathered.
    exhausted_window: Duration,
}

/// What an operation recorded, for after its commit.
#[derive(Debug, Clone, Default)]
#[must_use]
pub(crate) struct Recorded {
    /// The subscription whose failures were recorded, and whether there are some.
    failing: Option<(SubscriptionId, bool)>,
    /// Whether the task has something to do.
    pub(crate) wakes: bool,
}

impl OperationalStates {
    /// The states of a file.
    pub(crate) fn load(
        connection: &Connection,
        cache: Arc<Cache>,
        exhausted_window: Duration,
    ) -> rusqlite::Result<Self> {
        let failing = rows::states(connection)?.into_iter();
        let failing = failing.filter(|(.., state)| state.failing.is_some()).map(|(_, id, _)| id).collect();
        Ok(Self { cache, failing: Mutex::new(failing), changed: Notify::new(), exhausted_window })
    }

    fn failing(&self) -> MutexGuard<'_, HashSet<SubscriptionId>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows, after the commit, what an operation recorded.
    pub(crate) fn follow(&self, recorded: &Recorded) {
        match recorded.failing {
            Some((id, true)) => drop(self.failing().insert(id)),
            Some((id, false)) => drop(self.failing().remove(&id)),
            None => {}
        }
        if recorded.wakes {
            self.changed.notify_one();
        }
    }

    /// Waits until the task has something to do that it had not when this was last ready.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

#[cfg(test)]
mod tests;
