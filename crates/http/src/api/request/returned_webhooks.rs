//! The check for webhooks that come back. A subscription whose receiver is loanhook's own intake would make an event of
//! each delivery, and a delivery of each event, without end.

use http::HeaderMap;

use loanhook_core::model::validation::ValidationErrors;

/// The beginning of the names of the headers that loanhook sends beside those of Standard Webhooks.
const OWN_HEADERS: &str = "loanhook-";

/// Refuses a request that is a webhook of loanhook.
pub(in crate::api) fn refuse_own_webhooks(headers: &HeaderMap) -> Result<(), ValidationErrors> {
    let Some(own) = headers.keys().find(|name| name.as_str().starts_with(OWN_HEADERS)) else { return Ok(()) };
    Err(ValidationErrors::one(
        own.as_str(),
        "is a header of a webhook that loanhook sent: a webhook that comes back to loanhook's intake is not taken in \
         again, as it would go round without end; let this subscription send elsewhere, or what forwards its \
         webhooks leave out their webhook-* and loanhook-* headers where that is no loop",
    ))
}
