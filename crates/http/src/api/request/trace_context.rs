//! The header `traceparent` of a request with events.

use http::HeaderMap;

use loanhook_core::model::trace_context::TraceContext;

/// The trace context of a request; none where it has no `traceparent`, more than one, or one that is not valid: the standard
/// asks to go on as if there were none.
pub(in crate::api) fn of_headers(headers: &HeaderMap) -> Option<TraceContext> {
    let mut values = headers.get_all("traceparent").iter();
    let (value, more) = (values.next()?, values.next());
    if more.is_some() { None } else { value.to_str().ok()?.parse().ok() }
}
