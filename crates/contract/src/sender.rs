//! Senders that send nothing, and answer as a case says.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::ports::{NotSent, ReceivedResponse, SendOutcome, Sender, WebhookRequest};
use tokio::sync::Semaphore;

use crate::scene::SECOND;

/// The headers that servers commonly answer with.
pub const TYPICAL: [(&str, &str); 5] = [
    ("date", "Mon, 23 Nov 2026 10:00:00 GMT"),
    ("content-type", "application/json; charset=utf-8"),
    ("content-length", "6"),
    ("connection", "keep-alive"),
    ("server", "nginx/1.29.3"),
];

/// Answers at once, with the next status of its script, and keeps what it was asked to send.
pub struct Scripted {
    script: Mutex<VecDeque<u16>>,
    /// When the script is at its end.
    then: u16,
    /// The body of every answer.
    says: Option<&'static str>,
    sent: Mutex<Vec<WebhookRequest>>,
}

impl Scripted {
    pub fn always(status: u16) -> Self {
        Self { script: Mutex::default(), then: status, says: None, sent: Mutex::default() }
    }

    pub fn script(self, statuses: &[u16]) -> Self {
        lock(&self.script).extend(statuses);
        self
    }

    pub fn saying(self, body: &'static str) -> Self {
        Self { says: Some(body), ..self }
    }

    /// What was sent, in its order; forgets it.
    pub fn take_sent(&self) -> Vec<WebhookRequest> {
        std::mem::take(&mut *lock(&self.sent))
    }

    /// The numbers of what was sent, in its order.
    pub fn numbers(&self) -> Vec<AttemptNumber> {
        lock(&self.sent).iter().map(|request| request.number).collect()
    }
}

impl Sender for Scripted {
    async fn send(&self, request: WebhookRequest) -> Result<SendOutcome, NotSent> {
        lock(&self.sent).push(request);
        let received = self.says.map(|body| ReceivedResponse {
            headers: TYPICAL.map(|(name, value)| (name.into(), value.into())).into(),
            headers_truncated: false,
            headers_dropped: 0,
            body: Bytes::from_static(body.as_bytes()),
            truncated: false,
        });
        Ok(SendOutcome { response: received, ..answer(lock(&self.script).pop_front().unwrap_or(self.then)) })
    }
}

/// Takes a request and answers it only when it is let go.
pub struct Held {
    pub taken: Semaphore,
    pub let_go: Semaphore,
}

impl Default for Held {
    fn default() -> Self {
        Self { taken: Semaphore::new(0), let_go: Semaphore::new(0) }
    }
}

impl Sender for Held {
    async fn send(&self, _: WebhookRequest) -> Result<SendOutcome, NotSent> {
        self.taken.add_permits(1);
        self.let_go.acquire().await.expect("open").forget();
        Ok(answer(200))
    }
}

fn answer(status: u16) -> SendOutcome {
    SendOutcome { elapsed: SECOND, source_ip: None, result: Ok(status), response: None }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
