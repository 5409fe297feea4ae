//! `/v1/keys`: API keys.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::api::openapi::{BadBody, Denied, Invalid, NotFound, TooLarge, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::body::{self, SETTINGS_LIMIT};
use crate::api::request::caller::Caller;
use crate::api::request::path::PathParameters;
use crate::api::request::query::{CheckedQuery, check_page, cursor};
use crate::api::{Api, response, schema};
use loanhook_core::keys as use_case;
use loanhook_core::log;
use loanhook_core::model::id::{KeyId, TenantId};
use loanhook_core::model::key::{Key, Scope};
use loanhook_core::model::key_input::KeyInput;
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::validation::ValidationErrors;
use loanhook_core::paging::cut_to_page;
use loanhook_core::ports::{Keys, ListedKey};

/// A key to be made.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewKey)]
pub(in crate::api) struct KeyDraft {
    #[schema(pattern = "name", example = "LMS")]
    name: String,
    #[schema(min_items = 1)]
    scopes: Vec<schema::key::Scope>,
    /// The caller's own where it is left out; only an operator may name another.
    #[serde(default)]
    #[schema(pattern = "tenantId")]
    tenant: Option<String>,
    /// From then on the key is not valid; without it, it does not end by itself.
    #[serde(default)]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

impl From<KeyDraft> for KeyInput {
    fn from(draft: KeyDraft) -> Self {
        let KeyDraft { name, scopes, expires_at, tenant: _ } = draft;
        Self { name, scopes: scopes.into_iter().map(Into::into).collect(), expires_at }
    }
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct KeyView {
    id: schema::id::KeyId,
    tenant: schema::id::TenantId,
    name: String,
    scopes: Vec<schema::key::Scope>,
    created_at: schema::id::Timestamp,
    /// From then on it is not valid; null if it does not end by itself.
    #[schema(required)]
    expires_at: Option<schema::id::Timestamp>,
    /// The beginning of the hour in which it was last used; null if it never was.
    #[schema(required)]
    last_used_at: Option<schema::id::Timestamp>,
    source: schema::key::KeySource,
    /// On create only: keep it, it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl From<ListedKey> for KeyView {
    fn from(ListedKey { key, last_used_at }: ListedKey) -> Self {
        let Key { id, tenant, name, scopes, created_at, expires_at, source } = key;
        Self {
            id: id.into(),
            tenant: tenant.into(),
            name,
            scopes: scopes.into_iter().map(Into::into).collect(),
            created_at: created_at.into(),
            expires_at: expires_at.map(Into::into),
            last_used_at: last_used_at.map(Into::into),
            source: source.into(),
            key: None,
        }
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct KeyList {
    items: Vec<KeyView>,
    #[schema(required)]
    next: Option<String>,
}

/// Whose keys, and which page of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct KeyQuery {
    /// The caller's own where it is left out; only an operator may name another.
    #[param(pattern = "tenantId")]
    tenant: Option<String>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// `next` of the page before.
    #[param(pattern = "cursor")]
    cursor: Option<String>,
}

/// Whose key.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct TenantQuery {
    /// The caller's own where it is left out; only an operator may name another.
    #[param(pattern = "tenantId")]
    tenant: Option<String>,
}

/// The tenant that a request names, or the caller's own; a 403 where the caller may not manage keys of it.
fn tenant_of(caller: &Caller, named: Option<String>, pointer: &str) -> Result<TenantId, Problem> {
    let own = caller.require_any(&[Scope::Admin, Scope::Operator])?;
    let Some(named) = named else { return Ok(own.clone()) };
    let named = TenantId::try_from(named).map_err(|error| ValidationErrors::one(pointer, error))?;
    if named == *own || caller.may(Scope::Operator) {
        return Ok(named);
    }
    Err(Problem::forbidden(&[Scope::Operator]))
}

/// Make a key
///
/// The answer has the key: keep it, it is not shown again.
#[utoipa::path(
    post, path = "/v1/keys", operation_id = "createKey", tag = "keys", request_body = KeyDraft,
    responses(
        (status = 201, body = KeyView, description = "the key, in clear"),
        BadBody, Denied, TooLarge, Invalid,
        Unavailable,
    )
)]
pub(in crate::api) async fn create<S: Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    raw_body: Body,
) -> Result<Response, Problem> {
    caller.require_any(&[Scope::Admin, Scope::Operator])?;
    let bytes = body::read(&caller, raw_body, SETTINGS_LIMIT).await?;
    let now = Timestamp::now();
    let draft: KeyDraft = body::parse(&bytes)?;
    let tenant = draft.tenant.clone();
    let new = KeyInput::from(draft).check(now)?;
    let tenant = tenant_of(&caller, tenant, "/tenant")?;
    if !caller.key().0.may_manage(&new.scopes) {
        caller.require(Scope::Operator)?;
    }
    let key = new.of(tenant, now);
    let (key, secret) = use_case::create(&api.store, key).await?;
    log::change("key.created", caller.key().0, &key.tenant, &key.id);
    let view = KeyView {
        key: Some(secret.expose().to_owned()),
        ..KeyView::from(ListedKey { key, last_used_at: None })
    };
    Ok(response::secret_json(StatusCode::CREATED, &view))
}

/// List keys
#[utoipa::path(
    get, path = "/v1/keys", operation_id = "listKeys", tag = "keys", params(KeyQuery),
    responses(
        (status = 200, body = KeyList, description = "a page of the keys"),
        Denied, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn list<S: Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    CheckedQuery(query): CheckedQuery<KeyQuery>,
) -> Result<Response, Problem> {
    let tenant = tenant_of(&caller, query.tenant, "tenant")?;
    let (after, limit) = check_page(query.cursor, query.limit)?;
    let mut keys = api.store.keys(&tenant, after.map(KeyId::from_uuid), limit + 1).await?;
    let next = cut_to_page(&mut keys, limit).map(|last| cursor(last.key.id.uuid()));
    let items = keys.into_iter().map(KeyView::from).collect();
    Ok(response::json(StatusCode::OK, &KeyList { items, next }))
}

/// Delete a key
///
/// It is not valid from now on. A key with the scope `operator` is deleted by an operator only.
#[utoipa::path(
    delete, path = "/v1/keys/{id}", operation_id = "deleteKey", tag = "keys", params(("id" = schema::id::KeyId, Path), TenantQuery),
    responses(
        (status = 204, description = "deleted"),
        Denied, NotFound, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn delete<S: Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    CheckedQuery(query): CheckedQuery<TenantQuery>,
) -> Result<Response, Problem> {
    let tenant = tenant_of(&caller, query.tenant, "tenant")?;
    let id = path.id("id", "key")?;
    use_case::delete(&api.store, &caller.key().0.scopes, &tenant, id).await?;
    log::change("key.deleted", caller.key().0, &tenant, &id);
    Ok(StatusCode::NO_CONTENT.into_response())
}
