//! Things that cannot be read, or are gone: what tests do to the state past the ports.

use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::id::{LoanId, TenantId};
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::subscription::Subscription;

use super::state::{State, Stored};

/// Something that is kept.
#[derive(Debug, Clone, Copy)]
pub enum Kept<'a> {
    Row(&'a Attempt),
    /// The newest version.
    Subscription(&'a Subscription),
    Key(KeyHash),
    TriggerState(&'a TenantId, &'a LoanId),
    Event(&'a LedgerEvent),
    /// The record of an event's idempotency key.
    EventRecord(&'a TenantId, &'a str),
}

impl State {
    /// Makes what is kept unreadable. False if there is nothing of it.
    pub fn make_unreadable(&mut self, what: Kept<'_>) -> bool {
        let changed = match what {
            Kept::Row(row) => self.rows.get_mut(&(row.tenant.clone(), row.id)).map(Stored::make_unreadable),
            Kept::Subscription(of) => {
                let entry = self.subscriptions.get_mut(&(of.tenant.clone(), of.id));
                entry.map(|entry| entry.newest.make_unreadable())
            }
            Kept::Key(hash) => self.keys.get_mut(&hash.0).map(|entry| entry.key.make_unreadable()),
            Kept::TriggerState(tenant, loan) => {
                self.trigger_states.get_mut(&(tenant.clone(), loan.clone())).map(Stored::make_unreadable)
            }
            Kept::Event(event) => {
                self.events.get_mut(&(event.tenant.clone(), event.id)).map(Stored::make_unreadable)
            }
            Kept::EventRecord(tenant, key) => {
                let kept = self.event_records.get_mut(&(tenant.clone(), key.to_owned()));
                kept.map(|kept| kept.record.make_unreadable())
            }
        };
        changed.is_some()
    }

    /// Writes a row and nothing else.
    pub fn overwrite_row(&mut self, row: Attempt) {
        self.put_row(row);
    }

    /// Takes a row away and nothing else.
    pub fn lose_row(&mut self, row: &Attempt) {
        self.delete_row(row);
    }

    /// Takes the bytes of a payload away. False if there are none.
    pub fn lose_payload(&mut self, tenant: &TenantId, key: PayloadKey) -> bool {
        self.payloads.remove(&(tenant.clone(), key)).is_some()
    }
}
