//! Formulas and templates tried before they are saved: over a context that the caller tells, sending nothing.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::auth::Caller;
use super::body::MAX_SETTINGS;
use super::openapi::{BadBody, Denied, Invalid, TooLarge, Unavailable};
use super::problem::Problem;
use super::schema::event::{SAMPLE_NAME, context_or_empty};
use super::{Api, body};
use loanhook_core::model::event::EventInput;
use loanhook_core::model::id::{EventId, SubscriptionId, TraceId};
use loanhook_core::model::key::Scope;
use loanhook_core::model::template::Target;
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::validation::ValidationErrors;
use loanhook_core::ports::Keys;
use loanhook_core::try_out::{self, Rendering};

/// A formula, and what it is over.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FormulaTrial)]
pub(super) struct FormulaBody {
    #[schema(max_length = 16384, example = "(> status-days-past-due 30)")]
    formula: String,
    /// The loan's variables.
    #[serde(default)]
    #[schema(value_type = Option<Object>, example = json!({"status-days-past-due": 42}))]
    context: Option<Box<RawValue>>,
}

/// What a formula comes to.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct FormulaValue {
    /// As JSON; null where JSON has no such value, as for ratios, functions and infinities.
    #[schema(value_type = Option<serde_json::Value>, required)]
    value: Box<RawValue>,
    /// As Clojure's `pr-str` writes it.
    printed: String,
}

/// A template, where it is to stand, and the event it is rendered for.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = TemplateTrial)]
pub(super) struct TemplateBody {
    #[schema(example = "{\"loan\": \"[[v('loan-id')]]\", \"amount\": [[v('last-payment-amount','0')]]}")]
    template: String,
    /// The body, unless told otherwise.
    #[serde(default)]
    target: TargetName,
    /// Of a body.
    #[serde(default)]
    #[schema(example = "application/json")]
    content_type: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    context: Option<Box<RawValue>>,
    /// `Test` where it is left out.
    #[serde(default)]
    #[schema(pattern = "name")]
    event_name: Option<String>,
    /// `1` where it is left out.
    #[serde(default)]
    #[schema(pattern = "loanId")]
    loan_id: Option<String>,
    #[serde(default)]
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = TemplateTarget)]
pub(super) enum TargetName {
    #[default]
    Body,
    Url,
    Header,
}

/// What a template comes to.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RenderedTemplate {
    rendered: String,
}

/// Evaluate a formula
///
/// Nothing is stored or sent.
#[utoipa::path(
    post, path = "/v1/formulas/evaluate", operation_id = "evaluateFormula", tag = "subscriptions", request_body = FormulaBody,
    responses(
        (status = 200, body = FormulaValue, description = "its value"),
        BadBody, Denied, TooLarge, Invalid, Unavailable,
    )
)]
pub(super) async fn evaluate<S: Keys + Send + Sync>(
    State(_): State<Api<S>>,
    caller: Caller,
    request: Body,
) -> Result<Response, Problem> {
    caller.with(Scope::SubscriptionsWrite)?;
    let bytes = body::read(&caller, request, MAX_SETTINGS).await?;
    let asked: FormulaBody = body::parse(&bytes)?;
    let outcome = try_out::evaluate(&asked.formula, context_or_empty(asked.context), Timestamp::now())?;
    Ok(body::json(StatusCode::OK, &FormulaValue { value: outcome.value, printed: outcome.printed }))
}

/// Render a template
///
/// Nothing is stored or sent. The trace ID is one that no delivery has.
#[utoipa::path(
    post, path = "/v1/templates/render", operation_id = "renderTemplate", tag = "subscriptions", request_body = TemplateBody,
    responses(
        (status = 200, body = RenderedTemplate, description = "what it renders to"),
        BadBody, Denied, TooLarge, Invalid, Unavailable,
    )
)]
pub(super) async fn render<S: Keys + Send + Sync>(
    State(_): State<Api<S>>,
    caller: Caller,
    request: Body,
) -> Result<Response, Problem> {
    caller.with(Scope::SubscriptionsWrite)?;
    let bytes = body::read(&caller, request, MAX_SETTINGS).await?;
    let asked: TemplateBody = body::parse(&bytes)?;
    if asked.content_type.is_some() && !matches!(asked.target, TargetName::Body) {
        return Err(ValidationErrors::one("/contentType", "goes with a body only").into());
    }
    let now = Timestamp::now();
    let event = EventInput {
        event_name: asked.event_name.unwrap_or_else(|| SAMPLE_NAME.into()),
        loan_id: asked.loan_id.unwrap_or_else(|| "1".into()),
        context: context_or_empty(asked.context),
        occurred_at: asked.occurred_at,
    };
    let rendering = Rendering {
        template: asked.template,
        target: match asked.target {
            TargetName::Body => Target::body(asked.content_type.as_deref().unwrap_or("application/json")),
            TargetName::Url => Target::Url,
            TargetName::Header => Target::Header,
        },
        event: event.check()?,
        trace_id: TraceId::of(EventId::at(now), SubscriptionId::at(now)),
    };
    let rendered = try_out::render(&rendering, now)?;
    Ok(body::json(StatusCode::OK, &RenderedTemplate { rendered }))
}
