//! Stored completion of an attempt: the response, or why there was none. A part of the attempt's document.

use std::borrow::Cow;
use std::net::IpAddr;

use loanhook_core::model::attempt::{Completion, StoredResponse as ModelResponse};
use loanhook_core::model::failure::Failure;
use serde::{Deserialize, Serialize};

use crate::payload::StoredPayload;
use crate::values::StoredTime;
use crate::words::{StoredErrorKind, StoredPhase};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredCompletion<'a> {
    ended_at: StoredTime,
    response_time_ms: Option<f64>,
    source_ip: Option<IpAddr>,
    /// `{"Ok": status}` or `{"Err": failure}`.
    result: Result<u16, StoredFailure<'a>>,
    response: Option<StoredResponse<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredFailure<'a> {
    kind: StoredErrorKind,
    /// Absent or null where nobody knows.
    #[serde(default)]
    phase: Option<StoredPhase>,
    detail: Cow<'a, str>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredResponse<'a> {
    payload: StoredPayload,
    content_type: Option<Cow<'a, str>>,
    truncated: bool,
    headers: Cow<'a, [(String, String)]>,
    headers_truncated: bool,
    /// Absent is none.
    #[serde(default)]
    headers_dropped: u32,
}

impl<'a> From<&'a Completion> for StoredCompletion<'a> {
    fn from(completion: &'a Completion) -> Self {
        let Completion { ended_at, response_time_ms, source_ip, result, response } = completion;
        Self {
            ended_at: StoredTime(*ended_at),
            response_time_ms: *response_time_ms,
            source_ip: *source_ip,
            result: result.as_ref().map(|status| *status).map_err(StoredFailure::from),
            response: response.as_ref().map(StoredResponse::from),
        }
    }
}

impl From<StoredCompletion<'_>> for Completion {
    fn from(stored: StoredCompletion<'_>) -> Self {
        let StoredCompletion { ended_at, response_time_ms, source_ip, result, response } = stored;
        Self {
            ended_at: ended_at.0,
            response_time_ms,
            source_ip,
            result: result.map_err(Failure::from),
            response: response.map(ModelResponse::from),
        }
    }
}

impl<'a> From<&'a Failure> for StoredFailure<'a> {
    fn from(failure: &'a Failure) -> Self {
        let Failure { kind, phase, detail } = failure;
        Self { kind: (*kind).into(), phase: phase.map(StoredPhase::from), detail: detail.into() }
    }
}

impl From<StoredFailure<'_>> for Failure {
    fn from(stored: StoredFailure<'_>) -> Self {
        let StoredFailure { kind, phase, detail } = stored;
        Self { kind: kind.into(), phase: phase.map(Into::into), detail: detail.into_owned() }
    }
}

impl<'a> From<&'a ModelResponse> for StoredResponse<'a> {
    fn from(response: &'a ModelResponse) -> Self {
        let ModelResponse { payload, content_type, truncated, headers, headers_truncated, headers_dropped } =
            response;
        Self {
            payload: (*payload).into(),
            content_type: content_type.as_deref().map(Cow::Borrowed),
            truncated: *truncated,
            headers: Cow::Borrowed(headers),
            headers_truncated: *headers_truncated,
            headers_dropped: *headers_dropped,
        }
    }
}

impl From<StoredResponse<'_>> for ModelResponse {
    fn from(stored: StoredResponse<'_>) -> Self {
        let StoredResponse { payload, content_type, truncated, headers, headers_truncated, headers_dropped } =
            stored;
        Self {
            payload: payload.into(),
            content_type: content_type.map(Cow::into_owned),
            truncated,
            headers: headers.into_owned(),
            headers_truncated,
            headers_dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use loanhook_core::model::failure::{ErrorKind, Phase};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_failure_is_kind_phase_and_detail_in_json() {
        let failure = Failure::at(Phase::Wait, ErrorKind::Timeout, "no answer within 15 s");
        let json = json!({"kind": "timeout", "phase": "wait", "detail": "no answer within 15 s"});
        assert_eq!(json!(StoredFailure::from(&failure)), json);
        let stored: StoredFailure<'_> = serde_json::from_value(json).expect("a failure");
        assert_eq!(Failure::from(stored), failure);
    }

    #[test]
    fn a_failure_of_an_older_version_has_no_phase() {
        let json = json!({"kind": "dns", "detail": "the name x does not resolve"});
        let stored: StoredFailure<'_> = serde_json::from_value(json).expect("a failure");
        let failure = Failure::from(stored);
        assert_eq!(failure, Failure::new(ErrorKind::Dns, "the name x does not resolve"));
        assert_eq!(json!(StoredFailure::from(&failure))["phase"], Value::Null);
    }
}
