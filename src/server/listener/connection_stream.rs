//! A caller's socket, as the HTTP layer reads and writes it: it tells the connection's phase, keeps the HTTP layer's
//! own answers back so that ours can take their place, and gives a reader up that does not read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::connection_state::{ConnectionState, Phase};

/// In this time a reader must take so many bytes of an answer.
const READ_WITHIN: Duration = Duration::from_secs(30);
const READ_AT_LEAST: usize = 16 << 10;

/// The answer that is being written.
#[derive(Debug, Default)]
pub(super) struct Answering {
    /// Something of it may still have to be written.
    owed: std::sync::atomic::AtomicBool,
    /// All of it was handed to the HTTP layer.
    whole: std::sync::atomic::AtomicBool,
}

impl Answering {
    pub(super) fn begin(&self) {
        self.whole.store(false, ORDER);
        self.owed.store(true, ORDER);
    }

    pub(super) fn is_whole(&self) {
        self.whole.store(true, ORDER);
    }
}

const ORDER: std::sync::atomic::Ordering = std::sync::atomic::Ordering::SeqCst;

/// A reader that did not take what was there to take.
struct Stalled {
    timer: Pin<Box<Sleep>>,
    written: usize,
}

pub(super) struct Stream {
    pub(super) socket: TcpStream,
    state: Arc<ConnectionState>,
    answering: Arc<Answering>,
    stalled: Option<Stalled>,
    /// The caller will send no more.
    pub(super) ended: bool,
    /// The status of an answer of the HTTP layer's own that was kept back.
    pub(super) kept_back: Option<StatusCode>,
}

impl Stream {
    pub(super) fn new(socket: TcpStream, state: Arc<ConnectionState>, answering: Arc<Answering>) -> Self {
        Self { socket, state, answering, stalled: None, ended: false, kept_back: None }
    }

    /// Whether these bytes are an answer that no service gave; then they are kept back.
    fn keeps_back(&mut self, bytes: &[u8]) -> bool {
        if self.answering.owed.load(ORDER) {
            return false;
        }
        if self.kept_back.is_none() {
            let status = bytes.get(9..12).and_then(|digits| StatusCode::from_bytes(digits).ok());
            self.kept_back = Some(status.unwrap_or(StatusCode::BAD_REQUEST));
        }
        true
    }

    /// What came of a write, unless the reader is to be given up.
    fn written(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(bytes)) => {
                if let Some(stalled) = &mut self.stalled {
                    stalled.written = stalled.written.saturating_add(*bytes);
                    if stalled.written >= READ_AT_LEAST {
                        self.stalled = None;
                    }
                }
            }
            Poll::Pending => {
                self.state.reads_slowly();
                let stalled = self.stalled.get_or_insert_with(|| Stalled {
                    timer: Box::pin(sleep_until(Instant::now() + READ_WITHIN)),
                    written: 0,
                });
                ready!(stalled.timer.as_mut().poll(cx));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            Poll::Ready(Err(_)) => {}
        }
        written
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buffer))?;
        if buffer.filled().len() == before {
            self.ended = true;
        } else if self.state.phase() == Phase::Idle {
            self.state.enter(Phase::Head, std::time::Instant::now());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.keeps_back(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.keeps_back(parts.first().map_or(&[], |part| part)) {
            return Poll::Ready(Ok(parts.iter().map(|part| part.len()).sum()));
        }
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, parts);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    /// All that the HTTP layer had to write is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
        if self.answering.whole.swap(false, ORDER) {
            self.answering.owed.store(false, ORDER);
            self.stalled = None;
            self.state.enter(Phase::Idle, std::time::Instant::now());
        }
        Poll::Ready(Ok(()))
    }

    /// Whoever has the socket next says when nothing more is written.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
