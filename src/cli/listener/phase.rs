//! What one connection is at: what its deadlines go by, and whether it may be let go for another's sake.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use loanhook::web::Connection;
use tokio::sync::Notify;

/// A request's head must be there within this, from its first byte on (of a new connection, from its beginning).
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// A connection that waits for its next request is closed after this.
const IDLE_FOR: Duration = Duration::from_secs(75);
/// How often a connection without a near deadline is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What a connection is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// A head is coming, or the connection is new.
    Head,
    /// A request is being read or answered.
    Request,
    /// The same, and its caller showed a key or a session.
    KnownRequest,
    /// Nothing came since the last answer.
    Idle,
    /// Its last answer is written: what still comes is dropped.
    Closing,
}

impl Phase {
    const ALL: [Self; 5] = [Self::Head, Self::Request, Self::KnownRequest, Self::Idle, Self::Closing];
}

/// How willingly a connection is let go: the lesser first, of equals the one that came into it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Nobody who may be here ever spoke on it, or it is closing.
    Stranger,
    /// Somebody who may be here spoke on it, and is at no request now.
    Resting { since: Duration },
}

/// What a connection is at, as all see it who have to do with it.
#[derive(Debug)]
pub(super) struct ConnectionState {
    begun: Instant,
    phase: AtomicU8,
    /// When the phase began, in milliseconds after `begun`.
    since: AtomicU64,
    was_known: AtomicBool,
    let_go: Notify,
}

impl ConnectionState {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begun: now,
            phase: AtomicU8::new(Phase::Head as u8),
            since: AtomicU64::new(0),
            was_known: AtomicBool::new(false),
            let_go: Notify::new(),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        Phase::ALL.get(usize::from(self.phase.load(Ordering::Acquire))).copied().unwrap_or(Phase::Closing)
    }

    pub(super) fn enter(&self, phase: Phase) {
        let since = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.since.store(since, Ordering::Release);
        self.phase.store(phase as u8, Ordering::Release);
    }

    /// The last answer is written. What its deadline goes by stays as it was.
    pub(super) fn close(&self) {
        self.phase.store(Phase::Closing as u8, Ordering::Release);
    }

    pub(super) fn since(&self) -> Instant {
        self.begun + Duration::from_millis(self.since.load(Ordering::Acquire))
    }

    /// When it must have come on: now or earlier means that it is given up.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.phase() {
            Phase::Head | Phase::Closing => Some(self.since() + HEAD_WITHIN),
            Phase::Idle => Some(self.since() + IDLE_FOR),
            // Bodies and answers have deadlines of their own.
            Phase::Request | Phase::KnownRequest => None,
        }
    }

    /// When to look at it next.
    pub(super) fn next_look(&self, now: Instant) -> Instant {
        let soon = now + LOOK_EVERY;
        self.deadline().map_or(soon, |deadline| deadline.min(soon))
    }

    /// How willingly it is let go; none while somebody who may be here is at a request.
    pub(super) fn rank(&self) -> Option<Rank> {
        match self.phase() {
            Phase::KnownRequest => None,
            Phase::Closing => Some(Rank::Stranger),
            _ if !self.was_known.load(Ordering::Acquire) => Some(Rank::Stranger),
            _ => Some(Rank::Resting { since: self.since() - self.begun }),
        }
    }

    pub(super) fn let_go(&self) {
        self.let_go.notify_one();
    }

    pub(super) async fn is_let_go(&self) {
        self.let_go.notified().await;
    }
}

impl Connection for ConnectionState {
    fn authenticated(&self) {
        self.was_known.store(true, Ordering::Release);
        if self.phase() == Phase::Request {
            self.phase.store(Phase::KnownRequest as u8, Ordering::Release);
        }
    }
}
