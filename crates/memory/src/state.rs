//! The state of the engine: what it keeps, by the keys it is found by.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use bytes::Bytes;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::formula_errors::FormulaErrors;
use loanhook_core::model::grant::Grant;
use loanhook_core::model::id::{AttemptId, EventId, LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::trigger_state::TriggerState;
use loanhook_core::ports::{IdempotencyRecord, QueueMessage, StoreError, StoreResult};

use super::keys::KeyEntry;
use super::subscriptions::SubscriptionEntry;

/// A value that is kept, and whether it can be read: in an engine that stores text it may not be.
#[derive(Debug, Clone)]
pub struct Stored<T> {
    value: T,
    readable: bool,
}

/// A record of an idempotency key, and until when it is remembered.
#[derive(Debug, Clone)]
pub(super) struct KeptRecord<T> {
    pub(super) record: Stored<T>,
    pub(super) until: Timestamp,
}

/// All that the engine keeps.
#[derive(Debug, Default)]
pub struct State {
    pub deliveries: BTreeMap<(TenantId, TraceId), Delivery>,
    pub rows: BTreeMap<(TenantId, AttemptId), Stored<Attempt>>,
    pub events: BTreeMap<(TenantId, EventId), Stored<LedgerEvent>>,
    /// In the order in which they were put.
    pub messages: Vec<QueueMessage>,
    pub(super) payloads: HashMap<(TenantId, PayloadKey), Bytes>,
    pub(super) event_records: BTreeMap<(TenantId, String), KeptRecord<IdempotencyRecord>>,
    pub(super) resend_records: BTreeMap<(TenantId, String), KeptRecord<(TraceId, AttemptId)>>,
    pub(super) trigger_states: HashMap<(TenantId, LoanId), Stored<TriggerState>>,
    pub(super) subscriptions: BTreeMap<(TenantId, SubscriptionId), SubscriptionEntry>,
    pub(super) keys: BTreeMap<[u8; 32], KeyEntry>,
    /// Hashes of deleted keys: the environment does not bring them back.
    pub(super) deleted_keys: Vec<KeyHash>,
    pub(super) grants: BTreeMap<[u8; 32], Grant>,
    pub(super) formula_errors: BTreeMap<(TenantId, SubscriptionId), FormulaErrors>,
    pub(super) egress: BTreeMap<IpAddr, Timestamp>,
}

impl<T> Stored<T> {
    pub const fn new(value: T) -> Self {
        Self { value, readable: true }
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub fn read(&self) -> StoreResult<&T> {
        match self.readable {
            true => Ok(&self.value),
            false => Err(StoreError::Failed("what is stored cannot be read".into())),
        }
    }

    /// The value, where it can be read.
    pub fn readable(&self) -> Option<&T> {
        self.readable.then_some(&self.value)
    }

    pub(super) fn make_unreadable(&mut self) {
        self.readable = false;
    }
}

impl State {
    pub(super) fn delivery(&self, tenant: &TenantId, trace: TraceId) -> Option<&Delivery> {
        self.deliveries.get(&(tenant.clone(), trace))
    }

    pub(super) fn delivery_mut(&mut self, tenant: &TenantId, trace: TraceId) -> Option<&mut Delivery> {
        self.deliveries.get_mut(&(tenant.clone(), trace))
    }

    /// The row of a loan with this ID.
    pub(super) fn row(&self, tenant: &TenantId, loan: &LoanId, id: AttemptId) -> Option<&Stored<Attempt>> {
        self.rows.get(&(tenant.clone(), id)).filter(|row| row.value.loan_id == *loan)
    }

    pub(super) fn put_row(&mut self, row: Attempt) {
        self.rows.insert((row.tenant.clone(), row.id), Stored::new(row));
    }

    pub(super) fn delete_row(&mut self, row: &Attempt) {
        self.rows.remove(&(row.tenant.clone(), row.id));
    }

    /// Whether the bytes of a payload are there.
    pub fn has_payload(&self, tenant: &TenantId, key: PayloadKey) -> bool {
        self.payloads.contains_key(&(tenant.clone(), key))
    }

    pub(super) fn put_payload(&mut self, tenant: &TenantId, key: Option<PayloadKey>, bytes: &Bytes) {
        if let Some(key) = key {
            self.payloads.entry((tenant.clone(), key)).or_insert_with(|| bytes.clone());
        }
    }
}
