//! The socket of a connection, as the HTTP layer reads and writes it.
//!
//! It enters the phases of the connection that only reading and writing show. It withholds responses that the HTTP layer
//! makes itself, so that [`final_response`](super::final_response) can take their place. It gives up a caller that does
//! not read its response.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::connection_state::{ConnectionState, Phase};

/// The time in which a caller must read [`STALLED_WRITE_MIN_BYTES`] of a response once a write had to wait.
const STALLED_WRITE_TIMEOUT: Duration = Duration::from_secs(30);
const STALLED_WRITE_MIN_BYTES: usize = 16 << 10;

/// What of a service's response is still to be written.
#[derive(Debug, Default)]
pub(super) struct ResponseProgress {
    /// A service has a request, or something of its response may still have to be written.
    is_under_way: AtomicBool,
    /// The HTTP layer has taken all of the response.
    is_taken: AtomicBool,
}

impl ResponseProgress {
    /// A service gets a request.
    pub(super) fn begin(&self) {
        self.is_taken.store(false, Ordering::SeqCst);
        self.is_under_way.store(true, Ordering::SeqCst);
    }

    /// The HTTP layer has taken all of the response.
    pub(super) fn complete(&self) {
        self.is_taken.store(true, Ordering::SeqCst);
    }

    /// After all that the HTTP layer had is written: whether this ended a response.
    fn end_if_taken(&self) -> bool {
        let is_taken = self.is_taken.swap(false, Ordering::SeqCst);
        if is_taken {
            self.is_under_way.store(false, Ordering::SeqCst);
        }
        is_taken
    }

    fn is_under_way(&self) -> bool {
        self.is_under_way.load(Ordering::SeqCst)
    }
}

/// A caller that did not read what was ready for it.
struct StalledWrite {
    deadline: Pin<Box<Sleep>>,
    bytes_written_since: usize,
}

pub(super) struct ConnectionStream {
    pub(super) socket: TcpStream,
    state: Arc<ConnectionState>,
    progress: Arc<ResponseProgress>,
    stalled_write: Option<StalledWrite>,
    /// The caller will send no more.
    pub(super) reached_end: bool,
    /// The status of a response of the HTTP layer that was withheld.
    pub(super) withheld_status: Option<StatusCode>,
}

impl ConnectionStream {
    pub(super) fn new(
        socket: TcpStream,
        state: Arc<ConnectionState>,
        progress: Arc<ResponseProgress>,
    ) -> Self {
        Self { socket, state, progress, stalled_write: None, reached_end: false, withheld_status: None }
    }

    /// Withholds bytes that are a response of the HTTP layer, which no service gave; whether it did.
    fn withholds(&mut self, bytes: &[u8]) -> bool {
        if self.progress.is_under_way() {
            return false;
        }
        if self.withheld_status.is_none() {
            // After `HTTP/1.1 `.
            let status = bytes.get(9..12).and_then(|digits| StatusCode::from_bytes(digits).ok());
            self.withheld_status = Some(status.unwrap_or(StatusCode::BAD_REQUEST));
        }
        true
    }

    /// The result of a write, or `TimedOut` where the caller has read too little for too long.
    fn checked_for_stall(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(bytes)) => {
                if let Some(stalled) = &mut self.stalled_write {
                    stalled.bytes_written_since = stalled.bytes_written_since.saturating_add(*bytes);
                    if stalled.bytes_written_since >= STALLED_WRITE_MIN_BYTES {
                        self.stalled_write = None;
                    }
                }
            }
            Poll::Pending => {
                self.state.set_reading_slowly();
                let stalled = self.stalled_write.get_or_insert_with(|| StalledWrite {
                    deadline: Box::pin(sleep_until(Instant::now() + STALLED_WRITE_TIMEOUT)),
                    bytes_written_since: 0,
                });
                ready!(stalled.deadline.as_mut().poll(cx));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            Poll::Ready(Err(_)) => {}
        }
        written
    }
}

impl AsyncRead for ConnectionStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes_before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buffer))?;
        if buffer.filled().len() == bytes_before {
            self.reached_end = true;
        } else if self.state.phase() == Phase::Idle {
            self.state.enter(Phase::ReadingHead, std::time::Instant::now());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ConnectionStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.withholds(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.checked_for_stall(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.withholds(slices.first().map_or(&[], |slice| slice)) {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.checked_for_stall(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    /// The HTTP layer calls this when it has written all that it had.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
        if self.progress.end_if_taken() {
            self.stalled_write = None;
            self.state.enter(Phase::Idle, std::time::Instant::now());
        }
        Poll::Ready(Ok(()))
    }

    /// Does nothing: `connection` shuts the socket down, as it may still write a final response.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
