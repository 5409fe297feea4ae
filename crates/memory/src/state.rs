//! The state of the engine: what it keeps, by the keys it is found by.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use bytes::Bytes;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::FlowState;
use loanhook_core::model::formula_errors::FormulaErrors;
use loanhook_core::model::grant::Grant;
use loanhook_core::model::id::{AttemptId, EventId, JobId, LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::job::{Job, JobChunk};
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::report::{CountChange, CountGroup, Counting, Counts};
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::trigger_state::TriggerState;
use loanhook_core::ports::{IdempotencyRecord, JobRecord, QueueMessage, StoreError, StoreResult};

use super::keys::KeyEntry;
use super::order::OrderedLoan;
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
    pub counts: BTreeMap<CountGroup, Counts>,
    pub(super) payloads: HashMap<(TenantId, PayloadKey), Bytes>,
    pub(super) event_records: BTreeMap<(TenantId, String), KeptRecord<IdempotencyRecord>>,
    pub(super) resend_records: BTreeMap<(TenantId, String), KeptRecord<(TraceId, AttemptId)>>,
    pub(super) trigger_states: HashMap<(TenantId, LoanId), Stored<TriggerState>>,
    pub(super) subscriptions: BTreeMap<(TenantId, SubscriptionId), SubscriptionEntry>,
    pub(super) keys: BTreeMap<[u8; 32], KeyEntry>,
    /// Hashes of deleted keys: the environment does not bring them back.
    pub(super) deleted_keys: Vec<KeyHash>,
    pub jobs: BTreeMap<(TenantId, JobId), Job>,
    pub job_chunks: BTreeMap<(TenantId, JobId, u32), JobChunk>,
    pub(super) job_records: BTreeMap<(TenantId, String), KeptRecord<JobRecord>>,
    pub(super) grants: BTreeMap<[u8; 32], Grant>,
    pub flow_states: BTreeMap<(TenantId, SubscriptionId), FlowState>,
    /// The last number that was given, for each loan and subscription.
    pub(super) sequences: HashMap<OrderedLoan, u64>,
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

    /// Stores a delivery that is not there yet, and counts it; gives the one that then stands. One that is promised is numbered, where
    /// its subscription keeps an order.
    pub(super) fn put_delivery(&mut self, delivery: &Delivery, promised: bool) -> Delivery {
        let of = (delivery.snapshot.tenant.clone(), delivery.snapshot.trace_id);
        if let Some(stands) = self.deliveries.get(&of) {
            return stands.clone();
        }
        let mut delivery = delivery.clone();
        delivery.snapshot.sequence = if promised { self.take_sequence(&delivery) } else { None };
        self.deliveries.insert(of, delivery.clone());
        self.count(Counting::ALL.delivery(None, Some(&delivery)));
        delivery
    }

    /// Changes a delivery, and counts what became of it. None where there is none.
    pub(super) fn change_delivery<T>(
        &mut self,
        (tenant, trace): (&TenantId, TraceId),
        change: impl FnOnce(&mut Delivery) -> T,
    ) -> Option<T> {
        let delivery = self.deliveries.get_mut(&(tenant.clone(), trace))?;
        let before = delivery.clone();
        let changed = change(delivery);
        let change = Counting::ALL.delivery(Some(&before), Some(delivery));
        self.count(change);
        Some(changed)
    }

    /// Takes a delivery away again that nobody has heard of.
    pub(super) fn take_back_delivery(&mut self, tenant: &TenantId, trace: TraceId) {
        let taken = self.deliveries.remove(&(tenant.clone(), trace));
        self.count(Counting::ALL.delivery(taken.as_ref(), None));
    }

    /// The row of a loan with this ID.
    pub(super) fn row(&self, tenant: &TenantId, loan: &LoanId, id: AttemptId) -> Option<&Stored<Attempt>> {
        self.rows.get(&(tenant.clone(), id)).filter(|row| row.value.loan_id == *loan)
    }

    /// Stores a row in the place of the one with its ID, and counts what became of it.
    pub(super) fn put_row(&mut self, row: Attempt) {
        let before = self.rows.get(&(row.tenant.clone(), row.id)).and_then(Stored::readable);
        let changes: Vec<_> = Counting::ALL.attempt(before, &row).collect();
        self.count(changes);
        self.rows.insert((row.tenant.clone(), row.id), Stored::new(row));
    }

    pub(super) fn delete_row(&mut self, row: &Attempt) {
        self.rows.remove(&(row.tenant.clone(), row.id));
    }

    /// Stores an event that is not there yet, and counts it.
    pub(super) fn put_event(&mut self, event: LedgerEvent) {
        let of = (event.tenant.clone(), event.id);
        if !self.events.contains_key(&of) {
            self.count(Counting::ALL.event(&event));
            self.events.insert(of, Stored::new(event));
        }
    }

    fn count(&mut self, changes: impl IntoIterator<Item = CountChange>) {
        for CountChange { group, counts } in changes {
            self.counts.entry(group).or_default().add(&counts);
        }
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
