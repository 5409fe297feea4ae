//! Queue between the engine and the workers: messages come at least once, in no order, and come again where they were not
//! acknowledged.

use std::time::Duration;

use fastrand::Rng;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};

use crate::faults::Fault;
use crate::world::Inner;

/// How long a message that a worker took is hidden from others.
const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(120);

struct Entry {
    id: u64,
    message: QueueMessage,
    visible_at: Timestamp,
}

/// The messages that were not acknowledged yet.
#[derive(Default)]
pub(crate) struct SimulatedQueue {
    entries: Vec<Entry>,
    next_id: u64,
}

impl SimulatedQueue {
    fn add(&mut self, message: QueueMessage, visible_at: Timestamp) {
        self.next_id += 1;
        self.entries.push(Entry { id: self.next_id, message, visible_at });
    }

    /// Takes one of the messages that are visible, whichever.
    pub(crate) fn receive(&mut self, rng: &mut Rng, now: Timestamp) -> Option<(u64, QueueMessage)> {
        let visible: Vec<_> = self.entries.iter_mut().filter(|entry| entry.visible_at <= now).collect();
        let chosen = if visible.is_empty() { return None } else { rng.usize(..visible.len()) };
        let entry = visible.into_iter().nth(chosen)?;
        entry.visible_at = now + VISIBILITY_TIMEOUT;
        Some((entry.id, entry.message.clone()))
    }

    /// A message was handled: it does not come again.
    pub(crate) fn acknowledge(&mut self, id: u64) {
        self.entries.retain(|entry| entry.id != id);
    }

    /// A message could not be handled: it comes again at this time.
    pub(crate) fn return_at(&mut self, id: u64, at: Timestamp) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.visible_at = at;
        }
    }

    /// Loses messages for ever, which a queue never does: only a deliberate error asks for it.
    pub(crate) fn lose(&mut self, lost: impl Fn(&QueueMessage) -> bool) {
        self.entries.retain(|entry| !lost(&entry.message));
    }

    pub(crate) fn next_visible(&self) -> Option<Timestamp> {
        self.entries.iter().map(|entry| entry.visible_at).min()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a message of this delivery is still to be acknowledged.
    pub(crate) fn wakes(&self, wanted: impl Fn(&QueueMessage) -> bool) -> bool {
        self.entries.iter().any(|entry| wanted(&entry.message))
    }
}

impl Inner {
    /// Takes a message that the engine put, with what may happen to it on its way.
    pub(crate) fn queue_message(&mut self, message: QueueMessage) {
        let now = Timestamp::now();
        let mut visible_at = message.due.max(now);
        let name = |trace: &mut crate::trace::Trace| match &message.work {
            DueWork::Attempt(number) => format!("{}#{number}", trace.delivery(message.trace_id)),
            DueWork::Resend { attempt_id, .. } => format!("resend {}", trace.attempt(*attempt_id)),
        };
        self.trace.line(&self.current.name, |trace| {
            format!("queues {} for {}", name(trace), crate::trace::elapsed(message.due))
        });
        if self.fault(Fault::MessageDuplicated) {
            let later = visible_at.plus_millis(self.rng.i64(..600_000));
            self.queue.add(message.clone(), later);
        }
        if self.fault(Fault::MessageEarly) {
            let wait = visible_at.since(now).as_millis();
            visible_at = now.plus_millis(self.rng.i64(..=i64::try_from(wait).unwrap_or(i64::MAX)));
        }
        if self.fault(Fault::MessageDelayed) {
            visible_at = visible_at.plus_millis(self.rng.i64(..900_000));
        }
        if self.fault(Fault::MessageLost) {
            visible_at = visible_at.plus_millis(self.rng.i64(600_000..14_400_000));
        }
        self.queue.add(message, visible_at);
    }
}
