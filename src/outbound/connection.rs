//! One connection to a receiver.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::{task::AbortHandle, time::Instant};

use super::wire::Watch;

/// A connection. It ends when this is dropped; a request that is under way on it is broken off.
pub(super) struct Connection {
    pub(super) requests: SendRequest<Full<Bytes>>,
    pub(super) watch: Arc<Watch>,
    pub(super) local: IpAddr,
    pub(super) remote: SocketAddr,
    /// How many requests went over it.
    pub(super) used: u32,
    id: u64,
    ends: Instant,
    idle_until: Instant,
    /// Nothing is under way: TLS may say farewell.
    quiet: bool,
    driver: AbortHandle,
}

impl Connection {
    /// `driver` is the task that drives it, `age` how old it becomes.
    pub(super) fn new(
        id: u64,
        requests: SendRequest<Full<Bytes>>,
        watch: Arc<Watch>,
        (local, remote): (IpAddr, SocketAddr),
        age: Duration,
        driver: AbortHandle,
    ) -> Self {
        let now = Instant::now();
        Self {
            requests,
            watch,
            local,
            remote,
            used: 0,
            id,
            ends: now + age,
            idle_until: now,
            quiet: false,
            driver,
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Whether it may wait, or be used after it has waited.
    pub(super) fn is_good(&self, now: Instant) -> bool {
        now < self.idle_until && now < self.ends && !self.requests.is_closed()
    }

    /// Nothing is under way on it; it may wait until then.
    pub(super) fn wait_until(&mut self, until: Instant) {
        self.idle_until = until;
        self.quiet = true;
    }

    /// It is used again.
    pub(super) fn resume(&mut self) {
        self.quiet = false;
    }

    /// Closes it after an answer that came whole.
    pub(super) fn close(mut self) {
        self.quiet = true;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Without its requests the driver ends by itself.
        if !self.quiet {
            self.driver.abort();
        }
    }
}
