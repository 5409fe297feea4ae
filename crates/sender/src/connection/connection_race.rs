//! The race of connection attempts to a host's addresses (RFC 8305, "Happy Eyeballs").
//!
//! Packets to a dead address may get no answer at all, so waiting for one address is not enough. The next address is tried
//! when the one before has failed, or after 250 ms, and the first connection that is established is used. Other than in
//! the RFC, the addresses of one family race too.
//!
//! At most two connection attempts run at once, since each takes a file descriptor: a third one replaces the oldest. The
//! caller chooses the order of the addresses.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use futures_util::{FutureExt as _, future::select_all};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until},
};

use crate::resource_exhaustion;
use loanhook_core::ports::NotSent;

/// After how long without a result the next address is tried as well (RFC 8305, section 5).
const CONNECTION_ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// The file descriptors that a process plans for one webhook are computed from this.
const MAX_CONCURRENT_CONNECTION_ATTEMPTS: usize = 2;

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// The error of the first address that failed.
    Network(io::Error),
    /// This machine lacks something.
    NotSent(NotSent),
}

/// The connection that won the race.
pub(crate) struct ConnectedStream<S> {
    pub(crate) stream: S,
    pub(crate) remote_address: SocketAddr,
    /// Addresses that were tried before this one and have failed, or not answered.
    pub(crate) unsuccessful: Vec<SocketAddr>,
}

/// Connects to the first of the addresses that accepts the connection, tried in this order.
///
/// # Errors
///
/// When every attempt has failed.
pub(crate) async fn connect_to_first(
    addresses: &[SocketAddr],
) -> Result<ConnectedStream<TcpStream>, ConnectError> {
    connect_to_first_by(addresses, TcpStream::connect).await
}

/// The same with another way to connect.
async fn connect_to_first_by<S, C>(
    addresses: &[SocketAddr],
    connect: impl Fn(SocketAddr) -> C,
) -> Result<ConnectedStream<S>, ConnectError>
where
    C: Future<Output = io::Result<S>> + Send,
{
    let attempt = |address: SocketAddr| connect(address).map(move |result| (address, result)).boxed();
    let mut remaining = addresses.iter().copied();
    let mut unsuccessful: Vec<SocketAddr> = Vec::new();
    // The oldest first.
    let mut attempts = Vec::with_capacity(MAX_CONCURRENT_CONNECTION_ATTEMPTS);
    let (mut first_error, mut first_not_sent) = (None, None);
    loop {
        if let Some(address) = remaining.next() {
            if attempts.len() == MAX_CONCURRENT_CONNECTION_ATTEMPTS {
                drop(attempts.remove(0));
            }
            unsuccessful.push(address);
            attempts.push(attempt(address));
        }
        if attempts.is_empty() {
            return Err(match (first_not_sent, first_error) {
                (Some(not_sent), _) => ConnectError::NotSent(not_sent),
                (None, Some(error)) => ConnectError::Network(error),
                (None, None) => ConnectError::Network(io::ErrorKind::AddrNotAvailable.into()),
            });
        }
        let next_attempt_at = Instant::now() + CONNECTION_ATTEMPT_DELAY;
        let ((remote_address, result), at, _) = tokio::select! {
            biased;
            ended = select_all(attempts.iter_mut()) => ended,
            () = sleep_until(next_attempt_at), if remaining.len() > 0 => continue,
        };
        drop(attempts.remove(at));
        match result {
            Ok(stream) => {
                unsuccessful.retain(|address| *address != remote_address);
                return Ok(ConnectedStream { stream, remote_address, unsuccessful });
            }
            Err(error) => match not_sent(remote_address, &error) {
                Some(not_sent) => first_not_sent = first_not_sent.or(Some(not_sent)),
                None => first_error = first_error.or(Some(error)),
            },
        }
    }
}

/// That nothing was sent, where the error says that this machine lacks something.
fn not_sent(remote_address: SocketAddr, error: &io::Error) -> Option<NotSent> {
    if error.kind() == io::ErrorKind::AddrNotAvailable && has_source_address(remote_address.ip()) {
        return Some(NotSent(format!("this machine has no port left for connections to {remote_address}")));
    }
    resource_exhaustion::not_sent(error)
}

/// Whether this machine has an address from which `remote` could be reached. Without one (no IPv6 at all, say), connecting
/// fails with the same error as when all ports are taken. Connecting a UDP socket sends nothing.
fn has_source_address(remote: IpAddr) -> bool {
    let unspecified: IpAddr = match remote {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((unspecified, 0)).and_then(|socket| socket.connect((remote, 9))).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A connection attempt that is counted while it runs.
    struct Counted<'a>(&'a AtomicUsize);

    impl<'a> Counted<'a> {
        fn begin(count: &'a AtomicUsize) -> (Self, usize) {
            (Self(count), count.fetch_add(1, Ordering::SeqCst) + 1)
        }
    }

    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn addresses(count: u16) -> Vec<SocketAddr> {
        (1..=count).map(|port| SocketAddr::from(([192, 0, 2, 1], port))).collect()
    }

    #[tokio::test]
    async fn at_most_two_connection_attempts_run_at_once() {
        let (open, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let all = addresses(5);
        let raced = connect_to_first_by(&all, |address| {
            let (open, most) = (&open, &most);
            async move {
                let (_counted, now) = Counted::begin(open);
                most.fetch_max(now, Ordering::SeqCst);
                if address.port() < 5 {
                    std::future::pending::<()>().await;
                }
                Ok(address.port())
            }
        });
        let ConnectedStream { stream, remote_address, unsuccessful } =
            raced.await.expect("the last one stands");
        assert_eq!((stream, remote_address.port()), (5, 5));
        assert_eq!(unsuccessful, addresses(4));
        assert_eq!(most.into_inner(), MAX_CONCURRENT_CONNECTION_ATTEMPTS);
    }

    #[tokio::test]
    async fn the_first_error_is_returned_when_every_connection_attempt_failed() {
        let kinds =
            [io::ErrorKind::ConnectionRefused, io::ErrorKind::TimedOut, io::ErrorKind::HostUnreachable];
        let all = addresses(3);
        let raced = connect_to_first_by(&all, |address| {
            let kind = kinds[usize::from(address.port()) - 1];
            async move { Err::<(), _>(io::Error::from(kind)) }
        });
        match raced.await.err() {
            Some(ConnectError::Network(error)) => assert_eq!(error.kind(), kinds[0]),
            other => panic!("{other:?}"),
        }
    }
}
