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
/// With more messages than this, none is put twice any more: copies would make copies without end.
const MAX_MESSAGES_FOR_COPIES: usize = 60;
/// A message that is due sooner does not come early any more.
const MIN_WAIT_FOR_EARLY_MILLIS: i64 = 1000;

/// The receipt of a message: whoever received it later has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) id: u64,
    received: u32,
}

struct Entry {
    receipt: Receipt,
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
        let receipt = Receipt { id: self.next_id, received: 0 };
        self.entries.push(Entry { receipt, message, visible_at });
    }

    /// Takes one of the messages that are visible, whichever of those that may be handed out.
    pub(crate) fn receive(
        &mut self,
        rng: &mut Rng,
        now: Timestamp,
        mut may_be_handed_out: impl FnMut(&QueueMessage) -> bool,
    ) -> Option<(Receipt, QueueMessage)> {
        let visible = self.entries.iter_mut().filter(|entry| entry.visible_at <= now);
        let ready: Vec<_> = visible.filter(|entry| may_be_handed_out(&entry.message)).collect();
        let chosen = if ready.is_empty() { return None } else { rng.usize(..ready.len()) };
        let entry = ready.into_iter().nth(chosen)?;
        entry.visible_at = now + VISIBILITY_TIMEOUT;
        entry.receipt.received += 1;
        Some((entry.receipt, entry.message.clone()))
    }

    /// A message was handled: it does not come again, unless another received it meanwhile.
    pub(crate) fn acknowledge(&mut self, receipt: Receipt) {
        self.entries.retain(|entry| entry.receipt != receipt);
    }

    /// A message could not be handled: it comes again at this time.
    pub(crate) fn return_at(&mut self, receipt: Receipt, at: Timestamp) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.receipt == receipt) {
            entry.visible_at = at;
        }
    }

    /// Loses messages for ever, which a queue never does: only a deliberate error asks for it.
    pub(crate) fn lose(&mut self, lost: impl Fn(&QueueMessage) -> bool) {
        self.entries.retain(|entry| !lost(&entry.message));
    }

    /// When the next message can be handed out, where `time_of` says that of one that is visible.
    pub(crate) fn next_time(
        &self,
        now: Timestamp,
        mut time_of: impl FnMut(&QueueMessage) -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        let times = self.entries.iter().filter_map(|entry| match entry.visible_at > now {
            true => Some(entry.visible_at),
            false => time_of(&entry.message),
        });
        times.min()
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
        if self.queue.entries.len() < MAX_MESSAGES_FOR_COPIES && self.fault(Fault::MessageDuplicated) {
            let later = visible_at.plus_millis(self.rng.i64(..600_000));
            self.queue.add(message.clone(), later);
        }
        let wait = i64::try_from(visible_at.since(now).as_millis()).unwrap_or(i64::MAX);
        if wait > MIN_WAIT_FOR_EARLY_MILLIS && self.fault(Fault::MessageEarly) {
            visible_at = now.plus_millis(self.rng.i64(..wait));
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
