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

use crate::connection::monitored_stream::ExchangeMonitor;

/// A connection. It ends when this is dropped; a request that is under way on it is broken off.
pub(crate) struct HttpConnection {
    pub(crate) request_sender: SendRequest<Full<Bytes>>,
    pub(crate) monitor: Arc<ExchangeMonitor>,
    pub(crate) local_ip: IpAddr,
    pub(crate) remote_address: SocketAddr,
    /// How many requests went over it.
    pub(crate) request_count: u32,
    id: u64,
    expires_at: Instant,
    idle_until: Instant,
    /// Nothing is under way: TLS may say farewell.
    is_idle: bool,
    task: ConnectionTask,
}

/// The task that drives a connection.
pub(crate) struct ConnectionTask {
    handle: AbortHandle,
    /// Dropped with the connection: from then on the task has a limited time to end by itself.
    _released: oneshot::Sender<()>,
}

impl ConnectionTask {
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
        Self { handle: task.abort_handle(), _released: sender }
    }
}

impl HttpConnection {
    /// `age` is how old it becomes.
    pub(crate) fn new(
        id: u64,
        requests: SendRequest<Full<Bytes>>,
        watch: Arc<ExchangeMonitor>,
        (local, remote): (IpAddr, SocketAddr),
        age: Duration,
        driver: ConnectionTask,
    ) -> Self {
        let now = Instant::now();
        Self {
            request_sender: requests,
            monitor: watch,
            local_ip: local,
            remote_address: remote,
            request_count: 0,
            id,
            expires_at: now + age,
            idle_until: now,
            is_idle: false,
            task: driver,
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Whether it may wait, or be used after it has waited.
    pub(crate) fn is_reusable(&self, now: Instant) -> bool {
        now < self.idle_until && now < self.expires_at && !self.request_sender.is_closed()
    }

    /// Whether the receiver has taken all that was written. An answer may come before the request was taken; what is
    /// left of the request is still on its way then, and nothing else can be written.
    pub(crate) fn is_request_flushed(&self) -> bool {
        !self.monitor.byte_counts().write_blocked
    }

    /// Nothing is under way on it; it may wait until then.
    pub(crate) fn set_idle_until(&mut self, until: Instant) {
        self.idle_until = until;
        self.is_idle = true;
    }

    /// It is used again.
    pub(crate) fn set_in_use(&mut self) {
        self.is_idle = false;
    }

    /// Closes it after an answer that came whole.
    pub(crate) fn close(mut self) {
        self.is_idle = true;
    }
}

impl Drop for HttpConnection {
    fn drop(&mut self) {
        // Without its requests the driver ends by itself, at the latest when its time is over.
        if !self.is_idle {
            self.task.handle.abort();
        }
    }
}
