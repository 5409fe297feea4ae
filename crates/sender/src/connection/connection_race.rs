//! A connection to one of a name's addresses.
//!
//! A name may have an address that is dead, and packets to it vanish: whoever waits for it waits for ever. So
//! attempts are raced, as RFC 8305 says: the next address is tried when the one before has failed, or after 250 ms
//! without news, and the first connection that stands is taken. That holds for all addresses, whatever their family.
//!
//! Two attempts are under way at once at most, since each takes a descriptor: a third takes the place of the oldest.

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

/// After how long without news the next address is tried as well (RFC 8305, section 5).
const CONNECTION_ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// How many attempts are under way at once; the share of descriptors of one webhook rests on it.
const MAX_CONCURRENT_ATTEMPTS: usize = 2;

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// What the network said of the first address that failed.
    Network(io::Error),
    /// The machine lacked what it takes.
    NotSent(NotSent),
}

/// What a race came to.
pub(crate) struct ConnectedStream<S> {
    pub(crate) stream: S,
    pub(crate) remote_address: SocketAddr,
    /// Addresses that were tried before this one and have failed, or not answered.
    pub(crate) unsuccessful: Vec<SocketAddr>,
}

/// Connects to the first of the addresses that takes the connection, tried in this order.
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
    let connecting = |address: SocketAddr| connect(address).map(move |ended| (address, ended)).boxed();
    let mut rest = addresses.iter().copied();
    let mut tried: Vec<SocketAddr> = Vec::new();
    // The oldest first.
    let mut under_way = Vec::with_capacity(MAX_CONCURRENT_ATTEMPTS);
    let (mut first, mut lacking) = (None, None);
    loop {
        if let Some(address) = rest.next() {
            if under_way.len() == MAX_CONCURRENT_ATTEMPTS {
                drop(under_way.remove(0));
            }
            tried.push(address);
            under_way.push(connecting(address));
        }
        let more = rest.len() > 0;
        if under_way.is_empty() {
            return Err(match (lacking, first) {
                (Some(lacking), _) => ConnectError::NotSent(lacking),
                (None, Some(error)) => ConnectError::Network(error),
                (None, None) => ConnectError::Network(io::ErrorKind::AddrNotAvailable.into()),
            });
        }
        let next = Instant::now() + CONNECTION_ATTEMPT_DELAY;
        let ((remote, ended), at, _) = tokio::select! {
            biased;
            ended = select_all(under_way.iter_mut()) => ended,
            () = sleep_until(next), if more => continue,
        };
        drop(under_way.remove(at));
        match ended {
            Ok(stream) => {
                tried.retain(|address| *address != remote);
                return Ok(ConnectedStream { stream, remote_address: remote, unsuccessful: tried });
            }
            Err(error) => match not_sent(remote, &error) {
                Some(not_sent) => lacking = lacking.or(Some(not_sent)),
                None => first = first.or(Some(error)),
            },
        }
    }
}

/// Whether an error is this machine's want of something.
fn not_sent(remote: SocketAddr, error: &io::Error) -> Option<NotSent> {
    if error.kind() == io::ErrorKind::AddrNotAvailable && has_source_address(remote.ip()) {
        return Some(NotSent(format!("this machine has no port left for connections to {remote}")));
    }
    resource_exhaustion::not_sent(error)
}

/// Whether this machine has an address from which `remote` could be reached. Without one (no IPv6 at all, say)
/// connecting fails with the error that it fails with when all ports are taken. Nothing is sent for this.
fn has_source_address(remote: IpAddr) -> bool {
    let any: IpAddr = match remote {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((any, 0)).and_then(|socket| socket.connect((remote, 9))).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// An attempt that is counted while it is under way.
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
        assert_eq!(most.into_inner(), MAX_CONCURRENT_ATTEMPTS);
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
