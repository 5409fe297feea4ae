//! `/v1/dead-letters`: messages that could not be handled and were put aside.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::api::openapi::{Conflict, Denied, NotFound, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::request::path::PathParameters;
use crate::api::schema::dead_letter::{DeadLetterListView, Redriven};
use crate::api::{Api, response};
use loanhook_core::log;
use loanhook_core::model::dead_letter::{MAX_DEAD_LETTERS, RedriveOutcome};
use loanhook_core::model::key::Scope;
use loanhook_core::ports::{DeadLetters, Keys};

/// List dead letters
///
/// Messages of all tenants that could not be handled and were put aside. Normal running leaves none. What each is about waits
/// until it is redriven, or ends when it is deleted. At most 100 are shown, in no order. On AWS they are
/// hidden for a moment from others who ask at the same time. Scope `operator`.
#[utoipa::path(
    get, path = "/v1/dead-letters", operation_id = "listDeadLetters", tag = "operation",
    responses((status = 200, body = DeadLetterListView, description = "some of them"), Denied, Unavailable)
)]
pub(in crate::api) async fn list<S: DeadLetters + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.require(Scope::Operator)?;
    let list = api.store.dead_letters(MAX_DEAD_LETTERS).await?;
    Ok(response::json(StatusCode::OK, &DeadLetterListView::from(list)))
}

/// Redrive all dead letters
///
/// Puts up to 100 of them into their queues again. Those that are no messages of loanhook's stay. Mend what put them aside
/// first: otherwise they come back. May be repeated. Scope `operator`.
#[utoipa::path(
    post, path = "/v1/dead-letters/redrive", operation_id = "redriveDeadLetters", tag = "operation",
    responses((status = 200, body = Redriven, description = "how many there were"), Denied, Unavailable)
)]
pub(in crate::api) async fn redrive_all<S: DeadLetters + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::Operator)?;
    let list = api.store.dead_letters(MAX_DEAD_LETTERS).await?;
    let mut redriven = Redriven { redriven: 0, left: 0, more: list.more };
    for letter in list.letters {
        match api.store.redrive_dead_letter(&letter.id).await? {
            RedriveOutcome::Redriven => {
                redriven.redriven += 1;
                log::change("dead_letter.redriven", caller.key().0, tenant, &letter.id);
            }
            RedriveOutcome::NotOurs => redriven.left += 1,
            // Gone meanwhile, or hidden by whoever looks at it.
            RedriveOutcome::NotFound => redriven.more = true,
        }
    }
    Ok(response::json(StatusCode::OK, &redriven))
}

/// Redrive a dead letter
///
/// Puts it into its queue again. Scope `operator`.
#[utoipa::path(
    post, path = "/v1/dead-letters/{id}/redrive", operation_id = "redriveDeadLetter", tag = "operation",
    params(("id" = String, Path)),
    responses((status = 204, description = "it is handled now"), Denied, NotFound, Conflict, Unavailable)
)]
pub(in crate::api) async fn redrive<S: DeadLetters + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::Operator)?;
    let id = path.text("id");
    match api.store.redrive_dead_letter(id).await? {
        RedriveOutcome::Redriven => {
            log::change("dead_letter.redriven", caller.key().0, tenant, &id);
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        RedriveOutcome::NotFound => Err(unknown()),
        RedriveOutcome::NotOurs => Err(Problem::conflict(
            "not-redrivable",
            "this is no message of loanhook's, so it belongs to no queue: look who sent it, then delete it",
        )),
    }
}

/// Delete a dead letter
///
/// Gives up what it is about. A delivery whose next automatic attempt it is for ends as `canceled`: no further attempt of it leaves,
/// and it can still be resent. A resend ends as failed, `interrupted`. A recovery job goes on. To have it sent after all, redrive
/// it. Scope `operator`.
#[utoipa::path(
    delete, path = "/v1/dead-letters/{id}", operation_id = "deleteDeadLetter", tag = "operation",
    params(("id" = String, Path)),
    responses((status = 204, description = "it is gone"), Denied, NotFound, Unavailable)
)]
pub(in crate::api) async fn delete<S: DeadLetters + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::Operator)?;
    let id = path.text("id");
    if !api.store.drop_dead_letter(id).await? {
        return Err(unknown());
    }
    log::change("dead_letter.deleted", caller.key().0, tenant, &id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn unknown() -> Problem {
    Problem::missing(
        "there is no such dead letter: it may have been redriven or deleted, or somebody looks at it right now",
    )
}
