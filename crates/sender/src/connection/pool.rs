//! The pool of idle connections, by origin (`scheme://host:port`).
//!
//! The client registers each request at its origin for as long as it takes. Through that [`ActiveRequest`] it takes the
//! newest idle connection, starts a new one, and gives a connection back. `origin_connections` says how many may be idle.
//!
//! hyper's task reads from an idle connection too. When the receiver closes one, the task ends and removes it from here
//! at once. Connections that have been idle for too long are closed by a sweep each second, while any are idle.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use tokio::time::{Instant, sleep};

use crate::connection::{
    exchange_monitor::ExchangeMonitor,
    http_connection::{ConnectionTask, HttpConnection},
    keep_alive::ConnectionLimits,
    origin_connections::OriginConnections,
};

const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct ConnectionPool {
    limits: ConnectionLimits,
    state: Mutex<PoolState>,
    next_connection_id: AtomicU64,
}

#[derive(Default)]
struct PoolState {
    origins: HashMap<Arc<str>, OriginConnections>,
    /// Over all origins.
    idle_count: usize,
    sweeper_running: bool,
}

impl ConnectionPool {
    pub(crate) fn new(limits: ConnectionLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a request to an origin.
    pub(crate) fn register_request(self: &Arc<Self>, origin: &str) -> ActiveRequest {
        let now = Instant::now();
        let mut state = self.lock();
        let known = state.origins.get_key_value(origin).map(|(origin, _)| Arc::clone(origin));
        let origin = known.unwrap_or_else(|| Arc::from(origin));
        let connections = state.origins.entry(Arc::clone(&origin));
        connections.or_insert_with(|| OriginConnections::new(now)).begin_request(now);
        ActiveRequest { pool: Arc::clone(self), origin }
    }

    /// Closes all idle connections, and returns how many those were.
    pub(crate) fn close_idle_connections(&self) -> usize {
        let mut state = self.lock();
        state.origins.values_mut().for_each(|connections| connections.idle.clear());
        state.origins.retain(|_, connections| !connections.is_unused());
        std::mem::take(&mut state.idle_count)
    }

    /// Removes a connection that has ended, if it was idle.
    fn remove_ended(&self, origin: &str, connection_id: u64) {
        let mut state = self.lock();
        let Some(connections) = state.origins.get_mut(origin) else { return };
        let mut idle = connections.idle.iter();
        let Some(at) = idle.position(|connection| connection.id() == connection_id) else { return };
        drop(connections.idle.remove(at));
        state.idle_count -= 1;
        state.remove_unused_origin(origin);
    }

    /// Closes the connections that have been idle for too long. Returns whether any is still idle.
    fn sweep(&self) -> bool {
        let now = Instant::now();
        let mut state = self.lock();
        state.origins.retain(|_, connections| {
            connections.idle.retain(|connection| connection.is_reusable(now));
            !connections.is_unused()
        });
        state.idle_count = state.origins.values().map(|connections| connections.idle.len()).sum();
        state.sweeper_running = state.idle_count > 0;
        state.sweeper_running
    }
}

impl PoolState {
    fn remove_unused_origin(&mut self, origin: &str) {
        if self.origins.get(origin).is_some_and(OriginConnections::is_unused) {
            self.origins.remove(origin);
        }
    }
}

async fn run_sweeper(pool: Weak<ConnectionPool>) {
    loop {
        sleep(SWEEP_INTERVAL).await;
        if !pool.upgrade().is_some_and(|pool| pool.sweep()) {
            return;
        }
    }
}

/// A request to an origin, registered in the pool until this is dropped.
pub(crate) struct ActiveRequest {
    pool: Arc<ConnectionPool>,
    origin: Arc<str>,
}

impl ActiveRequest {
    /// The newest idle connection to the origin. It may have ended since the pool last heard of it.
    pub(crate) fn take_idle_connection(&self) -> Option<HttpConnection> {
        let now = Instant::now();
        let mut state = self.pool.lock();
        loop {
            let mut connection = state.origins.get_mut(&self.origin)?.idle.pop()?;
            state.idle_count -= 1;
            if connection.is_reusable(now) {
                connection.set_in_use();
                return Some(connection);
            }
        }
    }

    /// A connection of a handshake that hyper has finished. Spawns the task that drives it.
    pub(crate) fn start_connection<I>(
        &self,
        (hyper_sender, driver): (SendRequest<Full<Bytes>>, http1::Connection<I, Full<Bytes>>),
        monitor: Arc<ExchangeMonitor>,
        local_ip: IpAddr,
        remote_address: SocketAddr,
    ) -> HttpConnection
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let id = self.pool.next_connection_id.fetch_add(1, Ordering::Relaxed);
        let (pool, origin) = (Arc::downgrade(&self.pool), Arc::clone(&self.origin));
        let driver = async move {
            // Whoever waits for a response gets the error.
            driver.await.ok();
        };
        let limits = &self.pool.limits;
        let task = ConnectionTask::spawn(driver, limits.shutdown_timeout, move || {
            if let Some(pool) = pool.upgrade() {
                pool.remove_ended(&origin, id);
            }
        });
        HttpConnection::new(id, hyper_sender, monitor, (local_ip, remote_address), limits.max_age, task)
    }

    /// Makes a connection idle, for at most `idle_time`, where there is room for it. Else it is closed.
    pub(crate) fn keep_connection(&self, mut connection: HttpConnection, idle_time: Duration) {
        let (now, limits) = (Instant::now(), &self.pool.limits);
        connection.set_idle_until(now + idle_time.min(limits.max_idle_time));
        if connection.request_count >= limits.max_requests {
            return;
        }
        let mut state = self.pool.lock();
        let PoolState { origins, idle_count, sweeper_running } = &mut *state;
        let Some(connections) = origins.get_mut(&self.origin) else { return };
        // A connection's task looks for it here after it has ended. So one that ends from now on is removed, and one that
        // has ended before is known to be closed.
        if !connections.has_room_for_idle(now)
            || *idle_count >= limits.max_idle_connections
            || !connection.is_reusable(now)
        {
            return;
        }
        connections.idle.push(connection);
        *idle_count += 1;
        if !std::mem::replace(sweeper_running, true) {
            tokio::spawn(run_sweeper(Arc::downgrade(&self.pool)));
        }
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        if let Some(connections) = state.origins.get_mut(&self.origin) {
            connections.end_request();
        }
        state.remove_unused_origin(&self.origin);
    }
}
