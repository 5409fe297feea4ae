//! Recording of a response in the history: the row is completed, the store is asked again where it fails.

use std::time::Duration;

use bytes::Bytes;
use tracing::warn;

use crate::model::attempt::{Attempt, AttemptState, Completion, StoredResponse};
use crate::model::failure::{ErrorKind, Failure};
use crate::model::payload::Payload;
use crate::model::time::Timestamp;
use crate::ports::{ReceivedResponse, SendOutcome, StoreResult};

/// Asks again, a few times, what the store did not do: an attempt that was claimed should not be lost to
/// one that is throttled for a moment.
pub(super) async fn with_retries<T, F: Future<Output = StoreResult<T>>>(
    ask: impl Fn() -> F,
) -> StoreResult<T> {
    let mut pauses = [50, 200, 800].into_iter();
    loop {
        match (ask().await, pauses.next()) {
            (Ok(value), _) => return Ok(value),
            (Err(failure), None) => return Err(failure),
            (Err(_), Some(pause)) => tokio::time::sleep(Duration::from_millis(pause)).await,
        }
    }
}

/// Completes an attempt. What a receiver answered is not given up for its body: where that cannot be stored,
/// the row says that it was cut.
pub(super) async fn record<F: Future<Output = StoreResult<bool>>>(
    row: Attempt,
    response: Option<Bytes>,
    store: impl Fn(Attempt, Option<Bytes>) -> F,
) -> StoreResult<bool> {
    let failure = match with_retries(|| store(row.clone(), response.clone())).await {
        Ok(completed) => return Ok(completed),
        Err(failure) => failure,
    };
    match row.without_body() {
        Some(row) => {
            warn!(trace_id = %row.trace_id, attempt_id = %row.id, %failure, "attempt.response_lost");
            store(row, None).await
        }
        None => Err(failure),
    }
}

/// Writes into the row what came of its request.
pub(super) fn complete(row: &mut Attempt, sent: SendOutcome) -> Option<Bytes> {
    let (response, body) = sent
        .response
        .map(|ReceivedResponse { headers, headers_truncated, headers_dropped, body, truncated }| {
            let content_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
            let content_type = content_type.map(|(_, value)| value.clone());
            let payload = Payload::of(&body);
            let response = StoredResponse {
                payload,
                content_type,
                truncated,
                headers,
                headers_truncated,
                headers_dropped,
            };
            (response, body)
        })
        .unzip();
    // Nothing was sent to the receiver.
    let is_unsent = |failure: &Failure| matches!(failure.kind, ErrorKind::Blocked | ErrorKind::Auth);
    let unsent = sent.result.as_ref().is_err_and(is_unsent);
    let response_time_ms = (sent.elapsed.as_secs_f64() * 10_000.0).round() / 10.0;
    row.state = AttemptState::Complete(Completion {
        // A clock that was set back meanwhile must not hold the next attempt back.
        ended_at: (row.sent_at + sent.elapsed).min(Timestamp::now()),
        response_time_ms: (!unsent).then_some(response_time_ms),
        source_ip: sent.source_ip,
        result: sent.result,
        response,
    });
    body
}
