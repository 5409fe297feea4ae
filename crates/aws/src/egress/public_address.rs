//! The public address of an execution environment: where its requests come from, as receivers see it.
//!
//! A function's own address is private, so the local address of a connection does not say it. The public address is
//! configured (static egress), or asked for once in each execution environment, or unknown. Only a connection on loopback,
//! as to a receiver beside an emulator, has the address that its receiver sees.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tracing::warn;

use loanhook_core::ports::{NotSent, SendOutcome, Sender, WebhookRequest};

const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);
/// When a look-up that failed is tried again.
const FAILED_LOOKUP_RETRY_INTERVAL: Duration = Duration::from_secs(300);

/// The address that requests leave from, or how to find it.
#[derive(Debug)]
pub enum PublicAddress {
    Unknown,
    Fixed(IpAddr),
    /// A URL whose response is the address of its caller, and the last look-up.
    LookedUp(String, Mutex<Option<Lookup>>),
}

/// A look-up of the address.
#[derive(Debug, Clone, Copy)]
pub struct Lookup {
    ended_at: Instant,
    address: Option<IpAddr>,
}

impl PublicAddress {
    /// The address that this URL responds with, once it is needed.
    pub fn looked_up(url: String) -> Self {
        Self::LookedUp(url, Mutex::default())
    }

    async fn get(&self) -> Option<IpAddr> {
        match self {
            Self::Unknown => None,
            Self::Fixed(address) => Some(*address),
            Self::LookedUp(url, lookup) => {
                let mut lookup = lookup.lock().await;
                if let Some(Lookup { ended_at, address }) = *lookup
                    && (address.is_some() || ended_at.elapsed() < FAILED_LOOKUP_RETRY_INTERVAL)
                {
                    return address;
                }
                let address = look_up(url).await;
                let address = address.inspect_err(|reason| warn!(reason, "egress.address_unknown")).ok();
                *lookup = Some(Lookup { ended_at: Instant::now(), address });
                address
            }
        }
    }
}

async fn look_up(url: &str) -> Result<IpAddr, String> {
    let client = reqwest::Client::builder().timeout(LOOKUP_TIMEOUT).no_proxy().build();
    let client = client.map_err(|error| error.to_string())?;
    let response = client.get(url).send().await.map_err(|error| error.to_string())?;
    let text = response.text().await.map_err(|error| error.to_string())?;
    text.trim().parse().map_err(|_| "the answer is no address".into())
}

/// A sender that reports the public address in place of the local one.
#[derive(Debug)]
pub struct PublicAddressSender<O> {
    pub sender: O,
    pub address: PublicAddress,
}

impl<O: Sender + Sync> Sender for PublicAddressSender<O> {
    async fn send(&self, request: WebhookRequest) -> Result<SendOutcome, NotSent> {
        let (sent, public) = tokio::join!(self.sender.send(request), self.address.get());
        let sent = sent?;
        Ok(SendOutcome { source_ip: sent.source_ip.and_then(|local| as_received(local, public)), ..sent })
    }
}

/// The address that a receiver sees, of a request that left from this local address.
fn as_received(local: IpAddr, public: Option<IpAddr>) -> Option<IpAddr> {
    // On loopback nothing translates addresses.
    if local.is_loopback() { Some(local) } else { public }
}

#[cfg(test)]
#[path = "public_address_tests.rs"]
mod tests;
