//! Search: leads to the one thing that a text names, else shows what was found.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;

use super::error_page::ErrorPage;
use super::form::Form;
use super::links;
use super::tenant_request::TenantRequest;
use super::view::search;
use super::{PageStore, Pages};
use loanhook_core::search::{self as searching, Found};

/// The longest text that is searched, in bytes: a loan, a space and the ID of an attempt.
const MAX_SEARCH_BYTES: usize = 1200;

pub(super) async fn show<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    let form = Form::of_query(parts.uri.query());
    let text = form.get("q").trim();
    let found = match text.len() {
        0..=MAX_SEARCH_BYTES => searching::search(&pages.store, &request.grant.tenant, text).await?,
        _ => Found::default(),
    };
    match the_one(&found) {
        Some(path) => Ok(Redirect::to(&path).into_response()),
        None => Ok(search::page(text, &found, &request)),
    }
}

/// The path of what was found, where it is one thing.
fn the_one(found: &Found) -> Option<String> {
    if found.count() != 1 {
        return None;
    }
    let delivery = found.delivery.as_ref().and_then(links::delivery);
    let event = found.event.as_ref().and_then(|event| links::event(&event.loan_id, event.id));
    let loan = found.loan.as_ref().and_then(links::loan);
    let attempt = found.attempt.as_ref().and_then(links::attempt);
    let webhook = found.webhooks.first().map(|webhook| links::deliveries_of(webhook.id));
    delivery.or(event).or(loan).or(attempt).or(webhook)
}
