//! Trace context of an event: which trace of its sender's tracing the event belongs to, as W3C Trace Context has it
//! (<https://www.w3.org/TR/trace-context/>). Another thing than the trace ID of a delivery.

use std::fmt;
use std::str::FromStr;

use super::id::AttemptId;

/// Flags that mean something here or in the next version of the standard: sampled, and random trace ID. Others are not passed
/// on.
const KNOWN_FLAGS: u8 = 0b11;
/// Where the parts of a `traceparent` begin and end: version, trace, span, flags.
const PARTS: [(usize, usize); 4] = [(0, 2), (3, 35), (36, 52), (53, 55)];
const LENGTH: usize = 55;
/// A version that is not allowed.
const INVALID_VERSION: u64 = 0xff;

/// The trace of an event, and how it is recorded. The span that sent the event is not kept: each attempt is a span of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    flags: u8,
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
        let is_valid = separators
            && ends_well
            && version != u128::from(INVALID_VERSION)
            && trace_id != 0
            && span_id != 0;
        let flags = u8::try_from(flags).map_err(|_| InvalidTraceContext)? & KNOWN_FLAGS;
        is_valid.then_some(Self { trace_id, flags }).ok_or(InvalidTraceContext)
    }
}

impl TraceContext {
    /// The `traceparent` of an attempt, which is a span of its own: its ID is the last 8 bytes of the attempt's.
    pub fn of_attempt(self, attempt: AttemptId) -> String {
        // A UUID has a variant in these bytes, so they are not all zero.
        self.with_span(attempt.uuid().as_u128() as u64)
    }

    fn with_span(self, span_id: u64) -> String {
        format!("00-{:032x}-{span_id:016x}-{:02x}", self.trace_id, self.flags)
    }
}

impl fmt::Display for TraceContext {
    /// As a `traceparent` whose span is not that of anybody.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_span(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn a_traceparent_by_table() {
        let read = |text: &str| text.parse::<TraceContext>().ok().map(|context| context.with_span(0xab));
        let sent = |flags: &str| Some(format!("00-{TRACE}-00000000000000ab-{flags}"));
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
    fn each_attempt_is_a_span_of_its_own() {
        let context: TraceContext = format!("00-{TRACE}-b7ad6b7169203331-01").parse().expect("valid");
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse::<Uuid>().expect("a UUID");
        assert_eq!(context.of_attempt(AttemptId::from_uuid(id)), format!("00-{TRACE}-bcceb302099a8057-01"));
    }
}
