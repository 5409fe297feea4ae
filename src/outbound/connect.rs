//! A connection to one of a name's addresses.
//!
//! A name may have an address that is dead, and packets to it vanish: whoever waits for it waits for ever. So
//! attempts are raced, as RFC 8305 says: the next address is tried when the one before has failed, or after 250 ms
//! without news, and the first connection that stands is taken. That holds for all addresses, whatever their family.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until},
};

use super::lack;
use crate::ports::NotSent;

/// After how long without news the next address is tried as well (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Unconnected {
    /// What the network said of the first address; the others said it, or something like it, too.
    Refused(io::Error),
    /// The machine lacked what it takes.
    Lacking(NotSent),
}

/// What a race came to.
pub(super) struct Raced {
    pub(super) stream: TcpStream,
    pub(super) remote: SocketAddr,
    /// Addresses that were tried before this one and have failed, or not answered.
    pub(super) behind: Vec<SocketAddr>,
}

/// Connects to the first of the addresses that takes the connection, tried in this order.
pub(super) async fn race(addresses: &[SocketAddr]) -> Result<Raced, Unconnected> {
    let connecting =
        |address: SocketAddr| async move { (address, TcpStream::connect(address).await) }.boxed();
    let mut rest = addresses.iter().copied();
    let mut tried: Vec<SocketAddr> = Vec::new();
    let mut under_way = FuturesUnordered::new();
    let (mut first, mut lacking) = (None, None);
    loop {
        if let Some(address) = rest.next() {
            tried.push(address);
            under_way.push(connecting(address));
        }
        let next = Instant::now() + STAGGER;
        let more = rest.len() > 0;
        // Until there is reason to try another address as well.
        loop {
            let ended = tokio::select! {
                biased;
                ended = under_way.next() => ended,
                () = sleep_until(next), if more => break,
            };
            match ended {
                Some((remote, Ok(stream))) => {
                    tried.retain(|address| *address != remote);
                    return Ok(Raced { stream, remote, behind: tried });
                }
                Some((remote, Err(error))) => match lack(remote, &error) {
                    Some(not_sent) => lacking = lacking.or(Some(not_sent)),
                    None => first = first.or(Some(error)),
                },
                None => {}
            }
            if more {
                break;
            }
            if under_way.is_empty() {
                return Err(match (lacking, first) {
                    (Some(lacking), _) => Unconnected::Lacking(lacking),
                    (None, Some(error)) => Unconnected::Refused(error),
                    (None, None) => Unconnected::Refused(io::ErrorKind::AddrNotAvailable.into()),
                });
            }
        }
    }
}

/// Whether an error is this machine's want of something.
fn lack(remote: SocketAddr, error: &io::Error) -> Option<NotSent> {
    if error.kind() == io::ErrorKind::AddrNotAvailable && has_source(remote.ip()) {
        return Some(NotSent(format!("this machine has no port left for connections to {remote}")));
    }
    lack::not_sent(error)
}

/// Whether this machine has an address from which `remote` could be reached. Without one (no IPv6 at all, say)
/// connecting fails with the error that it fails with when all ports are taken. Nothing is sent for this.
fn has_source(remote: IpAddr) -> bool {
    let any: IpAddr = match remote {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((any, 0)).and_then(|socket| socket.connect((remote, 9))).is_ok()
}
