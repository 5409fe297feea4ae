//! The headers `traceparent` and `tracestate` of a request with events.

use http::{HeaderMap, HeaderValue};

use loanhook_core::model::trace_context::{TraceContext, TraceState};

/// The trace context of a request; none where it has no `traceparent`, more than one, or one that is not valid: the standard
/// asks to go on as if there were none.
pub(in crate::api) fn of_headers(headers: &HeaderMap) -> Option<TraceContext> {
    let mut values = headers.get_all("traceparent").iter();
    let (value, more) = (values.next()?, values.next());
    let context: TraceContext = if more.is_some() { None } else { value.to_str().ok()?.parse().ok() }?;
    Some(context.with_state(state_of(headers)))
}

/// The trace state of a request, which may be in more than one header; none where it is not valid.
fn state_of(headers: &HeaderMap) -> Option<TraceState> {
    let values = headers.get_all("tracestate").iter().map(HeaderValue::to_str);
    let values: Vec<_> = values.collect::<Result<_, _>>().ok()?;
    values.join(",").parse().ok()
}
