//! The caller of a request: the API key that it came with, and what the key may do.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::Extensions;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::api::Api;
use crate::api::problem::Problem;
use crate::web::authentication::authenticate;
use crate::web::call_limits::{EntryPoint, Requester};
use crate::web::resend::AllowedResend;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::key::{Key, KeyHash, Scope};
use loanhook_core::ports::Keys;

/// The key of a request, and the hash it is found by.
pub(in crate::api) struct Caller(Arc<Key>, KeyHash);

impl Caller {
    /// The tenant of the key, if the key has the scope; else a 403.
    pub(in crate::api) fn require(&self, scope: Scope) -> Result<&TenantId, Problem> {
        self.require_any(&[scope])
    }

    pub(in crate::api) fn require_any(&self, scopes: &[Scope]) -> Result<&TenantId, Problem> {
        let may = scopes.iter().any(|scope| self.0.may(*scope));
        if may { Ok(&self.0.tenant) } else { Err(Problem::forbidden(scopes)) }
    }

    pub(in crate::api) fn may(&self, scope: Scope) -> bool {
        self.0.may(scope)
    }

    /// Whether the caller is shown the values in the queries of URLs, which may be tokens of receivers.
    pub(in crate::api) fn sees_whole_urls(&self) -> bool {
        self.may(Scope::SubscriptionsWrite)
    }

    /// The key, and the hash it is found by.
    pub(in crate::api) fn key(&self) -> (&Key, KeyHash) {
        (&self.0, self.1)
    }

    /// The right to queue one resend; a 429 where the key asked for too many.
    pub(in crate::api) fn check_resend(&self, extensions: &Extensions) -> Result<AllowedResend<'_>, Problem> {
        Ok(AllowedResend::check(extensions, &Requester::Key(self.0.id), &self.0.tenant, &self.0.name)?)
    }
}

impl<S: Keys + Send + Sync> FromRequestParts<Api<S>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api<S>) -> Result<Self, Problem> {
        let Some(header) = parts.headers.get(AUTHORIZATION) else {
            return Err(Problem::unauthorized("send a key: Authorization: Bearer lh_…"));
        };
        let shown = header.to_str().ok().and_then(|text| {
            let (scheme, key) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
        });
        let Some(shown) = shown else {
            return Err(Problem::unauthorized("the Authorization header must read: Bearer lh_…"));
        };
        match authenticate::<_, Problem>(&api.store, &parts.extensions, EntryPoint::Api, shown).await? {
            Some((key, hash)) => Ok(Self(key, hash)),
            None => Err(Problem::unauthorized(
                "this key is not valid: it may have been deleted, or its time may be over",
            )),
        }
    }
}
