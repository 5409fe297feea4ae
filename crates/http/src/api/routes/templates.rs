//! `/v1/templates`: templates rendered before they are saved, sending nothing.

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
use crate::api::schema::event_draft::{SAMPLE_NAME, context_or_empty};
use crate::api::{Api, response};
use loanhook_core::model::event::EventInput;
use loanhook_core::model::id::{EventId, SubscriptionId, TraceId};
use loanhook_core::model::key::Scope;
use loanhook_core::model::template::Target;
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::validation::ValidationErrors;
use loanhook_core::ports::Keys;
use loanhook_core::try_out::{self, Rendering};

/// A template, where it is to stand, and the event it is rendered for.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct TemplateTrial {
    #[schema(example = "{\"loan\": \"[[v('loan-id')]]\", \"amount\": [[v('last-payment-amount','0')]]}")]
    template: String,
    /// The body, unless told otherwise.
    #[serde(default)]
    target: TemplateTarget,
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
pub(in crate::api) enum TemplateTarget {
    #[default]
    Body,
    Url,
    Header,
}

/// What a template comes to.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct RenderedTemplate {
    rendered: String,
}

/// Render a template
///
/// Nothing is stored or sent. The trace ID is one that no delivery has.
#[utoipa::path(
    post, path = "/v1/templates/render", operation_id = "renderTemplate", tag = "subscriptions", request_body = TemplateTrial,
    responses(
        (status = 200, body = RenderedTemplate, description = "what it renders to"),
        BadBody, Denied, TooLarge, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn render<S: Keys + Send + Sync>(
    State(_): State<Api<S>>,
    caller: Caller,
    raw_body: Body,
) -> Result<Response, Problem> {
    caller.require(Scope::SubscriptionsWrite)?;
    let bytes = body::read(&caller, raw_body, SETTINGS_LIMIT).await?;
    let trial: TemplateTrial = body::parse(&bytes)?;
    if trial.content_type.is_some() && !matches!(trial.target, TemplateTarget::Body) {
        return Err(ValidationErrors::one("/contentType", "goes with a body only").into());
    }
    let now = Timestamp::now();
    let event = EventInput {
        event_name: trial.event_name.unwrap_or_else(|| SAMPLE_NAME.into()),
        loan_id: trial.loan_id.unwrap_or_else(|| "1".into()),
        context: context_or_empty(trial.context),
        occurred_at: trial.occurred_at,
    };
    let rendering = Rendering {
        template: trial.template,
        target: match trial.target {
            TemplateTarget::Body => Target::body(trial.content_type.as_deref().unwrap_or("application/json")),
            TemplateTarget::Url => Target::Url,
            TemplateTarget::Header => Target::Header,
        },
        event: event.check()?,
        trace_id: TraceId::of(EventId::at(now), SubscriptionId::at(now)),
    };
    let rendered = try_out::render(&rendering, now)?;
    Ok(response::json(StatusCode::OK, &RenderedTemplate { rendered }))
}
