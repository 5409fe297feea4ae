//! `/v1/portal-links`: links to the page of a loan.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;

use crate::api::openapi::{BadBody, Denied, Invalid, TooLarge, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::body::{self, SETTINGS_LIMIT};
use crate::api::request::caller::Caller;
use crate::api::schema::id;
use crate::api::schema::portal_link_draft::LinkDraft;
use crate::api::{Api, response};
use crate::web::{SiteSettings, portal_link_url};
use loanhook_core::log;
use loanhook_core::model::grant::LinkInput;
use loanhook_core::model::key::Scope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::portal;
use loanhook_core::ports::{Grants, Keys};

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct PortalLink {
    /// Whoever has it may do what it allows: hand it to nobody but the viewer.
    #[schema(format = "uri")]
    url: String,
    /// Until then it can be opened, any number of times.
    expires_at: id::Timestamp,
}

/// Make a portal link
///
/// It opens the webhooks page of one loan, without a key, for as long as it lives; the session that it opens
/// lasts longer. Both end with the key that made the link.
#[utoipa::path(
    post, path = "/v1/portal-links", operation_id = "createPortalLink", tag = "portal", request_body = LinkDraft,
    responses(
        (status = 201, body = PortalLink, description = "the link"),
        BadBody, Denied, TooLarge, Invalid,
        Unavailable,
    )
)]
pub(in crate::api) async fn create<S: Grants + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    Extension(site): Extension<SiteSettings>,
    caller: Caller,
    parts: Parts,
    raw_body: Body,
) -> Result<Response, Problem> {
    caller.require(Scope::PortalWrite)?;
    let origin = site.origin(&parts)?;
    let bytes = body::read(&caller, raw_body, SETTINGS_LIMIT).await?;
    let draft: LinkDraft = body::parse(&bytes)?;
    let issued =
        portal::issue_link(&api.store, caller.key(), LinkInput::from(draft).check()?, Timestamp::now())
            .await?;
    let url = portal_link_url(&origin, &issued.token);
    let (key, _) = caller.key();
    log::portal_link(key, &issued.grant);
    Ok(response::secret_json(StatusCode::CREATED, &PortalLink { url, expires_at: issued.grant.until.into() }))
}
