//! Connections that wait for another request, by origin (`scheme://host:port`).
//!
//! Whoever sends to an origin takes a [`Seat`] there, for as long as the request takes, and with it the newest of the
//! connections that wait. Of those as many are kept as were at work at once of late: a receiver that has 160 requests
//! at work has 160 connections, and keeps them from one wave to the next.
//!
//! A connection is watched while it waits: hyper's task reads from it, ends with it, and takes it out of here. What
//! has waited for too long is looked for once a second, while anything waits.

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
use tokio::time::Instant;

use crate::{
    connection::http_connection::{ConnectionTask, HttpConnection},
    connection::keep_alive::ConnectionLimits,
    connection::monitored_stream::ExchangeMonitor,
};

/// How many connections wait for one origin, whatever was at work there.
const MAX_IDLE_CONNECTIONS_PER_ORIGIN: usize = 512;
/// What "of late" means.
const PEAK_WINDOW: Duration = Duration::from_secs(10);
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct ConnectionPool {
    limits: ConnectionLimits,
    state: Mutex<PoolState>,
    ids: AtomicU64,
}

#[derive(Default)]
struct PoolState {
    origins: HashMap<Arc<str>, OriginConnections>,
    idle: usize,
    sweeper_running: bool,
}

/// The connections of one origin.
struct OriginConnections {
    /// The newest last.
    idle: Vec<HttpConnection>,
    active_requests: usize,
    /// The most seats that were taken at once, in this window and in the one before.
    peak_active_requests: [usize; 2],
    window_start: Instant,
}

impl OriginConnections {
    fn new(now: Instant) -> Self {
        Self { idle: Vec::new(), active_requests: 0, peak_active_requests: [0; 2], window_start: now }
    }

    fn begin_request(&mut self, now: Instant) {
        self.advance_window(now);
        self.active_requests += 1;
        self.peak_active_requests[0] = self.peak_active_requests[0].max(self.active_requests);
    }

    fn advance_window(&mut self, now: Instant) {
        let past = now.duration_since(self.window_start);
        if past >= PEAK_WINDOW {
            self.peak_active_requests = [
                self.active_requests,
                if past < 2 * PEAK_WINDOW { self.peak_active_requests[0] } else { self.active_requests },
            ];
            self.window_start = now;
        }
    }

    /// How many connections may wait, besides those at work.
    fn free_idle_places(&self) -> usize {
        let of_late = self.peak_active_requests[0]
            .max(self.peak_active_requests[1])
            .min(MAX_IDLE_CONNECTIONS_PER_ORIGIN);
        of_late.saturating_sub(self.active_requests + self.idle.len())
    }
}

impl ConnectionPool {
    pub(crate) fn new(limits: ConnectionLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat at an origin, for one request.
    pub(crate) fn register_request(self: &Arc<Self>, origin: &str) -> ActiveRequest {
        let now = Instant::now();
        let mut state = self.lock();
        let known = state.origins.get_key_value(origin).map(|(origin, _)| Arc::clone(origin));
        let origin = known.unwrap_or_else(|| Arc::from(origin));
        state
            .origins
            .entry(Arc::clone(&origin))
            .or_insert_with(|| OriginConnections::new(now))
            .begin_request(now);
        ActiveRequest { pool: Arc::clone(self), origin }
    }

    /// Closes all that wait; how many that were.
    pub(crate) fn close_idle_connections(&self) -> usize {
        let mut state = self.lock();
        state.origins.values_mut().for_each(|origin| origin.idle.clear());
        state.origins.retain(|_, origin| origin.active_requests > 0);
        std::mem::take(&mut state.idle)
    }

    /// A connection has ended; it does not wait any more, if it did.
    fn remove_ended(&self, origin: &str, id: u64) {
        let mut state = self.lock();
        let Some(found) = state.origins.get_mut(origin) else { return };
        let Some(at) = found.idle.iter().position(|connection| connection.id() == id) else { return };
        drop(found.idle.remove(at));
        state.idle -= 1;
        state.remove_unused_origin(origin);
    }

    /// Closes what has waited for too long; whether anything still waits.
    fn sweep(&self) -> bool {
        let now = Instant::now();
        let mut state = self.lock();
        state.origins.retain(|_, origin| {
            origin.idle.retain(|connection| connection.is_reusable(now));
            origin.active_requests > 0 || !origin.idle.is_empty()
        });
        state.idle = state.origins.values().map(|origin| origin.idle.len()).sum();
        state.sweeper_running = state.idle > 0;
        state.sweeper_running
    }
}

impl PoolState {
    fn remove_unused_origin(&mut self, origin: &str) {
        if self.origins.get(origin).is_some_and(|found| found.active_requests == 0 && found.idle.is_empty()) {
            self.origins.remove(origin);
        }
    }
}

async fn sweep(pool: Weak<ConnectionPool>) {
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        if !pool.upgrade().is_some_and(|pool| pool.sweep()) {
            return;
        }
    }
}

/// A request's place at an origin.
pub(crate) struct ActiveRequest {
    pool: Arc<ConnectionPool>,
    origin: Arc<str>,
}

impl ActiveRequest {
    /// The newest connection that waits here. It may have ended without anybody having heard of it yet.
    pub(crate) fn take_idle_connection(&self) -> Option<HttpConnection> {
        let now = Instant::now();
        let mut state = self.pool.lock();
        loop {
            let mut connection = state.origins.get_mut(&self.origin)?.idle.pop()?;
            state.idle -= 1;
            if connection.is_reusable(now) {
                connection.set_in_use();
                return Some(connection);
            }
        }
    }

    /// Begins a new connection: spawns what drives it.
    pub(crate) fn start_connection<I>(
        &self,
        (requests, driver): (SendRequest<Full<Bytes>>, http1::Connection<I, Full<Bytes>>),
        watch: Arc<ExchangeMonitor>,
        local: IpAddr,
        remote: SocketAddr,
    ) -> HttpConnection
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let id = self.pool.ids.fetch_add(1, Ordering::Relaxed);
        let (pool, origin) = (Arc::downgrade(&self.pool), Arc::clone(&self.origin));
        let driving = async move {
            // How it ended is told to whoever waits for an answer.
            driver.await.ok();
        };
        let driver = ConnectionTask::spawn(driving, self.pool.limits.shutdown_timeout, move || {
            if let Some(pool) = pool.upgrade() {
                pool.remove_ended(&origin, id);
            }
        });
        HttpConnection::new(id, requests, watch, (local, remote), self.pool.limits.max_age, driver)
    }

    /// Lets a connection wait for another request for this long at most, where there is room for it.
    pub(crate) fn keep_connection(&self, mut connection: HttpConnection, idle: Duration) {
        let now = Instant::now();
        connection.set_idle_until(now + idle.min(self.pool.limits.max_idle_time));
        if connection.request_count >= self.pool.limits.max_requests {
            return;
        }
        let mut state = self.pool.lock();
        let PoolState { origins, idle: all, sweeper_running: swept } = &mut *state;
        let Some(origin) = origins.get_mut(&self.origin) else { return };
        origin.advance_window(now);
        // The seat that this request has is free in a moment.
        origin.active_requests -= 1;
        let room = origin.free_idle_places();
        origin.active_requests += 1;
        // The driver looks for its connection here after it has ended: it is here, or is known to have ended.
        if room == 0 || *all >= self.pool.limits.max_idle_connections || !connection.is_reusable(now) {
            return;
        }
        origin.idle.push(connection);
        *all += 1;
        if !std::mem::replace(swept, true) {
            tokio::spawn(sweep(Arc::downgrade(&self.pool)));
        }
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        if let Some(origin) = state.origins.get_mut(&self.origin) {
            origin.active_requests -= 1;
        }
        state.remove_unused_origin(&self.origin);
    }
}
