//! Spans: what was done for an event and for each attempt, and when, for whoever follows a trace over several systems.
//!
//! ```text
//! the caller's span
//! └─ intake            an event, from its call until it is stored
//!    └─ attempt        of each delivery, each retry and each resend
//!       ├─ claim       until the row is stored as `sending`
//!       ├─ request     what the receiver is told in `traceparent`
//!       └─ completion  until what came of it is stored
//! ```
//!
//! A span is recorded when it has ended, from what its use case has at hand: a claim is found to be one of an event's trace
//! only once it is made, and the IDs of intake and request are those of the event and of the attempt, so that another process
//! knows them without being told. Without a recorder nothing is made.
//!
//! No span holds a loan, a payload, a header value or a path of a URL.

mod attempt;
mod intake;

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use self::attempt::{AttemptSpans, record_interrupted};
pub(crate) use self::intake::IntakeSpan;
use crate::model::time::Timestamp;
use crate::model::trace_context::TraceContext;

/// What takes spans to where they are looked at.
pub trait SpanRecorder: fmt::Debug + Send + Sync {
    /// Whether a span is recorded, by the sampling that was chosen; the same for the same arguments. `context` is of the span,
    /// `parent` what it is below.
    fn samples(&self, kind: SpanKind, context: &TraceContext, parent: Option<Parent<'_>>) -> bool;

    /// Takes a span that has ended, and does not wait for anything.
    fn record(&self, span: Span);
}

/// What a span is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    Intake,
    Attempt,
    Claim,
    Request,
    Completion,
}

impl SpanKind {
    /// The name of the span.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Attempt => "attempt",
            Self::Claim => "claim",
            Self::Request => "request",
            Self::Completion => "completion",
        }
    }
}

/// The span that another one is below.
#[derive(Debug, Clone, Copy)]
pub struct Parent<'a> {
    pub context: &'a TraceContext,
    /// It may be of another process.
    pub is_remote: bool,
}

/// A span that has ended.
#[derive(Debug, Clone)]
pub struct Span {
    pub kind: SpanKind,
    pub context: TraceContext,
    /// The ID of the span that it is below, and whether that may be of another process.
    pub parent: Option<(u64, bool)>,
    pub began: SystemTime,
    /// Not before it began.
    pub ended: SystemTime,
    pub attributes: Vec<Attribute>,
    pub failed: bool,
}

/// A name, by the semantic conventions of OpenTelemetry or beginning with `loanhook.`, and a value.
pub type Attribute = (&'static str, AttributeValue);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    Text(String),
    Number(i64),
}

impl<T: Into<String>> From<T> for AttributeValue {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

static RECORDER: OnceLock<Box<dyn SpanRecorder>> = OnceLock::new();

/// Has spans recorded from now on, in all of this process. False, and nothing changes, where a recorder was set before.
pub fn record_to(recorder: Box<dyn SpanRecorder>) -> bool {
    RECORDER.set(recorder).is_ok()
}

/// Whether spans are recorded in this process.
pub fn are_recorded() -> bool {
    recorder().is_some()
}

fn recorder() -> Option<&'static dyn SpanRecorder> {
    RECORDER.get().map(Box::as_ref)
}

/// A span that has begun and is recorded when it ends.
#[derive(Debug)]
struct OpenSpan {
    recorder: &'static dyn SpanRecorder,
    kind: SpanKind,
    context: TraceContext,
    parent: Option<(u64, bool)>,
    began: SystemTime,
    attributes: Vec<Attribute>,
}

impl OpenSpan {
    /// A span below this one that began then.
    fn child(&self, kind: SpanKind, span_id: u64, began: SystemTime) -> Self {
        Self {
            recorder: self.recorder,
            kind,
            context: self.context.with_span(span_id),
            parent: Some((self.context.span_id(), false)),
            began,
            attributes: self.attributes.clone(),
        }
    }

    fn end(self, failed: bool) {
        self.end_at(SystemTime::now(), failed);
    }

    fn end_at(self, ended: SystemTime, failed: bool) {
        let Self { recorder, kind, context, parent, began, attributes } = self;
        // The clock may have been set back meanwhile.
        let ended = ended.max(began);
        recorder.record(Span { kind, context, parent, began, ended, attributes, failed });
    }
}

/// The ID of a span that nobody has to know beforehand.
fn random_span_id() -> u64 {
    // A UUID has a variant in its last 8 bytes, so they are not all zero.
    uuid::Uuid::new_v4().as_u128() as u64
}

fn system_time(time: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(time.millis()).unwrap_or(0))
}

#[cfg(test)]
mod tests;
