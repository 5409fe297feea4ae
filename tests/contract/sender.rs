//! Senders that send nothing, and answer as a case says.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use loanhook::model::attempt::AttemptNumber;
use loanhook::ports::{Outgoing, Sender, Sent};
use tokio::sync::Semaphore;

use crate::scene::SECOND;

/// Answers at once, with the next status of its script, and keeps what it was asked to send.
pub(crate) struct Scripted {
    script: Mutex<VecDeque<u16>>,
    /// When the script is at its end.
    then: u16,
    sent: Mutex<Vec<Outgoing>>,
}

impl Scripted {
    pub(crate) fn always(status: u16) -> Self {
        Self { script: Mutex::default(), then: status, sent: Mutex::default() }
    }

    pub(crate) fn script(self, statuses: &[u16]) -> Self {
        lock(&self.script).extend(statuses);
        self
    }

    /// What was sent, in its order; forgets it.
    pub(crate) fn take_sent(&self) -> Vec<Outgoing> {
        std::mem::take(&mut *lock(&self.sent))
    }

    /// The numbers of what was sent, in its order.
    pub(crate) fn numbers(&self) -> Vec<AttemptNumber> {
        lock(&self.sent).iter().map(|outgoing| outgoing.number).collect()
    }
}

impl Sender for Scripted {
    async fn send(&self, outgoing: Outgoing) -> Sent {
        lock(&self.sent).push(outgoing);
        answer(lock(&self.script).pop_front().unwrap_or(self.then))
    }
}

/// Takes a request and answers it only when it is let go.
pub(crate) struct Held {
    pub(crate) taken: Semaphore,
    pub(crate) let_go: Semaphore,
}

impl Held {
    pub(crate) fn new() -> Self {
        Self { taken: Semaphore::new(0), let_go: Semaphore::new(0) }
    }
}

impl Sender for Held {
    async fn send(&self, _: Outgoing) -> Sent {
        self.taken.add_permits(1);
        self.let_go.acquire().await.expect("open").forget();
        answer(200)
    }
}

fn answer(status: u16) -> Sent {
    Sent { elapsed: SECOND, source_ip: None, result: Ok(status), received: None }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
