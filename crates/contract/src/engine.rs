//! Engine under test: what it must offer to the cases.

use std::future::Future;

use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::id::{LoanId, TenantId};
use loanhook_core::model::key::{Key, KeyHash};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::{
    Attempts, Deliveries, DeliveryList, EgressAddresses, FlowControl, FormulaErrorLog, Grants, Intake, Keys,
    Ledger, Payloads, Queue, QueueMessage, Reports, Resends, Subscriptions,
};

/// All ports at once.
pub trait Ports:
    Intake
    + Deliveries
    + DeliveryList
    + Attempts
    + Resends
    + Payloads
    + Queue
    + Subscriptions
    + Keys
    + Grants
    + FormulaErrorLog
    + EgressAddresses
    + FlowControl
    + Ledger
    + Reports
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<T> Ports for T where
    T: Intake
        + Deliveries
        + DeliveryList
        + Attempts
        + Resends
        + Payloads
        + Queue
        + Subscriptions
        + Keys
        + Grants
        + FormulaErrorLog
        + EgressAddresses
        + FlowControl
        + Ledger
        + Reports
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// An engine under test: its ports, the far end of its queue, and what a crash can leave behind in it.
pub trait Engine: Sized {
    type Ports: Ports;

    /// Why it cannot be put to the test here.
    fn missing() -> Option<&'static str> {
        None
    }

    /// One with nothing in it.
    fn fresh() -> impl Future<Output = Self>;

    fn ports(&self) -> &Self::Ports;

    /// Takes the next message that is due off the queue; waits for one.
    fn receive(&self) -> impl Future<Output = QueueMessage>;

    /// Takes every message that is due off the queue.
    fn drain(&self) -> impl Future<Output = Vec<QueueMessage>>;

    /// Writes a row and nothing else, as a settle that stopped after its row leaves it.
    fn put_row(&self, row: &Attempt);

    /// Takes a row away, as a claim that stopped before its row leaves it.
    fn lose_row(&self, row: &Attempt);

    /// Takes the bytes of a payload away.
    fn lose_payload(&self, tenant: &TenantId, key: PayloadKey);

    /// Waits for what no answer waits for, as far as its effect cannot be seen before it is done.
    fn finish(&self) -> impl Future<Output = ()> {
        std::future::ready(())
    }

    /// Counts what was not counted yet, where that does not happen with what is counted.
    fn count(&self) -> impl Future<Output = ()> {
        std::future::ready(())
    }

    /// Has the messages that are due looked at, where that notes what a limit or a hold forbids; the others stay in the queue.
    fn note_waiting(&self) -> impl Future<Output = ()> {
        std::future::ready(())
    }

    /// Whether the count of what waits of a subscription has those that wait for an earlier delivery of their loan.
    fn counts_what_waits_for_order() -> bool {
        true
    }

    /// Makes what is kept of this something that cannot be read.
    fn spoil(&self, what: Kept<'_>);

    /// The engine as it is after a start, with what it keeps and nothing in memory.
    fn restarted(self) -> Self;
}

/// What an engine keeps.
#[derive(Debug, Clone, Copy)]
pub enum Kept<'a> {
    Row(&'a Attempt),
    Subscription(&'a Subscription),
    Key(&'a Key, KeyHash),
    /// What a loan's triggers were.
    Memory(&'a TenantId, &'a LoanId),
    Event(&'a LedgerEvent),
    /// The record of an event's idempotency key.
    Record(&'a TenantId, &'a str),
}
