//! `/v1/events/{eventId}/explain`: why a subscription decided about an event as it did.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use super::event::{context_gone, find};
use crate::api::openapi::{Denied, Invalid, NotFound, Unavailable};
use crate::api::problem::Problem;
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
    let mut response = if asks_for_text(&headers) {
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

/// Whether the `Accept` headers name text, and not JSON.
fn asks_for_text(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let types: Vec<_> = accepted
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .collect();
    types.iter().any(|of| of == "text/plain") && !types.iter().any(|of| of == "application/json")
}

fn text(explained: &ExplainedVerdict) -> String {
    let words = explained.verdict.map_or("asks for events of other names", verdict_words::words);
    let title = verdict_words::on_one_line(&explained.title);
    let formulas = explained.explanation.text();
    let between = if formulas.is_empty() { "" } else { "\n" };
    format!("{title}, version {}: {words}\n{between}{formulas}", explained.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_given_to_who_asks_for_it_and_not_for_json() {
        for (accept, is_text) in [
            ("text/plain", true),
            ("Text/Plain; charset=utf-8", true),
            ("text/plain, */*;q=0.1", true),
            ("application/json, text/plain", false),
            ("*/*", false),
            ("text/html", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().expect("a value"))]);
            assert_eq!(asks_for_text(&headers), is_text, "{accept}");
        }
        assert!(!asks_for_text(&HeaderMap::new()));
    }
}
