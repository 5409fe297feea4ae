//! Resends by direct invocation of a function, without HTTP. The input is
//! `{"tenant", "traceId", "attempt"?, "idempotencyKey"?}`, or a list of up to 100 of these. Another input takes the
//! credentials out of deliveries that an earlier version of loanhook stored with them: `{"takeOutCredentials": [{"tenant",
//! "traceId"}…]}`, also of up to 100, which may be repeated.
//!
//! Only the operator may invoke, so the input names the tenant and there is no API key. The platform may run an
//! invocation again under the same ID: the ID and the index in the list are the idempotency key, so that a repetition
//! adds nothing. A client that repeats an invocation under another ID, such as a state machine, gives a key of its own.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::schema;
use loanhook_core::model::attempt::{AttemptNumber, ResendTo};
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::validation::idempotency_key_error;
use loanhook_core::ports::Deliveries;
use loanhook_core::resend::{self as use_case, ResendError, ResendRequest, ResendStore};
use loanhook_core::stored_credentials;

/// The most resends or deliveries of one invocation, which takes them well within its timeout.
const MAX_ENTRIES: usize = 100;
/// The field by which an input asks for credentials to be taken out.
const TAKE_OUT: &str = "takeOutCredentials";
/// What `requestedBy` of the row says.
const REQUESTED_BY: &str = "direct invocation";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
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

/// Why a resend was not queued.
#[derive(Debug, thiserror::Error)]
pub enum DirectError {
    #[error(
        "the input must be {{\"tenant\", \"traceId\", \"attempt\"?, \"idempotencyKey\"?}}, or a list of such: {0}"
    )]
    NotUnderstood(#[from] serde_json::Error),
    #[error("idempotencyKey {0}")]
    WrongKey(&'static str),
    #[error("a list must have at most {MAX_ENTRIES} entries: send the rest in another")]
    TooMany,
    #[error(transparent)]
    Refused(#[from] ResendError),
}

/// A delivery, by which it is found.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
struct NamedDelivery {
    tenant: schema::id::TenantId,
    trace_id: schema::id::TraceId,
}

/// Whether an input asks for credentials to be taken out of deliveries.
pub fn takes_out_credentials(input: &Value) -> bool {
    input.get(TAKE_OUT).is_some()
}

/// Takes the credentials out of the deliveries that an input names. The result says of how many, and which could not be read or
/// written: `{"takenOut": n, "failed": [{"tenant", "traceId", "error"}]}`; the others hold none.
///
/// # Errors
///
/// The input is not understood, or too long.
pub async fn take_out_credentials<S>(store: &S, mut input: Value) -> Result<Value, DirectError>
where
    S: ResendStore + Deliveries,
{
    let named: Vec<NamedDelivery> = serde_json::from_value(input[TAKE_OUT].take())?;
    if named.len() > MAX_ENTRIES {
        return Err(DirectError::TooMany);
    }
    let (mut taken_out, mut failed) = (0, Vec::new());
    for NamedDelivery { tenant, trace_id } in named {
        let (tenant, trace) = (TenantId::from(tenant), TraceId::from(trace_id));
        match stored_credentials::take_out(store, &tenant, trace).await {
            Ok(taken) => taken_out += u32::from(taken),
            Err(failure) => failed.push(serde_json::json!({
                "tenant": tenant.as_str(), "traceId": trace.to_string(), "error": failure.to_string(),
            })),
        }
    }
    Ok(serde_json::json!({ "takenOut": taken_out, "failed": failed }))
}

/// Queues the resends of an input. The result of one is its new attempt; of a list, a list of attempts with
/// `{"error"}` in the place of each that was refused.
///
/// # Errors
///
/// Of one: why it was refused. Of a list: it is too long, or the store failed; then the same invocation can be run
/// again, and what was queued before is not queued again under the same keys.
pub async fn resend<S: ResendStore>(store: &S, input: Value, invocation: &str) -> Result<Value, DirectError> {
    let Value::Array(list) = input else {
        let queued = queue_resend(store, serde_json::from_value(input)?, invocation, 0).await?;
        return Ok(serde_json::to_value(queued)?);
    };
    if list.len() > MAX_ENTRIES {
        return Err(DirectError::TooMany);
    }
    let mut results = Vec::with_capacity(list.len());
    for (i, input) in list.into_iter().enumerate() {
        let result = match serde_json::from_value(input) {
            Ok(wanted) => queue_resend(store, wanted, invocation, i).await,
            Err(error) => Err(error.into()),
        };
        results.push(match result {
            Ok(queued) => serde_json::to_value(queued)?,
            Err(failure @ DirectError::Refused(ResendError::Store(_))) => return Err(failure),
            Err(refused) => serde_json::json!({ "error": refused.to_string() }),
        });
    }
    Ok(Value::Array(results))
}

async fn queue_resend<S: ResendStore>(
    store: &S,
    requested: DirectResend,
    invocation: &str,
    index: usize,
) -> Result<QueuedResend, DirectError> {
    let DirectResend { tenant, trace_id, attempt, idempotency_key } = requested;
    let (tenant, trace_id) = (TenantId::from(tenant), TraceId::from(trace_id));
    let attempt = attempt.map(AttemptNumber::from);
    if let Some(key) = &idempotency_key {
        idempotency_key_error(key).map_or(Ok(()), |fault| Err(DirectError::WrongKey(fault)))?;
    }
    // No key of a caller begins with this character.
    let key = idempotency_key.unwrap_or_else(|| format!("\u{7f}{invocation} {index}"));
    let request = ResendRequest {
        trace_id,
        attempt: attempt.into(),
        to: ResendTo::Original,
        requested_by: REQUESTED_BY.into(),
        key: Some(key),
    };
    let id = use_case::resend(store, &tenant, request, Timestamp::now()).await?;
    Ok(QueuedResend { id: id.into(), trace_id: trace_id.into() })
}
