//! Phases of a connection: what its deadlines go by, and whether it may be let go for another's sake.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use loanhook_http::web::Connection;
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
    /// The same, its caller showed a key or a session, and now it is the caller that is waited for: for the rest of the
    /// body, or to read the answer.
    KnownCallerAwaited,
    /// A request of a caller who showed a key or a session is being answered, and nothing of the caller is waited for.
    KnownRequest,
    /// Nothing came since the last answer.
    Idle,
    /// Its last answer is written: what still comes is dropped.
    Closing,
}

/// How willingly a connection is let go: the lesser first, of equals the one that came into it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Nobody who may be here ever spoke on it, or it is closing.
    Stranger,
    /// Somebody who may be here spoke on it, and is at no request now.
    Resting { since: Instant },
    /// Somebody who may be here is at a request, and sends or reads slowly.
    Awaited { since: Instant },
}

#[derive(Debug)]
struct Progress {
    phase: Phase,
    since: Instant,
    was_known: bool,
    /// The body of the request is read, or nobody wants it any more.
    body_is_read: bool,
}

/// What a connection is at, as all see it who have to do with it.
#[derive(Debug)]
pub(super) struct ConnectionState {
    progress: Mutex<Progress>,
    let_go: Notify,
}

impl ConnectionState {
    pub(super) fn new(now: Instant) -> Self {
        let progress = Progress { phase: Phase::Head, since: now, was_known: false, body_is_read: false };
        Self { progress: Mutex::new(progress), let_go: Notify::new() }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn phase(&self) -> Phase {
        self.progress().phase
    }

    pub(super) fn enter(&self, phase: Phase, now: Instant) {
        let mut progress = self.progress();
        *progress = Progress { phase, since: now, body_is_read: false, was_known: progress.was_known };
    }

    /// The last answer is written. What its deadline goes by stays as it was.
    pub(super) fn close(&self) {
        self.progress().phase = Phase::Closing;
    }

    /// Nothing more of the request is waited for.
    pub(super) fn body_is_read(&self) {
        let mut progress = self.progress();
        let is_first = !std::mem::replace(&mut progress.body_is_read, true);
        if is_first && progress.phase == Phase::KnownCallerAwaited {
            progress.phase = Phase::KnownRequest;
        }
    }

    /// The caller does not read its answer as fast as it is written.
    pub(super) fn reads_slowly(&self) {
        let mut progress = self.progress();
        if progress.phase == Phase::KnownRequest {
            progress.phase = Phase::KnownCallerAwaited;
        }
    }

    /// When it must have come on: now or earlier means that it is given up.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let Progress { phase, since, .. } = *self.progress();
        match phase {
            Phase::Head | Phase::Closing => Some(since + HEAD_WITHIN),
            Phase::Idle => Some(since + IDLE_FOR),
            // Bodies and answers have deadlines of their own.
            Phase::Request | Phase::KnownCallerAwaited | Phase::KnownRequest => None,
        }
    }

    /// When to look at it next.
    pub(super) fn next_look(&self, now: Instant) -> Instant {
        let soon = now + LOOK_EVERY;
        self.deadline().map_or(soon, |deadline| deadline.min(soon))
    }

    /// How willingly it is let go; none while we are at a request of somebody who may be here.
    pub(super) fn rank(&self) -> Option<Rank> {
        let Progress { phase, since, was_known, .. } = *self.progress();
        match phase {
            Phase::KnownRequest => None,
            Phase::KnownCallerAwaited => Some(Rank::Awaited { since }),
            Phase::Closing => Some(Rank::Stranger),
            Phase::Head | Phase::Request | Phase::Idle if !was_known => Some(Rank::Stranger),
            Phase::Head | Phase::Request | Phase::Idle => Some(Rank::Resting { since }),
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
        let mut progress = self.progress();
        progress.was_known = true;
        if progress.phase == Phase::Request {
            let answered = progress.body_is_read;
            progress.phase = if answered { Phase::KnownRequest } else { Phase::KnownCallerAwaited };
        }
    }
}
