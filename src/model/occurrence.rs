//! An event as formulas and templates look at it: its context is read once, however many do.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};

use super::event::Event;
use super::formula::Context;
use super::time::Timestamp;

/// How much the templates of all subscriptions may render to for one event, in bytes: as much memory is taken
/// until it is stored.
pub const MAX_RENDERED: usize = 32 << 20;

/// An event that came in at a time.
#[derive(Debug)]
pub struct Occurrence<'a> {
    pub event: &'a Event,
    /// When it was accepted.
    pub at: Timestamp,
    context: OnceLock<Option<Context<'a>>>,
    rendered: AtomicUsize,
}

impl<'a> Occurrence<'a> {
    pub fn new(event: &'a Event, at: Timestamp) -> Self {
        Self { event, at, context: OnceLock::new(), rendered: AtomicUsize::new(0) }
    }

    /// The loan's variables; none where the names in them are not Unicode.
    pub fn context(&self) -> Option<&Context<'a>> {
        self.context.get_or_init(|| Context::new(&self.event.context, self.now()).ok()).as_ref()
    }

    /// Whether there is room for so many more bytes of rendered templates; it is taken.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.rendered.fetch_add(bytes, Ordering::Relaxed) + bytes <= MAX_RENDERED
    }

    /// When it happened, as it was told, else when it was accepted: what `(now)` is.
    fn now(&self) -> DateTime<Utc> {
        let told = self.event.occurred_at.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        told.map(|time| time.to_utc())
            .or_else(|| DateTime::from_timestamp_millis(self.at.millis()))
            .unwrap_or(DateTime::UNIX_EPOCH)
    }
}
