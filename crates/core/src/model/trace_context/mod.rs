//! Trace context of an event: which trace of its sender's tracing the event belongs to, as W3C Trace Context has it
//! (<https://www.w3.org/TR/trace-context/>). Another thing than the trace ID of a delivery.

mod trace_state;

use std::fmt;
use std::str::FromStr;

pub use self::trace_state::{InvalidTraceState, TraceState};
use super::id::{AttemptId, EventId};

/// Whoever passes the trace on recorded it.
const SAMPLED: u8 = 0b01;
/// The last 7 bytes of the trace ID are random.
const RANDOM: u8 = 0b10;
/// Flags that mean something here or in the next version of the standard. Others are not passed on.
const KNOWN_FLAGS: u8 = SAMPLED | RANDOM;
/// Where the parts of a `traceparent` begin and end: version, trace, span, flags.
const PARTS: [(usize, usize); 4] = [(0, 2), (3, 35), (36, 52), (53, 55)];
const LENGTH: usize = 55;
/// A version that is not allowed.
const INVALID_VERSION: u128 = 0xff;

/// A span of a trace, and how the trace is recorded: of an event, the span that sent it, or that of its intake where spans are
/// recorded. What comes of the event later is below that span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
    state: Option<TraceState>,
}

/// What is no `traceparent`: it is treated as if there were none.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidTraceContext;

impl FromStr for TraceContext {
    type Err = InvalidTraceContext;

    /// A `traceparent`, or what [`fmt::Display`] gives of a trace context. Of a later version of the standard what this one
    /// knows is read.
    fn from_str(text: &str) -> Result<Self, InvalidTraceContext> {
        let bytes = text.as_bytes();
        let separators = PARTS.iter().skip(1).all(|(start, _)| bytes.get(start - 1) == Some(&b'-'));
        let part = |(start, end): (usize, usize)| {
            let digits = text.get(start..end)?;
            let is_hex = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
            is_hex.then(|| u128::from_str_radix(digits, 16).ok())?
        };
        let parts = PARTS.map(part);
        let [Some(version), Some(trace_id), Some(span_id), Some(flags)] = parts else {
            return Err(InvalidTraceContext);
        };
        let ends_well = match version {
            0 => bytes.len() == LENGTH,
            _ => bytes.len() == LENGTH || bytes.get(LENGTH) == Some(&b'-'),
        };
        let is_valid = separators && ends_well && version != INVALID_VERSION && trace_id != 0 && span_id != 0;
        let span_id = u64::try_from(span_id).map_err(|_| InvalidTraceContext)?;
        let flags = u8::try_from(flags).map_err(|_| InvalidTraceContext)? & KNOWN_FLAGS;
        is_valid.then_some(Self { trace_id, span_id, flags, state: None }).ok_or(InvalidTraceContext)
    }
}

impl TraceContext {
    /// The context of an event whose request had none: its intake begins a trace, whose ID comes from the event's. It begins with
    /// the second of acceptance, which AWS X-Ray wants of a trace ID, and ends with the last 96 bits of the event's.
    pub fn of_new_trace(event: EventId) -> Self {
        let id = event.uuid().as_u128();
        let second = u32::try_from(event.time().seconds()).unwrap_or(u32::MAX);
        let trace_id = (u128::from(second) << 96) | (id & (u128::MAX >> 32));
        // The last 62 bits of such a UUID are random.
        Self { trace_id, span_id: last_half(id), flags: RANDOM, state: None }
    }

    /// The span of an event's intake, in this trace.
    #[must_use]
    pub fn of_intake(&self, event: EventId) -> Self {
        self.with_span(last_half(event.uuid().as_u128()))
    }

    /// The request of an attempt, which is a span of its own in this trace: its ID is the last 8 bytes of the attempt's.
    #[must_use]
    pub fn of_attempt(&self, attempt: AttemptId) -> Self {
        self.with_span(last_half(attempt.uuid().as_u128()))
    }

    /// Another span of this trace.
    #[must_use]
    pub fn with_span(&self, span_id: u64) -> Self {
        Self { span_id, ..self.clone() }
    }

    /// The same, with the `tracestate` that came with it.
    #[must_use]
    pub fn with_state(self, state: Option<TraceState>) -> Self {
        Self { state, ..self }
    }

    /// The same, recorded or not.
    #[must_use]
    pub fn with_sampled(mut self, sampled: bool) -> Self {
        self.flags = if sampled { self.flags | SAMPLED } else { self.flags & !SAMPLED };
        self
    }

    pub const fn state(&self) -> Option<&TraceState> {
        self.state.as_ref()
    }

    pub const fn trace_id(&self) -> u128 {
        self.trace_id
    }

    pub const fn span_id(&self) -> u64 {
        self.span_id
    }

    pub const fn flags(&self) -> u8 {
        self.flags
    }

    pub const fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }
}

/// The last 8 bytes of a UUID. It has a variant in them, so they are not all zero.
const fn last_half(uuid: u128) -> u64 {
    uuid as u64
}

impl fmt::Display for TraceContext {
    /// As a `traceparent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn a_traceparent_by_table() {
        let read = |text: &str| text.parse::<TraceContext>().ok().map(|context| context.to_string());
        let sent = |flags: &str| Some(format!("00-{TRACE}-b7ad6b7169203331-{flags}"));
        for (text, expected) in [
            (format!("00-{TRACE}-b7ad6b7169203331-01"), sent("01")),
            (format!("00-{TRACE}-b7ad6b7169203331-00"), sent("00")),
            (format!("00-{TRACE}-b7ad6b7169203331-ff"), sent("03")),
            // A later version may have more.
            (format!("cc-{TRACE}-b7ad6b7169203331-01"), sent("01")),
            (format!("cc-{TRACE}-b7ad6b7169203331-01-what-will-be"), sent("01")),
            (format!("cc-{TRACE}-b7ad6b7169203331-01.what"), None),
            (format!("00-{TRACE}-b7ad6b7169203331-01-more"), None),
            (format!("ff-{TRACE}-b7ad6b7169203331-01"), None),
            (format!("00-{TRACE}-0000000000000000-01"), None),
            (format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)), None),
            (format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()), None),
            (format!("00-{TRACE}-b7ad6b7169203331-0"), None),
            (format!("00-{TRACE}-b7ad6b716920333-01"), None),
            (format!("00_{TRACE}_b7ad6b7169203331_01"), None),
            (format!("00-+{}-b7ad6b7169203331-01", &TRACE[1..]), None),
            (format!("00-{TRACE}-b7ad6b716920333é-01"), None),
            ("é".repeat(40), None),
            (String::new(), None),
        ] {
            assert_eq!(read(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_displayed_is_read_again() {
        let context: TraceContext = format!("00-{TRACE}-b7ad6b7169203331-01").parse().expect("valid");
        assert_eq!(context.to_string().parse(), Ok(context));
    }

    #[test]
    fn a_new_trace_begins_with_its_second_and_ends_with_its_event() {
        let event = EventId::from_uuid("01890a5d-ac96-874b-bcce-b302099a8057".parse().expect("a UUID"));
        let context = TraceContext::of_new_trace(event);
        let second = event.time().seconds();
        let trace = format!("{second:08x}ac96874bbcceb302099a8057");
        assert_eq!(context.to_string(), format!("00-{trace}-bcceb302099a8057-02"));
        assert_eq!(context.to_string().parse(), Ok(context));
    }

    #[test]
    fn each_attempt_is_a_span_of_its_own() {
        let context: TraceContext = format!("00-{TRACE}-b7ad6b7169203331-01").parse().expect("valid");
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse::<Uuid>().expect("a UUID");
        let of_attempt = context.of_attempt(AttemptId::from_uuid(id)).to_string();
        assert_eq!(of_attempt, format!("00-{TRACE}-bcceb302099a8057-01"));
    }
}
