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
    connection::http_connection::{Connection, Driver},
    connection::keep_alive::Limits,
    connection::monitored_stream::Watch,
};

/// How many connections wait for one origin, whatever was at work there.
const MAX_IDLE_PER_ORIGIN: usize = 512;
/// What "of late" means.
const WINDOW: Duration = Duration::from_secs(10);
const SWEPT_EVERY: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct Pool {
    limits: Limits,
    state: Mutex<State>,
    ids: AtomicU64,
}

#[derive(Default)]
struct State {
    origins: HashMap<Arc<str>, Origin>,
    idle: usize,
    swept: bool,
}

/// The connections of one origin.
struct Origin {
    /// The newest last.
    idle: Vec<Connection>,
    seats: usize,
    /// The most seats that were taken at once, in this window and in the one before.
    peaks: [usize; 2],
    window: Instant,
}

impl Origin {
    fn new(now: Instant) -> Self {
        Self { idle: Vec::new(), seats: 0, peaks: [0; 2], window: now }
    }

    fn sit(&mut self, now: Instant) {
        self.roll(now);
        self.seats += 1;
        self.peaks[0] = self.peaks[0].max(self.seats);
    }

    fn roll(&mut self, now: Instant) {
        let past = now.duration_since(self.window);
        if past >= WINDOW {
            self.peaks = [self.seats, if past < 2 * WINDOW { self.peaks[0] } else { self.seats }];
            self.window = now;
        }
    }

    /// How many connections may wait, besides those at work.
    fn room(&self) -> usize {
        let of_late = self.peaks[0].max(self.peaks[1]).min(MAX_IDLE_PER_ORIGIN);
        of_late.saturating_sub(self.seats + self.idle.len())
    }
}

impl Pool {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat at an origin, for one request.
    pub(crate) fn sit(self: &Arc<Self>, origin: &str) -> Seat {
        let now = Instant::now();
        let mut state = self.lock();
        let known = state.origins.get_key_value(origin).map(|(origin, _)| Arc::clone(origin));
        let origin = known.unwrap_or_else(|| Arc::from(origin));
        state.origins.entry(Arc::clone(&origin)).or_insert_with(|| Origin::new(now)).sit(now);
        Seat { pool: Arc::clone(self), origin }
    }

    /// Closes all that wait; how many that were.
    pub(crate) fn close_idle(&self) -> usize {
        let mut state = self.lock();
        state.origins.values_mut().for_each(|origin| origin.idle.clear());
        state.origins.retain(|_, origin| origin.seats > 0);
        std::mem::take(&mut state.idle)
    }

    /// A connection has ended; it does not wait any more, if it did.
    fn ended(&self, origin: &str, id: u64) {
        let mut state = self.lock();
        let Some(found) = state.origins.get_mut(origin) else { return };
        let Some(at) = found.idle.iter().position(|connection| connection.id() == id) else { return };
        drop(found.idle.remove(at));
        state.idle -= 1;
        state.tidy(origin);
    }

    /// Closes what has waited for too long; whether anything still waits.
    fn sweep(&self) -> bool {
        let now = Instant::now();
        let mut state = self.lock();
        state.origins.retain(|_, origin| {
            origin.idle.retain(|connection| connection.is_good(now));
            origin.seats > 0 || !origin.idle.is_empty()
        });
        state.idle = state.origins.values().map(|origin| origin.idle.len()).sum();
        state.swept = state.idle > 0;
        state.swept
    }
}

impl State {
    fn tidy(&mut self, origin: &str) {
        if self.origins.get(origin).is_some_and(|found| found.seats == 0 && found.idle.is_empty()) {
            self.origins.remove(origin);
        }
    }
}

async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(SWEPT_EVERY).await;
        if !pool.upgrade().is_some_and(|pool| pool.sweep()) {
            return;
        }
    }
}

/// A request's place at an origin.
pub(crate) struct Seat {
    pool: Arc<Pool>,
    origin: Arc<str>,
}

impl Seat {
    /// The newest connection that waits here. It may have ended without anybody having heard of it yet.
    pub(crate) fn kept(&self) -> Option<Connection> {
        let now = Instant::now();
        let mut state = self.pool.lock();
        loop {
            let mut connection = state.origins.get_mut(&self.origin)?.idle.pop()?;
            state.idle -= 1;
            if connection.is_good(now) {
                connection.resume();
                return Some(connection);
            }
        }
    }

    /// Begins a new connection: spawns what drives it.
    pub(crate) fn begin<I>(
        &self,
        (requests, driver): (SendRequest<Full<Bytes>>, http1::Connection<I, Full<Bytes>>),
        watch: Arc<Watch>,
        local: IpAddr,
        remote: SocketAddr,
    ) -> Connection
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let id = self.pool.ids.fetch_add(1, Ordering::Relaxed);
        let (pool, origin) = (Arc::downgrade(&self.pool), Arc::clone(&self.origin));
        let driving = async move {
            // How it ended is told to whoever waits for an answer.
            driver.await.ok();
        };
        let driver = Driver::spawn(driving, self.pool.limits.farewell, move || {
            if let Some(pool) = pool.upgrade() {
                pool.ended(&origin, id);
            }
        });
        Connection::new(id, requests, watch, (local, remote), self.pool.limits.age, driver)
    }

    /// Lets a connection wait for another request for this long at most, where there is room for it.
    pub(crate) fn keep(&self, mut connection: Connection, idle: Duration) {
        let now = Instant::now();
        connection.wait_until(now + idle.min(self.pool.limits.idle));
        if connection.used >= self.pool.limits.requests {
            return;
        }
        let mut state = self.pool.lock();
        let State { origins, idle: all, swept } = &mut *state;
        let Some(origin) = origins.get_mut(&self.origin) else { return };
        origin.roll(now);
        // The seat that this request has is free in a moment.
        origin.seats -= 1;
        let room = origin.room();
        origin.seats += 1;
        // The driver looks for its connection here after it has ended: it is here, or is known to have ended.
        if room == 0 || *all >= self.pool.limits.idle_in_all || !connection.is_good(now) {
            return;
        }
        origin.idle.push(connection);
        *all += 1;
        if !std::mem::replace(swept, true) {
            tokio::spawn(sweep(Arc::downgrade(&self.pool)));
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        if let Some(origin) = state.origins.get_mut(&self.origin) {
            origin.seats -= 1;
        }
        state.tidy(&self.origin);
    }
}
