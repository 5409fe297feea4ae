//! The engine in memory, under the contract.

use loanhook_contract::engine::{Engine, Kept};
use loanhook_contract::{contract, job_contract};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};
use loanhook_memory::{Memory, State, Stored};

contract!(crate::InMemory);
job_contract!(crate::InMemory);

struct InMemory(Memory);

/// Whether what the message is for is still to come.
fn wakes_something(state: &State, message: &QueueMessage) -> bool {
    match &message.work {
        DueWork::Attempt(number) => {
            let delivery = state.deliveries.get(&(message.tenant.clone(), message.trace_id));
            let next = delivery.and_then(|delivery| delivery.progress.waiting());
            next.is_none_or(|next| next.number <= *number)
        }
        DueWork::Resend { attempt_id, .. } => {
            let row = state.rows.get(&(message.tenant.clone(), *attempt_id));
            row.and_then(Stored::readable).is_none_or(|row| row.completion().is_none())
        }
    }
}

/// By this time all is due.
const END_OF_TIME: Timestamp = Timestamp::from_millis(i64::MAX);

impl Engine for InMemory {
    type Ports = Memory;

    async fn fresh() -> Self {
        Self(Memory::new())
    }

    fn ports(&self) -> &Memory {
        &self.0
    }

    async fn receive(&self) -> QueueMessage {
        let mut state = self.0.state();
        let first =
            state.messages.iter().enumerate().min_by_key(|(_, message)| message.due).map(|(place, _)| place);
        state.messages.remove(first.expect("a message"))
    }

    /// A message stays where a claim comes without it, and may be there twice: here each counts once, and only while it
    /// would still wake something.
    async fn drain(&self) -> Vec<QueueMessage> {
        let mut state = self.0.state();
        let mut taken = state.take_due(END_OF_TIME);
        taken.sort_by_key(|message| message.due);
        let mut all: Vec<QueueMessage> = Vec::new();
        for message in taken {
            if !all.contains(&message) && wakes_something(&state, &message) {
                all.push(message);
            }
        }
        all
    }

    fn put_row(&self, row: &Attempt) {
        self.0.state().overwrite_row(row.clone());
    }

    fn lose_row(&self, row: &Attempt) {
        self.0.state().lose_row(row);
    }

    fn lose_payload(&self, tenant: &TenantId, key: PayloadKey) {
        assert!(self.0.state().lose_payload(tenant, key));
    }

    fn spoil(&self, what: Kept<'_>) {
        let kept = match what {
            Kept::Row(row) => loanhook_memory::Kept::Row(row),
            Kept::Subscription(of) => loanhook_memory::Kept::Subscription(of),
            Kept::Key(_, hash) => loanhook_memory::Kept::Key(hash),
            Kept::Memory(tenant, loan) => loanhook_memory::Kept::TriggerState(tenant, loan),
            Kept::Event(event) => loanhook_memory::Kept::Event(event),
            Kept::Record(tenant, key) => loanhook_memory::Kept::EventRecord(tenant, key),
        };
        assert!(self.0.state().make_unreadable(kept), "there is nothing of {kept:?}");
    }

    /// It has nothing in memory beside what it keeps.
    fn restarted(self) -> Self {
        self
    }
}
