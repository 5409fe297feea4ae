//! The bytes of one connection, and what is known of those of the exchange under way.
//!
//! HTTP is hyper's, but some questions only the bytes can answer: whether one of the request was written, whether one
//! of the answer came, whether the receiver takes no more, and what the answer's head looked like before it was
//! parsed. So a [`Wire`] stands between hyper and the socket (inside TLS, where there is TLS) and notes that in a
//! [`Watch`], which the sender reads.
//!
//! A kept connection is looked at once more right before the first byte of a request is written: whatever can be
//! read from it then, its end included, means that it is of no use any more, and nothing is written.

use std::{
    io, mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

/// How much of an answer's beginning is kept as it came, in bytes. It holds a longer head than is ever stored.
const MAX_RAW_HEAD_BYTES: usize = 64 * 1024;
const RETAINED_HEAD_CAPACITY_BYTES: usize = 2 * 1024;

/// A connection's bytes, in the clear or over TLS.
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Transport {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Whether nothing can be read from the socket, not even its end.
    fn has_nothing_to_read(&self) -> bool {
        let mut byte = [mem::MaybeUninit::uninit()];
        let looked = SockRef::from(self.socket()).peek(&mut byte);
        looked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// What is known of the exchange under way on a connection.
#[derive(Debug, Default)]
pub(crate) struct ExchangeMonitor(Mutex<ExchangeState>);

#[derive(Debug, Default)]
struct ExchangeState {
    /// The connection was used before; it is looked at before the first byte is written.
    reused: bool,
    written: u64,
    read: u64,
    write_blocked: bool,
    /// The answer's beginning as it came, while that is noted.
    raw_head: Vec<u8>,
    recording_head: bool,
}

/// How far the bytes of an exchange have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteCounts {
    /// Bytes of the request that the stream took: the socket or, with TLS, the TLS library, which may still hold some.
    pub(crate) written: u64,
    /// Bytes of the answer that came.
    pub(crate) read: u64,
    /// The receiver takes no more for now: something of what was written still waits for the socket.
    pub(crate) write_blocked: bool,
}

impl ExchangeMonitor {
    fn lock(&self) -> MutexGuard<'_, ExchangeState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request follows, on a connection that was `kept` from another or is new.
    pub(crate) fn begin_exchange(&self, kept: bool) {
        let mut exchange = self.lock();
        let mut raw = mem::take(&mut exchange.raw_head);
        raw.clear();
        *exchange =
            ExchangeState { reused: kept, raw_head: raw, recording_head: true, ..ExchangeState::default() };
    }

    pub(crate) fn byte_counts(&self) -> ByteCounts {
        let exchange = self.lock();
        ByteCounts { written: exchange.written, read: exchange.read, write_blocked: exchange.write_blocked }
    }

    /// Judges the beginning of the answer as it came, up to [`RAW_LIMIT`]. No more of it is noted.
    pub(crate) fn inspect_head<T>(&self, judgement: impl FnOnce(&[u8]) -> T) -> T {
        let mut exchange = self.lock();
        exchange.recording_head = false;
        let judged = judgement(&exchange.raw_head);
        // Room for a usual head is kept for the next one.
        exchange.raw_head.clear();
        exchange.raw_head.shrink_to(RETAINED_HEAD_CAPACITY_BYTES);
        judged
    }
}

/// A connection under hyper.
pub(crate) struct MonitoredStream {
    transport: Transport,
    watch: Arc<ExchangeMonitor>,
}

impl MonitoredStream {
    pub(crate) fn new(transport: Transport, watch: Arc<ExchangeMonitor>) -> Self {
        Self { transport, watch }
    }

    fn check_before_first_write(&self) -> io::Result<()> {
        let mut exchange = self.watch.lock();
        let first = mem::take(&mut exchange.reused);
        if first && !self.transport.has_nothing_to_read() {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the kept connection has ended"));
        }
        Ok(())
    }

    fn record_write(&self, result: &Poll<io::Result<usize>>) {
        let mut exchange = self.watch.lock();
        exchange.write_blocked = result.is_pending();
        if let Poll::Ready(Ok(written)) = result {
            exchange.written += *written as u64;
        }
    }
}

/// Calls the same of whichever stream it is.
macro_rules! on {
    ($transport:expr, $stream:ident => $call:expr) => {
        match $transport {
            Transport::Plain(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            Transport::Tls(stream) => {
                let $stream = Pin::new(stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for MonitoredStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = on!(&mut this.transport, stream => stream.poll_read(cx, buf));
        let came = &buf.filled()[before..];
        if !came.is_empty() {
            let mut exchange = this.watch.lock();
            exchange.read += came.len() as u64;
            if exchange.recording_head {
                let room = MAX_RAW_HEAD_BYTES.saturating_sub(exchange.raw_head.len());
                exchange.raw_head.extend_from_slice(&came[..came.len().min(room)]);
            }
        }
        result
    }
}

impl AsyncWrite for MonitoredStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_before_first_write()?;
        let result = on!(&mut this.transport, stream => stream.poll_write(cx, buf));
        this.record_write(&result);
        result
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_before_first_write()?;
        let result = on!(&mut this.transport, stream => stream.poll_write_vectored(cx, bufs));
        this.record_write(&result);
        result
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = on!(&mut this.transport, stream => stream.poll_flush(cx));
        // What TLS has taken may still wait for the socket.
        this.watch.lock().write_blocked = result.is_pending();
        result
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on!(&mut self.get_mut().transport, stream => stream.poll_shutdown(cx))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
