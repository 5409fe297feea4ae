//! The HTTP connection to a receiver, and the task that drives it.

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

use crate::connection::exchange_monitor::ExchangeMonitor;

/// A connection. Dropping it closes it; a request that is under way on it is aborted.
pub(crate) struct HttpConnection {
    pub(crate) hyper_sender: SendRequest<Full<Bytes>>,
    pub(crate) monitor: Arc<ExchangeMonitor>,
    pub(crate) local_ip: IpAddr,
    pub(crate) remote_address: SocketAddr,
    /// How many requests went over it.
    pub(crate) request_count: u32,
    id: u64,
    /// When it has its greatest age.
    expires_at: Instant,
    idle_until: Instant,
    /// No request is under way: it may be closed in order, with the `close_notify` of TLS.
    is_idle: bool,
    task: ConnectionTask,
}

/// The task that drives a connection.
pub(super) struct ConnectionTask {
    handle: AbortHandle,
    /// Dropped with the connection: from then on the task has a limited time to end by itself.
    _dropped_with_connection: oneshot::Sender<()>,
}

impl ConnectionTask {
    /// Spawns the task that runs `driver`. Once the connection is dropped, `driver` has `shutdown_timeout` left. `on_end`
    /// is called when it has ended.
    pub(super) fn spawn(
        driver: impl Future<Output = ()> + Send + 'static,
        shutdown_timeout: Duration,
        on_end: impl FnOnce() + Send + 'static,
    ) -> Self {
        let (sender, connection_dropped) = oneshot::channel();
        let task = tokio::spawn(async move {
            {
                let mut driver = pin!(driver);
                tokio::select! {
                    biased;
                    () = driver.as_mut() => {}
                    _ = connection_dropped => {
                        timeout(shutdown_timeout, driver).await.ok();
                    }
                }
            }
            on_end();
        });
        Self { handle: task.abort_handle(), _dropped_with_connection: sender }
    }
}

impl HttpConnection {
    /// A connection that was just made; the pool gives it `id`.
    pub(super) fn new(
        id: u64,
        hyper_sender: SendRequest<Full<Bytes>>,
        monitor: Arc<ExchangeMonitor>,
        (local_ip, remote_address): (IpAddr, SocketAddr),
        max_age: Duration,
        task: ConnectionTask,
    ) -> Self {
        let now = Instant::now();
        Self {
            hyper_sender,
            monitor,
            local_ip,
            remote_address,
            request_count: 0,
            id,
            expires_at: now + max_age,
            idle_until: now,
            is_idle: false,
            task,
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Whether an idle connection may stay idle, or be used again.
    pub(super) fn is_reusable(&self, now: Instant) -> bool {
        now < self.idle_until && now < self.expires_at && !self.hyper_sender.is_closed()
    }

    /// Whether the receiver has taken all that was written. A response may come before the request was taken; the rest of
    /// the request is still on its way then, and nothing else can be written.
    pub(crate) fn is_request_flushed(&self) -> bool {
        !self.monitor.byte_counts().write_blocked
    }

    /// No request is under way; it may be idle until then.
    pub(super) fn set_idle_until(&mut self, idle_until: Instant) {
        self.idle_until = idle_until;
        self.is_idle = true;
    }

    /// A request is under way again.
    pub(super) fn set_in_use(&mut self) {
        self.is_idle = false;
    }

    /// Closes it in order, after a response that was read to its end.
    pub(crate) fn close(mut self) {
        self.is_idle = true;
    }
}

impl Drop for HttpConnection {
    fn drop(&mut self) {
        // The task of an idle connection ends by itself once the connection is gone, at the latest after its timeout.
        if !self.is_idle {
            self.task.handle.abort();
        }
    }
}
