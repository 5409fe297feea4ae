//! Replies of the receiver: a response, a broken one, or none until the test opens a gate.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Holds a reply back until it is opened, and stays open.
#[derive(Clone)]
pub(crate) struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    pub(crate) fn closed() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn opened(&self) {
        let mut opened = self.0.subscribe();
        let _ = opened.wait_for(|open| *open).await;
    }
}

#[derive(Clone)]
pub(super) enum Step {
    Await(Gate),
    Wait(Duration),
    Send(Vec<u8>),
    Reset,
    Close,
}

#[derive(Clone)]
pub(crate) struct Reply {
    pub(super) steps: Vec<Step>,
}

impl Reply {
    pub(crate) fn ok() -> Self {
        Self::status(200)
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::with(status, &[], b"")
    }

    /// A whole answer; its `content-length` is added.
    pub(crate) fn with(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut answer = head(status, headers);
        if status != 204 {
            answer.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
        }
        answer.extend_from_slice(b"\r\n");
        answer.extend_from_slice(body);
        Self { steps: vec![Step::Send(answer)] }
    }

    /// The same reply, but nothing of it leaves before the gate opens.
    pub(crate) fn held(mut self, gate: &Gate) -> Self {
        self.steps.insert(0, Step::Await(gate.clone()));
        self
    }

    /// The same reply, from a receiver that takes so long for it.
    pub(crate) fn after(mut self, time: Duration) -> Self {
        self.steps.insert(0, Step::Wait(time));
        self
    }

    /// The connection breaks with a TCP reset.
    pub(crate) fn reset() -> Self {
        Self { steps: vec![Step::Reset] }
    }

    /// The connection ends in order, without a byte of an answer.
    pub(crate) fn hang_up() -> Self {
        Self { steps: vec![Step::Close] }
    }

    /// These bytes, and the connection stays open.
    pub(crate) fn raw(bytes: &[u8]) -> Self {
        Self { steps: vec![Step::Send(bytes.to_vec())] }
    }

    /// Bytes that are no HTTP.
    pub(crate) fn garbage() -> Self {
        Self { steps: vec![Step::Send(b"\x16\x03garbage, and no HTTP at all\r\n\r\n".to_vec()), Step::Close] }
    }

    /// Promises 1,000 bytes of body, and closes after a few of them.
    pub(crate) fn close_early() -> Self {
        Self { steps: vec![Step::Send(promise()), Step::Close] }
    }

    /// Sends the head and a few bytes of the body, and then nothing until the gate opens.
    pub(crate) fn stall_in_body(gate: &Gate) -> Self {
        Self { steps: vec![Step::Send(promise()), Step::Await(gate.clone()), Step::Close] }
    }
}

fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} As Told\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.into_bytes()
}

fn promise() -> Vec<u8> {
    let mut promise = head(200, &[("content-length", "1000"), ("content-type", "text/plain")]);
    promise.extend_from_slice(b"\r\nonly this");
    promise
}
