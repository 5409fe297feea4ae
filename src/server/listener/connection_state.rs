//! The state of a connection: its phase, the deadline of that phase, and whether the connection may be evicted for
//! another one.
//!
//! The task that serves a connection, its socket and its bodies report what happens; [`ConnectionPermits`] reads the
//! state to choose which connection to evict.
//!
//! [`ConnectionPermits`]: super::connection_permits::ConnectionPermits

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use loanhook_http::web::AuthenticationObserver;
use tokio::sync::Notify;

/// The time for the head of a request, from its first byte on; of a new connection, from its beginning.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The time that a connection may wait for its next request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// The longest time between two checks of a connection's deadline.
const DEADLINE_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// A connection is in one phase at a time. Its request is authenticated once it showed a valid key or session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The head of a request is being read, or the connection is new.
    ReadingHead,
    /// A request that is not authenticated is being read or answered.
    UnauthenticatedRequest,
    /// An authenticated request waits for its caller, who sends the rest of the body or reads the response.
    WaitingForCaller,
    /// An authenticated request is being answered, and waits for nothing from its caller.
    AuthenticatedRequest,
    /// Nothing came since the last response.
    Idle,
    /// The last response is written: what still comes is discarded.
    Closing,
}

/// The order of eviction, lowest first: of unauthenticated connections the oldest, of others of one kind the one that has
/// been in its phase longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EvictionRank {
    /// No request on the connection was ever authenticated, or it is closing.
    Unauthenticated,
    /// A request on the connection was authenticated, and no authenticated request is under way.
    Idle { since: Instant },
    /// An authenticated request waits for its caller.
    WaitingForCaller { since: Instant },
}

#[derive(Debug)]
struct PhaseRecord {
    phase: Phase,
    since: Instant,
    /// A request on this connection, now or earlier, was authenticated.
    was_authenticated: bool,
    /// The body of the request is read, or nobody wants the rest of it.
    body_is_read: bool,
}

#[derive(Debug)]
pub(super) struct ConnectionState {
    current: Mutex<PhaseRecord>,
    evicted: Notify,
}

impl ConnectionState {
    pub(super) fn new(now: Instant) -> Self {
        let current = PhaseRecord {
            phase: Phase::ReadingHead,
            since: now,
            was_authenticated: false,
            body_is_read: false,
        };
        Self { current: Mutex::new(current), evicted: Notify::new() }
    }

    fn current(&self) -> MutexGuard<'_, PhaseRecord> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn phase(&self) -> Phase {
        self.current().phase
    }

    pub(super) fn enter(&self, phase: Phase, now: Instant) {
        let mut current = self.current();
        let was_authenticated = current.was_authenticated;
        *current = PhaseRecord { phase, since: now, body_is_read: false, was_authenticated };
    }

    /// The last response is written. The deadline counts from the beginning of the phase before.
    pub(super) fn close(&self) {
        self.current().phase = Phase::Closing;
    }

    /// The body of the request is read, or nobody wants the rest of it.
    pub(super) fn set_body_read(&self) {
        let mut current = self.current();
        let is_first_call = !std::mem::replace(&mut current.body_is_read, true);
        if is_first_call && current.phase == Phase::WaitingForCaller {
            current.phase = Phase::AuthenticatedRequest;
        }
    }

    /// The caller reads its response more slowly than it is written.
    pub(super) fn set_reading_slowly(&self) {
        let mut current = self.current();
        if current.phase == Phase::AuthenticatedRequest {
            current.phase = Phase::WaitingForCaller;
        }
    }

    /// When the connection is closed unless it has entered another phase; none where the phase has no deadline here.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let PhaseRecord { phase, since, .. } = *self.current();
        match phase {
            Phase::ReadingHead | Phase::Closing => Some(since + HEAD_TIMEOUT),
            Phase::Idle => Some(since + IDLE_TIMEOUT),
            // Bodies and responses have deadlines of their own.
            Phase::UnauthenticatedRequest | Phase::WaitingForCaller | Phase::AuthenticatedRequest => None,
        }
    }

    /// When to check the deadline next.
    pub(super) fn next_deadline_check(&self, now: Instant) -> Instant {
        let latest = now + DEADLINE_CHECK_INTERVAL;
        self.deadline().map_or(latest, |deadline| deadline.min(latest))
    }

    /// None where the connection must not be evicted: an authenticated request is complete, and being answered.
    pub(super) fn eviction_rank(&self) -> Option<EvictionRank> {
        let PhaseRecord { phase, since, was_authenticated, .. } = *self.current();
        match phase {
            Phase::AuthenticatedRequest => None,
            Phase::WaitingForCaller => Some(EvictionRank::WaitingForCaller { since }),
            Phase::Closing => Some(EvictionRank::Unauthenticated),
            Phase::ReadingHead | Phase::UnauthenticatedRequest | Phase::Idle if !was_authenticated => {
                Some(EvictionRank::Unauthenticated)
            }
            Phase::ReadingHead | Phase::UnauthenticatedRequest | Phase::Idle => {
                Some(EvictionRank::Idle { since })
            }
        }
    }

    /// Asks the task that serves the connection to end it.
    pub(super) fn evict(&self) {
        self.evicted.notify_one();
    }

    /// Waits until [`evict`](Self::evict) is called.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

impl AuthenticationObserver for ConnectionState {
    fn on_authenticated(&self) {
        let mut current = self.current();
        current.was_authenticated = true;
        if current.phase == Phase::UnauthenticatedRequest {
            current.phase =
                if current.body_is_read { Phase::AuthenticatedRequest } else { Phase::WaitingForCaller };
        }
    }
}
