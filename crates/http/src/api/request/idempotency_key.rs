//! Idempotency keys of callers: a header, or a field beside an event of a batch.

use http::HeaderMap;

use crate::api::problem::Problem;
use loanhook_core::model::validation::{ValidationErrors, idempotency_key_error};

/// The idempotency key in the headers of a request, if it has one.
pub(in crate::api) fn of_headers(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().ok().filter(|_| values.next().is_none());
    check(key.unwrap_or_default(), "Idempotency-Key")?;
    Ok(key.map(str::to_owned))
}

/// Checks a key that was given by the field or header of this name.
pub(in crate::api) fn check(key: &str, pointer: &str) -> Result<(), ValidationErrors> {
    idempotency_key_error(key).map_or(Ok(()), |error| Err(ValidationErrors::one(pointer, error)))
}
