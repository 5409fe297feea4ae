//! The connections of one origin (`scheme://host:port`): the idle ones, and how many requests are active.
//!
//! The pool has one of these for each origin. As many connections are kept idle as requests were active at once in the
//! last 10 to 20 s: a receiver with 160 active requests has 160 connections, and keeps them from one burst to the next.

use std::time::Duration;

use tokio::time::Instant;

use crate::connection::http_connection::HttpConnection;

/// How many connections may be idle for one origin, however many requests were active.
const MAX_IDLE_CONNECTIONS_PER_ORIGIN: usize = 512;
/// For how long a peak is measured before the next one.
const PEAK_WINDOW: Duration = Duration::from_secs(10);

pub(super) struct OriginConnections {
    /// The newest last.
    pub(super) idle: Vec<HttpConnection>,
    active_requests: usize,
    /// The most requests that were active at once, in this window and in the one before.
    peaks: [usize; 2],
    window_start: Instant,
}

impl OriginConnections {
    pub(super) fn new(now: Instant) -> Self {
        Self { idle: Vec::new(), active_requests: 0, peaks: [0; 2], window_start: now }
    }

    pub(super) fn begin_request(&mut self, now: Instant) {
        self.advance_window(now);
        self.active_requests += 1;
        self.peaks[0] = self.peaks[0].max(self.active_requests);
    }

    pub(super) fn end_request(&mut self) {
        self.active_requests -= 1;
    }

    /// Whether nothing is known of the origin any more.
    pub(super) fn is_unused(&self) -> bool {
        self.active_requests == 0 && self.idle.is_empty()
    }

    /// Whether the connection of a request that is about to end may become idle.
    pub(super) fn has_room_for_idle(&mut self, now: Instant) -> bool {
        self.advance_window(now);
        let recent_peak = self.peaks[0].max(self.peaks[1]).min(MAX_IDLE_CONNECTIONS_PER_ORIGIN);
        let other_requests = self.active_requests - 1;
        recent_peak > other_requests + self.idle.len()
    }

    fn advance_window(&mut self, now: Instant) {
        let elapsed = now.duration_since(self.window_start);
        if elapsed >= PEAK_WINDOW {
            let previous = if elapsed < 2 * PEAK_WINDOW { self.peaks[0] } else { self.active_requests };
            self.peaks = [self.active_requests, previous];
            self.window_start = now;
        }
    }
}
