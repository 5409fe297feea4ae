//! Authentication and TLS settings of a request as an answer shows them, without their secrets.

use std::collections::BTreeMap;

use serde::Serialize;

use super::authentication::ClientStyle;
use super::id::Timestamp;
use loanhook_core::model::destination::{HIDDEN, shown};
use loanhook_core::model::subscription as model;

/// Authentication, its secrets hidden.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(tag = "type")]
#[schema(as = Auth)]
pub(in crate::api) enum AuthView {
    #[serde(rename = "basic")]
    Basic { username: String, password: &'static str },
    #[serde(rename = "oauth2", rename_all = "camelCase")]
    OAuth2 {
        /// The values of its query are `***` but for a caller that may write subscriptions.
        token_url: String,
        client_id: String,
        client_secret: &'static str,
        scopes: Vec<String>,
        style: ClientStyle,
        /// Names, and `***` for each value.
        parameters: BTreeMap<String, &'static str>,
    },
}

/// TLS settings, the key hidden.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Tls)]
pub(in crate::api) struct TlsView {
    #[schema(required)]
    client_certificate: Option<String>,
    #[schema(required)]
    client_key: Option<&'static str>,
    #[schema(required)]
    ca: Option<String>,
    /// When the first certificate of the client's chain ends; null without a client certificate.
    #[schema(required)]
    expires_at: Option<Timestamp>,
}

impl AuthView {
    /// `sees_whole_urls`: the caller may write subscriptions.
    pub(in crate::api) fn new(auth: &model::Auth, sees_whole_urls: bool) -> Self {
        match auth {
            model::Auth::Basic { username, .. } => {
                Self::Basic { username: username.clone(), password: HIDDEN }
            }
            model::Auth::OAuth2(oauth2) => Self::OAuth2 {
                token_url: shown(oauth2.token_url.clone(), sees_whole_urls),
                client_id: oauth2.client_id.clone(),
                client_secret: HIDDEN,
                scopes: oauth2.scopes.clone(),
                style: oauth2.style.into(),
                parameters: oauth2.parameters.keys().map(|name| (name.clone(), HIDDEN)).collect(),
            },
        }
    }
}

impl From<&model::Tls> for TlsView {
    fn from(tls: &model::Tls) -> Self {
        let client = tls.client.as_ref();
        Self {
            client_certificate: client.map(|client| client.certificate.clone()),
            client_key: client.map(|_| HIDDEN),
            ca: tls.ca.clone(),
            expires_at: client.and_then(model::ClientCertificate::expires_at).map(Into::into),
        }
    }
}
