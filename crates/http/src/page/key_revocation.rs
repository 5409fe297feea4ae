//! The page that asks whether a key is to be revoked, with what ends with it, and its form.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;

use super::error_page::ErrorPage;
use super::key_list::{own_key, require};
use super::tenant_request::{KEYS_PATH, TenantRequest};
use super::view::key_revocation;
use super::{Pages, SettingsStore};
use loanhook_core::model::id::KeyId;
use loanhook_core::model::key::Key;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Keys, StoreResult};
use loanhook_core::{keys, log};

/// How many keys of the tenant are looked at for another that may manage keys.
const MAX_LOOKED_AT: usize = 1000;

/// All that the page says.
pub(super) struct Revocation {
    pub(super) key: Key,
    /// The viewer signed in with it.
    pub(super) is_own: bool,
    /// No other key of the tenant that is valid may manage keys.
    pub(super) is_last_admin: bool,
}

/// Asks, and says what ends with the key.
pub(super) async fn ask<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
) -> Result<Response, ErrorPage> {
    let key = managed_key(&pages.store, &request).await?;
    let is_own = own_key(&pages.store, &request).await? == Some(key.id);
    let is_last_admin = key.may_manage(&[]) && !has_another_admin(&pages.store, &key).await?;
    Ok(key_revocation::page(&Revocation { key, is_own, is_last_admin }, &request))
}

/// Revokes the key, and redirects to the list; to the sign-in, where it was the viewer's own.
pub(super) async fn revoke<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    require(&request)?;
    request.form(body, &parts.headers).await?;
    let Key { id, .. } = managed_key(&pages.store, &request).await?;
    keys::delete(&pages.store, &request.grant.scopes, &request.grant.tenant, id).await?;
    log::change_on_page("key.deleted", &request.grant, &id);
    Ok(Redirect::to(KEYS_PATH).into_response())
}

/// The key that the path names, if the viewer may manage it.
async fn managed_key<S: Keys>(store: &S, request: &TenantRequest) -> Result<Key, ErrorPage> {
    require(request)?;
    let id: KeyId = request.id.parse().map_err(|_| ErrorPage::NotFound)?;
    let key = store.listed_key(&request.grant.tenant, id).await?.ok_or(ErrorPage::NotFound)?;
    if request.grant.may_manage(&key.scopes) { Ok(key) } else { Err(ErrorPage::MayNotManageOperatorKeys) }
}

async fn has_another_admin<S: Keys>(store: &S, than: &Key) -> StoreResult<bool> {
    let (keys, now) = (store.keys(&than.tenant, None, MAX_LOOKED_AT).await?, Timestamp::now());
    Ok(keys.iter().any(|of| of.key.id != than.id && of.key.is_valid_at(now) && of.key.may_manage(&[])))
}
