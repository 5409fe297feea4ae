//! The monitor of the exchange on a connection: what is known of the bytes of one request and its response.
//!
//! A `MonitoredStream` records here what it reads and writes. The sender reads it for what hyper does not say: whether a
//! byte of the request was written, whether one of the response came, whether the receiver has stopped taking bytes,
//! and what the head of the response was before it was parsed.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How much of the beginning of a response is recorded, in bytes. That is more than is ever stored of a head.
const MAX_RAW_HEAD_BYTES: usize = 64 * 1024;
/// How much capacity the recording keeps from one exchange to the next: a usual head.
const RETAINED_HEAD_CAPACITY_BYTES: usize = 2 * 1024;

/// What is known of the exchange under way on a connection. The stream writes it, the sender reads it.
#[derive(Debug, Default)]
pub(crate) struct ExchangeMonitor(Mutex<ExchangeState>);

#[derive(Debug, Default)]
struct ExchangeState {
    /// The connection was used before, and no byte of this request was written yet.
    unchecked_reuse: bool,
    counts: ByteCounts,
    /// The beginning of the response as it came, while that is recorded.
    raw_head: Vec<u8>,
    recording_head: bool,
}

/// How far the bytes of an exchange have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ByteCounts {
    /// Bytes of the request that the stream took: the socket or, with TLS, the TLS library, which may still hold some.
    pub(crate) written: u64,
    /// Bytes of the response that came.
    pub(crate) read: u64,
    /// The receiver takes no more for now: something of what was written still waits for the socket.
    pub(crate) write_blocked: bool,
}

impl ExchangeMonitor {
    fn lock(&self) -> MutexGuard<'_, ExchangeState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request follows, on a connection that was used before (`reused`) or is new.
    pub(crate) fn begin_exchange(&self, reused: bool) {
        let mut state = self.lock();
        let mut raw_head = mem::take(&mut state.raw_head);
        raw_head.clear();
        *state = ExchangeState {
            unchecked_reuse: reused,
            raw_head,
            recording_head: true,
            ..ExchangeState::default()
        };
    }

    pub(crate) fn byte_counts(&self) -> ByteCounts {
        self.lock().counts
    }

    /// Passes the recorded beginning of the response to `inspect`, and ends the recording.
    pub(crate) fn inspect_head<T>(&self, inspect: impl FnOnce(&[u8]) -> T) -> T {
        let mut state = self.lock();
        state.recording_head = false;
        let inspected = inspect(&state.raw_head);
        state.raw_head.clear();
        state.raw_head.shrink_to(RETAINED_HEAD_CAPACITY_BYTES);
        inspected
    }

    /// Whether the first byte of a request on a reused connection is about to be written. True once an exchange.
    pub(super) fn take_unchecked_reuse(&self) -> bool {
        mem::take(&mut self.lock().unchecked_reuse)
    }

    pub(super) fn record_read(&self, bytes: &[u8]) {
        let mut state = self.lock();
        state.counts.read += bytes.len() as u64;
        if state.recording_head {
            let bytes_left = MAX_RAW_HEAD_BYTES.saturating_sub(state.raw_head.len());
            state.raw_head.extend_from_slice(&bytes[..bytes.len().min(bytes_left)]);
        }
    }

    /// A write of `written` bytes, zero where it failed or has to wait (`write_blocked`).
    pub(super) fn record_write(&self, written: usize, write_blocked: bool) {
        let mut state = self.lock();
        state.counts.written += written as u64;
        state.counts.write_blocked = write_blocked;
    }

    pub(super) fn set_write_blocked(&self, write_blocked: bool) {
        self.lock().counts.write_blocked = write_blocked;
    }
}
