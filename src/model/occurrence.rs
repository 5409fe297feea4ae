//! An event as formulas and templates look at it: its context is read once, however many do.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};

use super::event::Event;
use super::formula::Context;
use super::time::Timestamp;

/// An event that came in at a time.
#[derive(Debug)]
pub struct Occurrence<'a> {
    pub event: &'a Event,
    /// When it was accepted.
    pub at: Timestamp,
    context: OnceLock<Option<Context<'a>>>,
}

impl<'a> Occurrence<'a> {
    pub fn new(event: &'a Event, at: Timestamp) -> Self {
        Self { event, at, context: OnceLock::new() }
    }

    /// The loan's variables; none where the names in them are not Unicode.
    pub fn context(&self) -> Option<&Context<'a>> {
        self.context.get_or_init(|| Context::new(&self.event.context, self.now()).ok()).as_ref()
    }

    /// When it happened, as it was told, else when it was accepted: what `(now)` is.
    fn now(&self) -> DateTime<Utc> {
        let told = self.event.occurred_at.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        told.map(|time| time.to_utc())
            .or_else(|| DateTime::from_timestamp_millis(self.at.millis()))
            .unwrap_or(DateTime::UNIX_EPOCH)
    }
}
