//! Pace of a subscription: what its receiver answers, and by that how many of its requests may be in flight, and whether
//! new events for it wait before they are taken in.
//!
//! Intake keeps pace with sending: of a receiver that answers promptly, no more first attempts may wait than may be in
//! flight. By Little's law they then wait about as long as a request takes, which is [`PROMPT_ANSWER`] at most. Whoever
//! posts faster waits in turn for a place. A receiver that is slow, fails or hangs holds nobody up: its first attempts
//! wait in its own queue, however many they are.
//!
//! A receiver is prompt while its share has not shrunk below what it began with, and while at least as many answers
//! came of late as requests are on the wire: then an answer takes [`PROMPT_ANSWER`] or little more, again by Little's law.
//!
//! A subscription that is held, or at a limit of its own, holds nobody up either: what waits does not wait for its receiver.
//!
//! `scheduler` holds the paces behind its lock.

use std::collections::VecDeque;
use std::time::Instant;

use tokio::sync::oneshot;

use super::adaptive_share::{AdaptiveShare, Answer, PROMPT_ANSWER, SLOW_ANSWER};

/// How many bytes the events may have that wait for a place of one subscription; one that waits alone may have more.
const MAX_WAITING_BYTES: usize = 4 << 20;
/// After how many times [`SLOW_ANSWER`] without a request an idle pace is forgotten.
const FORGET_AFTER: u32 = 10;

pub(super) struct Pace {
    share: AdaptiveShare,
    bounds: ShareBounds,
    /// Requests on the wire.
    sending: usize,
    /// When the last answer came, or a request was sent while none was on the wire.
    progress_at: Instant,
    /// Since when at least one request is on the wire.
    sending_since: Instant,
    answers: AnswerCount,
    /// New deliveries that have a place and are not stored yet.
    being_stored: usize,
    /// First attempts that were put into the queue and have not begun. An estimate that is never more than twice the
    /// share: what is canceled is not subtracted, and what a receiver that is not prompt gathers is not all added.
    queued: usize,
    waiting: VecDeque<WaitingEvent>,
    waiting_bytes: usize,
}

/// What a share begins with, and the most that it grows to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShareBounds {
    pub(crate) initial: usize,
    pub(crate) most: usize,
}

/// What of a subscription is under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Requests in flight.
    pub(super) in_flight: usize,
    /// Whether an automatic attempt is due that nobody has begun.
    pub(super) has_due: bool,
    /// Whether attempts wait for a limit or a hold of the subscription, and not for its receiver.
    pub(super) is_held_back: bool,
}

/// An event that waits for a place.
pub(super) struct WaitingEvent {
    pub(super) bytes: usize,
    /// Tells it that it has its place; closed where its caller went away.
    pub(super) admit: oneshot::Sender<()>,
}

impl Pace {
    pub(super) fn new(bounds: ShareBounds, now: Instant) -> Self {
        Self {
            share: AdaptiveShare::new(bounds.initial),
            bounds,
            sending: 0,
            progress_at: now,
            sending_since: now,
            answers: AnswerCount::new(now),
            being_stored: 0,
            queued: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    /// How many requests may be in flight. What the share has grown by counts no longer where no answer comes any more.
    pub(super) fn share(&self, now: Instant) -> usize {
        let silent = self.sending > 0 && now.saturating_duration_since(self.progress_at) > SLOW_ANSWER;
        if silent { self.share.size().min(self.bounds.initial) } else { self.share.size() }
    }

    /// A request leaves.
    pub(super) fn record_sent(&mut self, now: Instant) {
        if self.sending == 0 {
            (self.progress_at, self.sending_since) = (now, now);
        }
        self.sending += 1;
    }

    /// A request has ended, with an answer or without; `in_flight` is that of [`AdaptiveShare::record`].
    pub(super) fn record_end(&mut self, answer: Option<Answer>, in_flight: usize, now: Instant) {
        self.sending = self.sending.saturating_sub(1);
        if let Some(answer) = answer {
            self.progress_at = now;
            self.answers.add(now);
            self.share.record(answer, in_flight, self.bounds.most);
        }
    }

    fn is_prompt(&self, now: Instant) -> bool {
        let has_just_begun = now.saturating_duration_since(self.sending_since) <= PROMPT_ANSWER;
        let keeps_up = self.sending == 0 || has_just_begun || self.answers.recent(now) >= self.sending;
        self.share.size() >= self.bounds.initial && keeps_up
    }

    /// Whether another event may be taken in.
    pub(super) fn has_room(&self, load: Load, now: Instant) -> bool {
        let idle = load.in_flight == 0 && !load.has_due && self.being_stored == 0;
        let places = load.in_flight + self.being_stored + self.queued;
        idle || load.is_held_back || !self.is_prompt(now) || places < 2 * self.share(now)
    }

    /// Whether no event waits for a place.
    pub(super) fn nobody_waits(&self) -> bool {
        self.waiting.is_empty()
    }

    /// A new delivery has a place until it is stored.
    pub(super) fn begin_storing(&mut self) {
        self.being_stored += 1;
    }

    pub(super) fn end_storing(&mut self) {
        self.being_stored = self.being_stored.saturating_sub(1);
    }

    /// A first attempt was put into the queue.
    pub(super) fn add_queued(&mut self) {
        self.queued = (self.queued + 1).min(2 * self.share.size());
    }

    /// So many attempts of the queue begin; where `all` do, none is left that is due.
    pub(super) fn remove_queued(&mut self, count: usize, all: bool) {
        self.queued = if all { 0 } else { self.queued.saturating_sub(count) };
    }

    /// Lets an event wait, behind those that wait already. False if too much waits.
    pub(super) fn wait(&mut self, event: WaitingEvent) -> bool {
        if !self.waiting.is_empty() && self.waiting_bytes + event.bytes > MAX_WAITING_BYTES {
            return false;
        }
        self.waiting_bytes += event.bytes;
        self.waiting.push_back(event);
        true
    }

    /// Gives places to events that wait, as many as there is room for.
    pub(super) fn admit_waiting(&mut self, load: Load, now: Instant) {
        while !self.waiting.is_empty() && self.has_room(load, now) {
            let Some(event) = self.pop_waiting() else { return };
            if event.admit.send(()).is_ok() {
                self.begin_storing();
            }
        }
    }

    /// Removes the first events whose callers went away: those who have waited longest give up first.
    pub(super) fn remove_given_up(&mut self) {
        while self.waiting.front().is_some_and(|event| event.admit.is_closed()) {
            self.pop_waiting();
        }
    }

    fn pop_waiting(&mut self) -> Option<WaitingEvent> {
        let event = self.waiting.pop_front()?;
        self.waiting_bytes -= event.bytes;
        Some(event)
    }

    /// Whether nothing of it is under way, and has not been for a while: a new one is as good.
    pub(super) fn is_forgettable(&self, now: Instant) -> bool {
        let idle = self.sending == 0 && self.being_stored == 0 && self.waiting.is_empty();
        idle && now.saturating_duration_since(self.progress_at) > SLOW_ANSWER * FORGET_AFTER
    }
}

/// How many answers came in the current period of [`PROMPT_ANSWER`] and in the one before.
struct AnswerCount {
    period_start: Instant,
    current: usize,
    before: usize,
}

impl AnswerCount {
    fn new(now: Instant) -> Self {
        Self { period_start: now, current: 0, before: 0 }
    }

    fn add(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.period_start);
        if elapsed >= PROMPT_ANSWER {
            self.before = if elapsed < 2 * PROMPT_ANSWER { self.current } else { 0 };
            (self.current, self.period_start) = (0, now);
        }
        self.current += 1;
    }

    /// The answers of this period and the one before.
    fn recent(&self, now: Instant) -> usize {
        let elapsed = now.saturating_duration_since(self.period_start);
        if elapsed < PROMPT_ANSWER {
            self.current + self.before
        } else if elapsed < 2 * PROMPT_ANSWER {
            self.current
        } else {
            0
        }
    }
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
