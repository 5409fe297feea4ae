//! `/v1/events/{eventId}/explain`: why a subscription decided about an event as it did.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use super::event::{context_gone, find};
use crate::api::openapi::{Denied, Invalid, NotFound, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::accept::instead_of_json;
use crate::api::request::caller::Caller;
use crate::api::request::explain_query::ExplainQuery;
use crate::api::request::path::PathParameters;
use crate::api::request::query::CheckedQuery;
use crate::api::schema::explanation::ExplanationView;
use crate::api::schema::id;
use crate::api::{Api, response};
use crate::web::verdict_words;
use loanhook_core::ports::{Keys, Ledger, Payloads, Subscriptions};
use loanhook_core::stored_event::{self, ExplainedVerdict};

/// Explain a verdict
///
/// Evaluates the trigger and the restriction again on the context of the event, and shows the value of each sub-expression and
/// of each variable. With `Accept: text/plain` as text for a terminal: the formula, and beneath it each value at its place.
#[utoipa::path(
    get, path = "/v1/events/{eventId}/explain", operation_id = "explainEvent", tag = "history",
    params(("eventId" = id::EventId, Path), ExplainQuery),
    responses(
        (
            status = 200, description = "the explanation",
            content((ExplanationView = "application/json"), (String = "text/plain")),
        ),
        Denied, NotFound, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn explain<S: Ledger + Keys + Payloads + Subscriptions + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    CheckedQuery(query): CheckedQuery<ExplainQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let stored = find(&api.store, &caller, &path).await?.event;
    let (subscription, version) = query.check()?;
    let event = stored_event::event(&api.store, &stored).await?.ok_or_else(context_gone)?;
    let explained = stored_event::explain(&api.store, (&stored, &event), subscription, version).await?;
    let mut response = if instead_of_json(&headers, &["text/plain"]).is_some() {
        const TEXT_HEADERS: [(header::HeaderName, &str); 2] = [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (TEXT_HEADERS, text(&explained)).into_response()
    } else {
        response::json(StatusCode::OK, &ExplanationView::from(explained))
    };
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
    Ok(response)
}

fn text(explained: &ExplainedVerdict) -> String {
    let words = explained.verdict.map_or("asks for events of other names", verdict_words::words);
    let title = verdict_words::on_one_line(&explained.title);
    let formulas = explained.explanation.text();
    let between = if formulas.is_empty() { "" } else { "\n" };
    format!("{title}, version {}: {words}\n{between}{formulas}", explained.version)
}
