//! The monitored stream: stands between hyper and the transport of one connection, and records what passes in an
//! [`ExchangeMonitor`]. It stands inside TLS, where there is TLS, and so sees HTTP.
//!
//! Before the first byte of a request on a reused connection it looks at the socket once more. Whatever can be read from
//! it then, its end included, means that the connection is of no use any more, and nothing is written.

use std::{
    io, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use crate::connection::exchange_monitor::ExchangeMonitor;

/// The transport of a connection: TCP, in plain or under TLS.
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

    /// The alert by which the receiver ended TLS, if one has arrived that nobody has read. What else has arrived stays there.
    fn unread_alert(&mut self) -> Option<io::Error> {
        let Self::Tls(stream) = self else { return None };
        let (socket, tls) = stream.get_mut();
        let mut buffer = [0; 4096];
        let read = socket.try_read(&mut buffer).ok()?;
        let mut bytes = &buffer[..read];
        while !bytes.is_empty() {
            tls.read_tls(&mut bytes).ok()?;
            if let Err(alert) = tls.process_new_packets() {
                return Some(io::Error::other(alert));
            }
        }
        None
    }

    /// Whether nothing can be read from the socket, not even its end.
    fn has_nothing_to_read(&self) -> bool {
        let mut byte = [mem::MaybeUninit::uninit()];
        let peeked = SockRef::from(self.socket()).peek(&mut byte);
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// The stream of one connection, as hyper reads and writes it.
pub(crate) struct MonitoredStream {
    transport: Transport,
    monitor: Arc<ExchangeMonitor>,
}

impl MonitoredStream {
    pub(crate) fn new(transport: Transport, monitor: Arc<ExchangeMonitor>) -> Self {
        Self { transport, monitor }
    }

    /// Fails the first write of a request on a reused connection where something can be read already: its end, or bytes
    /// that are no response to this request. Nothing is written then.
    fn check_before_first_write(&self) -> io::Result<()> {
        if self.monitor.take_unchecked_reuse() && !self.transport.has_nothing_to_read() {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the kept connection has ended"));
        }
        Ok(())
    }

    /// The error of a write. A receiver that refuses our certificate says so after the handshake of TLS 1.3 and closes: what
    /// fails then first may be the write, and the reason for it is still to be read.
    fn with_reason<T>(&mut self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match result {
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.transport.unread_alert().unwrap_or(error))),
            result => result,
        }
    }

    fn record_write(&self, result: &Poll<io::Result<usize>>) {
        let written = if let Poll::Ready(Ok(written)) = result { *written } else { 0 };
        self.monitor.record_write(written, result.is_pending());
    }
}

/// Evaluates an expression over the pinned stream, in plain or over TLS.
macro_rules! with_stream {
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
        let result = with_stream!(&mut this.transport, stream => stream.poll_read(cx, buf));
        let received = &buf.filled()[before..];
        if !received.is_empty() {
            this.monitor.record_read(received);
        }
        result
    }
}

impl AsyncWrite for MonitoredStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_before_first_write()?;
        let result = with_stream!(&mut this.transport, stream => stream.poll_write(cx, buf));
        this.record_write(&result);
        this.with_reason(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_before_first_write()?;
        let result = with_stream!(&mut this.transport, stream => stream.poll_write_vectored(cx, bufs));
        this.record_write(&result);
        this.with_reason(result)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = with_stream!(&mut this.transport, stream => stream.poll_flush(cx));
        // What the TLS library has taken may still wait for the socket.
        this.monitor.set_write_blocked(result.is_pending());
        this.with_reason(result)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with_stream!(&mut self.get_mut().transport, stream => stream.poll_shutdown(cx))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
