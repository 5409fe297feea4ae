//! Resends by direct invocation, for what has no HTTP: `{"tenant", "traceId", "attempt"?}`, one or a list.
//!
//! Whoever may invoke is the operator, so the tenant is named and there is no key. An invocation has an ID,
//! and its platform may run it again under the same one: with its place in the list that is the idempotency
//! key, so a repetition adds nothing.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::attempt::AttemptNumber;
use crate::model::id::{AttemptId, TenantId, TraceId};
use crate::model::time::Timestamp;
use crate::ports::{Attempts, Resends};
use crate::resend::{self as use_case, ResendError, ResendRequest};

/// Who asked for it, in the row.
const REQUESTED_BY: &str = "direct invocation";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Ask {
    tenant: TenantId,
    trace_id: TraceId,
    #[serde(default)]
    attempt: Option<AttemptNumber>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    id: AttemptId,
    trace_id: TraceId,
}

/// Why nothing is resent.
#[derive(Debug, thiserror::Error)]
pub enum DirectError {
    #[error("the input must be {{\"tenant\", \"traceId\", \"attempt\"?}}, or a list of such: {0}")]
    NotUnderstood(#[from] serde_json::Error),
    #[error(transparent)]
    Refused(#[from] ResendError),
}

/// Queues what is asked for. Of one, gives the new attempt; of a list, a list of attempts and, in the place
/// of what was refused, `{"error"}`.
///
/// # Errors
///
/// Of one, why it was refused; of a list, why it could not be read, or that the store failed: then it can
/// be run again as it is.
pub async fn resend<S: Attempts + Resends>(
    store: &S,
    input: Value,
    invocation: &str,
) -> Result<Value, DirectError> {
    let Value::Array(list) = input else {
        let asked = ask(store, serde_json::from_value(input)?, key(invocation, 0)).await?;
        return Ok(serde_json::to_value(asked)?);
    };
    let mut results = Vec::with_capacity(list.len());
    for (i, input) in list.into_iter().enumerate() {
        let result = match serde_json::from_value(input).map_err(DirectError::from) {
            Ok(wanted) => ask(store, wanted, key(invocation, i)).await.map_err(DirectError::from),
            Err(error) => Err(error),
        };
        results.push(match result {
            Ok(asked) => serde_json::to_value(asked)?,
            Err(failure @ DirectError::Refused(ResendError::Store(_))) => return Err(failure),
            Err(refused) => serde_json::json!({ "error": refused.to_string() }),
        });
    }
    Ok(Value::Array(results))
}

async fn ask<S: Attempts + Resends>(store: &S, ask: Ask, key: String) -> Result<Asked, ResendError> {
    let Ask { tenant, trace_id, attempt } = ask;
    let request = ResendRequest { trace_id, attempt, requested_by: REQUESTED_BY.into(), key: Some(key) };
    let id = use_case::resend(store, &tenant, request, Timestamp::now()).await?;
    Ok(Asked { id, trace_id })
}

/// No caller's own key begins with this character.
fn key(invocation: &str, place: usize) -> String {
    format!("\u{7f}{invocation} {place}")
}
