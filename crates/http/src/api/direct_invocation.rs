//! Resends by direct invocation, for what has no HTTP: `{"tenant", "traceId", "attempt"?, "idempotencyKey"?}`,
//! one or a list of up to 100.
//!
//! Whoever may invoke is the operator, so the tenant is named and there is no API key. An invocation has an ID,
//! and its platform may run it again under the same one: with its place in the list that is the idempotency
//! key, so a repetition adds nothing. Whoever invokes again under another ID, as a state machine does that
//! retries, names a key of their own.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::schema;
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::validation::idempotency_key_error;
use loanhook_core::ports::{Attempts, Resends};
use loanhook_core::resend::{self as use_case, ResendError, ResendRequest};

/// How many resends one invocation queues, well within its time.
const MAX_RESENDS: usize = 100;
/// Who asked for it, in the row.
const REQUESTED_BY: &str = "direct invocation";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DirectResend {
    tenant: schema::id::TenantId,
    trace_id: schema::id::TraceId,
    #[serde(default)]
    attempt: Option<schema::values::AttemptNumber>,
    #[serde(default)]
    idempotency_key: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QueuedResend {
    id: schema::id::AttemptId,
    trace_id: schema::id::TraceId,
}

/// Why nothing is resent.
#[derive(Debug, thiserror::Error)]
pub enum DirectError {
    #[error(
        "the input must be {{\"tenant\", \"traceId\", \"attempt\"?, \"idempotencyKey\"?}}, or a list of such: {0}"
    )]
    NotUnderstood(#[from] serde_json::Error),
    #[error("idempotencyKey {0}")]
    WrongKey(&'static str),
    #[error("a list must have at most {MAX_RESENDS} resends: send the rest in another")]
    TooMany,
    #[error(transparent)]
    Refused(#[from] ResendError),
}

/// Queues what is asked for. Of one, gives the new attempt; of a list, a list of attempts and, in the place
/// of what was refused, `{"error"}`.
///
/// # Errors
///
/// Of one, why it was refused; of a list, that it is too long, or that the store failed: then it can be run
/// again as it is, and what was queued before is not queued again under the same keys.
pub async fn resend<S: Attempts + Resends>(
    store: &S,
    input: Value,
    invocation: &str,
) -> Result<Value, DirectError> {
    let Value::Array(list) = input else {
        let asked = queue_resend(store, serde_json::from_value(input)?, invocation, 0).await?;
        return Ok(serde_json::to_value(asked)?);
    };
    if list.len() > MAX_RESENDS {
        return Err(DirectError::TooMany);
    }
    let mut results = Vec::with_capacity(list.len());
    for (i, input) in list.into_iter().enumerate() {
        let result = match serde_json::from_value(input) {
            Ok(wanted) => queue_resend(store, wanted, invocation, i).await,
            Err(error) => Err(error.into()),
        };
        results.push(match result {
            Ok(asked) => serde_json::to_value(asked)?,
            Err(failure @ DirectError::Refused(ResendError::Store(_))) => return Err(failure),
            Err(refused) => serde_json::json!({ "error": refused.to_string() }),
        });
    }
    Ok(Value::Array(results))
}

async fn queue_resend<S: Attempts + Resends>(
    store: &S,
    ask: DirectResend,
    invocation: &str,
    place: usize,
) -> Result<QueuedResend, DirectError> {
    let DirectResend { tenant, trace_id, attempt, idempotency_key } = ask;
    let (tenant, trace_id) = (TenantId::from(tenant), TraceId::from(trace_id));
    let attempt = attempt.map(AttemptNumber::from);
    if let Some(key) = &idempotency_key {
        idempotency_key_error(key).map_or(Ok(()), |fault| Err(DirectError::WrongKey(fault)))?;
    }
    // No caller's own key begins with this character.
    let key = idempotency_key.unwrap_or_else(|| format!("\u{7f}{invocation} {place}"));
    let request = ResendRequest {
        trace_id,
        attempt: attempt.into(),
        requested_by: REQUESTED_BY.into(),
        key: Some(key),
    };
    let id = use_case::resend(store, &tenant, request, Timestamp::now()).await?;
    Ok(QueuedResend { id: id.into(), trace_id: trace_id.into() })
}
