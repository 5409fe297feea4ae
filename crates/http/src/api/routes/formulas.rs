//! `/v1/formulas`: formulas evaluated before they are saved, over a context that the caller gives.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::openapi::{BadBody, Denied, Invalid, TooLarge, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::body::{self, SETTINGS_LIMIT};
use crate::api::request::caller::Caller;
use crate::api::schema::event_draft::context_or_empty;
use crate::api::{Api, response};
use loanhook_core::model::key::Scope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::Keys;
use loanhook_core::try_out::{self};

/// A formula, and what it is over.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct FormulaTrial {
    #[schema(max_length = 16384, example = "(> status-days-past-due 30)")]
    formula: String,
    /// The loan's variables.
    #[serde(default)]
    #[schema(value_type = Option<Object>, example = json!({"status-days-past-due": 42}))]
    context: Option<Box<RawValue>>,
}

/// What a formula comes to.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct FormulaValue {
    /// As JSON; null where JSON has no such value, as for ratios, functions and infinities.
    #[schema(value_type = Option<serde_json::Value>, required)]
    value: Box<RawValue>,
    /// As Clojure's `pr-str` writes it.
    printed: String,
}

/// Evaluate a formula
///
/// Nothing is stored or sent.
#[utoipa::path(
    post, path = "/v1/formulas/evaluate", operation_id = "evaluateFormula", tag = "subscriptions", request_body = FormulaTrial,
    responses(
        (status = 200, body = FormulaValue, description = "its value"),
        BadBody, Denied, TooLarge, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn evaluate<S: Keys + Send + Sync>(
    State(_): State<Api<S>>,
    caller: Caller,
    raw_body: Body,
) -> Result<Response, Problem> {
    caller.require(Scope::SubscriptionsWrite)?;
    let bytes = body::read(&caller, raw_body, SETTINGS_LIMIT).await?;
    let trial: FormulaTrial = body::parse(&bytes)?;
    let outcome = try_out::evaluate(&trial.formula, context_or_empty(trial.context), Timestamp::now())?;
    Ok(response::json(StatusCode::OK, &FormulaValue { value: outcome.value, printed: outcome.printed }))
}
