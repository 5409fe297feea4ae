//! Evaluation of one event: what formulas and templates of all subscriptions share.
//!
//! The context is read once, and the limits on steps and rendered bytes hold over all of them together.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use chrono::{DateTime, Utc};

use super::event::Event;
use super::time::Timestamp;
use loanhook_formula::{Context, Formula, FormulaError, FormulaErrorKind, Position};

/// How much the templates of all subscriptions may render to for one event, in bytes: as much memory is taken
/// until it is stored.
pub const MAX_RENDERED_BYTES: usize = 32 << 20;
/// How many steps the formulas of all subscriptions may take for one event: about a tenth of a microsecond
/// each. The one that goes beyond is still answered.
pub const MAX_STEPS: u64 = 2_000_000;

/// Why there is nothing to look at in it.
pub(super) const NOT_UNICODE: &str = "a name in the event's context is not Unicode";

/// An event that came in at a time.
#[derive(Debug)]
pub struct EventEvaluation<'a> {
    pub event: &'a Event,
    /// When it was accepted.
    pub at: Timestamp,
    context: OnceLock<Option<Context<'a>>>,
    rendered: AtomicUsize,
    steps: AtomicU64,
}

impl<'a> EventEvaluation<'a> {
    pub fn new(event: &'a Event, at: Timestamp) -> Self {
        Self { event, at, context: OnceLock::new(), rendered: AtomicUsize::new(0), steps: AtomicU64::new(0) }
    }

    /// The loan's variables; none where the names in them are not Unicode.
    pub fn context(&self) -> Option<&Context<'a>> {
        self.context.get_or_init(|| Context::new(&self.event.context, self.now()).ok()).as_ref()
    }

    /// Whether a formula is true of it.
    pub fn holds(&self, formula: &Formula) -> Result<bool, FormulaError> {
        let context = self.context().ok_or_else(not_unicode_error)?;
        if self.steps.load(Ordering::Relaxed) >= MAX_STEPS {
            let detail = "the formulas of all subscriptions together take too long for this event";
            return Err(error_of_event(FormulaErrorKind::LimitExceeded, detail));
        }
        let (holds, used) = formula.is_true(context);
        self.steps.fetch_add(used.steps, Ordering::Relaxed);
        holds
    }

    /// What formulas and templates took so far, in steps.
    pub fn steps_used(&self) -> u64 {
        self.steps.load(Ordering::Relaxed) + self.rendered.load(Ordering::Relaxed) as u64 / 64
    }

    /// Whether there is room for so many more bytes of rendered templates; it is taken.
    pub fn reserve_rendered(&self, bytes: usize) -> bool {
        self.rendered.fetch_add(bytes, Ordering::Relaxed) + bytes <= MAX_RENDERED_BYTES
    }

    /// When it happened, as it was told, else when it was accepted: what `(now)` is.
    fn now(&self) -> DateTime<Utc> {
        let told = self.event.occurred_at.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        told.map(|time| time.to_utc())
            .or_else(|| DateTime::from_timestamp_millis(self.at.millis()))
            .unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// Why no formula has a value for an event whose context has names that are not Unicode.
pub(crate) fn not_unicode_error() -> FormulaError {
    error_of_event(FormulaErrorKind::Invalid, NOT_UNICODE)
}

fn error_of_event(kind: FormulaErrorKind, detail: &str) -> FormulaError {
    FormulaError { kind, position: Position::START, detail: detail.into() }
}

#[cfg(test)]
#[path = "event_evaluation_tests.rs"]
mod tests;
