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
const RAW_LIMIT: usize = 64 * 1024;
const USUAL: usize = 2 * 1024;

/// A connection's bytes, in the clear or over TLS.
pub(crate) enum Transport {
    Clear(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

impl Transport {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Clear(stream) => stream,
            Self::Secure(stream) => stream.get_ref().0,
        }
    }

    /// Whether nothing can be read from the socket, not even its end.
    fn is_quiet(&self) -> bool {
        let mut byte = [mem::MaybeUninit::uninit()];
        let looked = SockRef::from(self.socket()).peek(&mut byte);
        looked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// What is known of the exchange under way on a connection.
#[derive(Debug, Default)]
pub(crate) struct Watch(Mutex<Exchange>);

#[derive(Debug, Default)]
struct Exchange {
    /// The connection was used before; it is looked at before the first byte is written.
    kept: bool,
    written: u64,
    read: u64,
    stuck: bool,
    /// The answer's beginning as it came, while that is noted.
    raw: Vec<u8>,
    noting: bool,
}

/// How far the bytes of an exchange have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Bytes of the request that the stream took: the socket or, with TLS, the TLS library, which may still hold some.
    pub(crate) written: u64,
    /// Bytes of the answer that came.
    pub(crate) read: u64,
    /// The receiver takes no more for now: something of what was written still waits for the socket.
    pub(crate) stuck: bool,
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request follows, on a connection that was `kept` from another or is new.
    pub(crate) fn begin(&self, kept: bool) {
        let mut exchange = self.lock();
        let mut raw = mem::take(&mut exchange.raw);
        raw.clear();
        *exchange = Exchange { kept, raw, noting: true, ..Exchange::default() };
    }

    pub(crate) fn counted(&self) -> Counted {
        let exchange = self.lock();
        Counted { written: exchange.written, read: exchange.read, stuck: exchange.stuck }
    }

    /// Judges the beginning of the answer as it came, up to [`RAW_LIMIT`]. No more of it is noted.
    pub(crate) fn judge<T>(&self, judgement: impl FnOnce(&[u8]) -> T) -> T {
        let mut exchange = self.lock();
        exchange.noting = false;
        let judged = judgement(&exchange.raw);
        // Room for a usual head is kept for the next one.
        exchange.raw.clear();
        exchange.raw.shrink_to(USUAL);
        judged
    }
}

/// A connection under hyper.
pub(crate) struct Wire {
    transport: Transport,
    watch: Arc<Watch>,
}

impl Wire {
    pub(crate) fn new(transport: Transport, watch: Arc<Watch>) -> Self {
        Self { transport, watch }
    }

    fn before_write(&self) -> io::Result<()> {
        let mut exchange = self.watch.lock();
        let first = mem::take(&mut exchange.kept);
        if first && !self.transport.is_quiet() {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the kept connection has ended"));
        }
        Ok(())
    }

    fn after_write(&self, result: &Poll<io::Result<usize>>) {
        let mut exchange = self.watch.lock();
        exchange.stuck = result.is_pending();
        if let Poll::Ready(Ok(written)) = result {
            exchange.written += *written as u64;
        }
    }
}

/// Calls the same of whichever stream it is.
macro_rules! on {
    ($transport:expr, $stream:ident => $call:expr) => {
        match $transport {
            Transport::Clear(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            Transport::Secure(stream) => {
                let $stream = Pin::new(stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = on!(&mut this.transport, stream => stream.poll_read(cx, buf));
        let came = &buf.filled()[before..];
        if !came.is_empty() {
            let mut exchange = this.watch.lock();
            exchange.read += came.len() as u64;
            if exchange.noting {
                let room = RAW_LIMIT.saturating_sub(exchange.raw.len());
                exchange.raw.extend_from_slice(&came[..came.len().min(room)]);
            }
        }
        result
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.before_write()?;
        let result = on!(&mut this.transport, stream => stream.poll_write(cx, buf));
        this.after_write(&result);
        result
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.before_write()?;
        let result = on!(&mut this.transport, stream => stream.poll_write_vectored(cx, bufs));
        this.after_write(&result);
        result
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = on!(&mut this.transport, stream => stream.poll_flush(cx));
        // What TLS has taken may still wait for the socket.
        this.watch.lock().stuck = result.is_pending();
        result
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on!(&mut self.get_mut().transport, stream => stream.poll_shutdown(cx))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Clear(stream) => stream.is_write_vectored(),
            Transport::Secure(stream) => stream.is_write_vectored(),
        }
    }
}
