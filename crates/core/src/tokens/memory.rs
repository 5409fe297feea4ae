//! Tokens in the memory of one process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use crate::model::time::Timestamp;
use crate::ports::{BeginFetchOutcome, FetchLease, FetchOutcome, StoreResult, TokenKey, TokenRecord, Tokens};

/// More keys than these are not kept: those that are no more of use are forgotten first, then any.
const MAX_KEYS: usize = 10_000;

/// Tokens of one process, lost with it.
#[derive(Debug, Default)]
pub struct MemoryTokens(Mutex<HashMap<TokenKey, Entry>>);

#[derive(Debug)]
struct Entry {
    outcome: Option<FetchOutcome>,
    lease: Option<FetchLease>,
    generation: watch::Sender<u64>,
}

impl Default for Entry {
    fn default() -> Self {
        Self { outcome: None, lease: None, generation: watch::Sender::new(0) }
    }
}

impl Entry {
    fn record(&self) -> TokenRecord {
        TokenRecord {
            generation: *self.generation.borrow(),
            outcome: self.outcome.clone(),
            fetching_until: self.lease.map(|lease| lease.until),
        }
    }

    /// Whether it can still be of use.
    fn is_useful(&self, now: Timestamp) -> bool {
        let token = self.outcome.as_ref().and_then(|outcome| outcome.result.as_ref().ok());
        token.is_some_and(|token| now < token.use_until) || self.lease.is_some_and(|lease| now < lease.until)
    }
}

impl MemoryTokens {
    fn lock(&self) -> MutexGuard<'_, HashMap<TokenKey, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room(entries: &mut HashMap<TokenKey, Entry>, now: Timestamp) {
    if entries.len() < MAX_KEYS {
        return;
    }
    entries.retain(|_, entry| entry.is_useful(now));
    if entries.len() >= MAX_KEYS {
        entries.retain(|_, entry| entry.lease.is_some());
    }
}

impl Tokens for MemoryTokens {
    async fn token(&self, key: &TokenKey) -> StoreResult<TokenRecord> {
        Ok(self.lock().get(key).map(Entry::record).unwrap_or_default())
    }

    async fn begin_fetch(
        &self,
        key: &TokenKey,
        generation: u64,
        lease: FetchLease,
        now: Timestamp,
    ) -> StoreResult<BeginFetchOutcome> {
        let mut entries = self.lock();
        make_room(&mut entries, now);
        let entry = entries.entry(key.clone()).or_default();
        // An entry that was forgotten begins anew, at whatever generation its caller has seen.
        let is_known = *entry.generation.borrow() > 0 || entry.lease.is_some();
        let is_leased = entry.lease.is_some_and(|lease| now < lease.until);
        if is_leased || (is_known && *entry.generation.borrow() != generation) {
            return Ok(BeginFetchOutcome::NotBegun(entry.record()));
        }
        entry.lease = Some(lease);
        Ok(BeginFetchOutcome::Begun)
    }

    async fn extend_fetch(&self, key: &TokenKey, lease: FetchLease) -> StoreResult<()> {
        let mut entries = self.lock();
        let current = entries.get_mut(key).and_then(|entry| entry.lease.as_mut());
        if let Some(current) = current.filter(|current| current.fetch == lease.fetch) {
            current.until = lease.until;
        }
        Ok(())
    }

    async fn end_fetch(&self, key: &TokenKey, fetch: Uuid, outcome: Option<FetchOutcome>) -> StoreResult<()> {
        let mut entries = self.lock();
        if let Some(entry) = entries.get_mut(key)
            && entry.lease.is_some_and(|lease| lease.fetch == fetch)
        {
            entry.lease = None;
            entry.outcome = outcome;
            entry.generation.send_modify(|generation| *generation += 1);
        }
        Ok(())
    }

    async fn fetch_ended(&self, key: &TokenKey, generation: u64) {
        let Some(mut generations) = self.lock().get(key).map(|entry| entry.generation.subscribe()) else {
            return;
        };
        // It ends too where the entry is forgotten.
        generations.wait_for(|current| *current != generation).await.ok();
    }
}
