//! One connection to a receiver.

use std::{
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::{
    sync::oneshot,
    task::AbortHandle,
    time::{Instant, timeout},
};

use crate::connection::monitored_stream::Watch;

/// A connection. It ends when this is dropped; a request that is under way on it is broken off.
pub(crate) struct Connection {
    pub(crate) requests: SendRequest<Full<Bytes>>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) local: IpAddr,
    pub(crate) remote: SocketAddr,
    /// How many requests went over it.
    pub(crate) used: u32,
    id: u64,
    ends: Instant,
    idle_until: Instant,
    /// Nothing is under way: TLS may say farewell.
    quiet: bool,
    driver: Driver,
}

/// The task that drives a connection.
pub(crate) struct Driver {
    task: AbortHandle,
    /// Dropped with the connection: from then on the task has a limited time to end by itself.
    _given_up: oneshot::Sender<()>,
}

impl Driver {
    /// Spawns what drives a connection. It has the time of `farewell` once the connection was given up; `ended` is
    /// called when it has ended.
    pub(crate) fn spawn(
        driving: impl Future<Output = ()> + Send + 'static,
        farewell: Duration,
        ended: impl FnOnce() + Send + 'static,
    ) -> Self {
        let (sender, given_up) = oneshot::channel();
        let task = tokio::spawn(async move {
            {
                let mut driving = pin!(driving);
                tokio::select! {
                    biased;
                    () = driving.as_mut() => {}
                    _ = given_up => {
                        timeout(farewell, driving).await.ok();
                    }
                }
            }
            ended();
        });
        Self { task: task.abort_handle(), _given_up: sender }
    }
}

impl Connection {
    /// `age` is how old it becomes.
    pub(crate) fn new(
        id: u64,
        requests: SendRequest<Full<Bytes>>,
        watch: Arc<Watch>,
        (local, remote): (IpAddr, SocketAddr),
        age: Duration,
        driver: Driver,
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

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Whether it may wait, or be used after it has waited.
    pub(crate) fn is_good(&self, now: Instant) -> bool {
        now < self.idle_until && now < self.ends && !self.requests.is_closed()
    }

    /// Whether the receiver has taken all that was written. An answer may come before the request was taken; what is
    /// left of the request is still on its way then, and nothing else can be written.
    pub(crate) fn is_flushed(&self) -> bool {
        !self.watch.counted().stuck
    }

    /// Nothing is under way on it; it may wait until then.
    pub(crate) fn wait_until(&mut self, until: Instant) {
        self.idle_until = until;
        self.quiet = true;
    }

    /// It is used again.
    pub(crate) fn resume(&mut self) {
        self.quiet = false;
    }

    /// Closes it after an answer that came whole.
    pub(crate) fn close(mut self) {
        self.quiet = true;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Without its requests the driver ends by itself, at the latest when its time is over.
        if !self.quiet {
            self.driver.task.abort();
        }
    }
}
