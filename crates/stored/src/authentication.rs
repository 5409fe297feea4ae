//! Stored authentication: within the request of a subscription.

use std::borrow::Cow;
use std::collections::BTreeMap;

use loanhook_core::model::subscription::{Auth, ClientCertificate, OAuth2, Tls};
use serde::{Deserialize, Serialize};

use crate::words::StoredClientStyle;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum StoredAuth<'a> {
    Basic {
        username: Cow<'a, str>,
        password: Cow<'a, str>,
    },
    #[serde(rename = "oauth2")]
    OAuth2 {
        token_url: Cow<'a, str>,
        client_id: Cow<'a, str>,
        client_secret: Cow<'a, str>,
        scopes: Cow<'a, [String]>,
        style: StoredClientStyle,
        parameters: Cow<'a, BTreeMap<String, String>>,
    },
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredTls<'a> {
    /// Absent is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<StoredClient<'a>>,
    /// Absent is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct StoredClient<'a> {
    certificate: Cow<'a, str>,
    key: Cow<'a, str>,
}

impl<'a> From<&'a Auth> for StoredAuth<'a> {
    fn from(auth: &'a Auth) -> Self {
        match auth {
            Auth::Basic { username, password } => {
                Self::Basic { username: username.into(), password: password.into() }
            }
            Auth::OAuth2(OAuth2 { token_url, client_id, client_secret, scopes, style, parameters }) => {
                Self::OAuth2 {
                    token_url: token_url.into(),
                    client_id: client_id.into(),
                    client_secret: client_secret.into(),
                    scopes: Cow::Borrowed(scopes),
                    style: (*style).into(),
                    parameters: Cow::Borrowed(parameters),
                }
            }
        }
    }
}

impl From<StoredAuth<'_>> for Auth {
    fn from(stored: StoredAuth<'_>) -> Self {
        match stored {
            StoredAuth::Basic { username, password } => {
                Self::Basic { username: username.into_owned(), password: password.into_owned() }
            }
            StoredAuth::OAuth2 { token_url, client_id, client_secret, scopes, style, parameters } => {
                Self::OAuth2(OAuth2 {
                    token_url: token_url.into_owned(),
                    client_id: client_id.into_owned(),
                    client_secret: client_secret.into_owned(),
                    scopes: scopes.into_owned(),
                    style: style.into(),
                    parameters: parameters.into_owned(),
                })
            }
        }
    }
}

impl<'a> From<&'a Tls> for StoredTls<'a> {
    fn from(tls: &'a Tls) -> Self {
        let Tls { client, ca } = tls;
        let client = client.as_ref().map(|ClientCertificate { certificate, key }| StoredClient {
            certificate: certificate.into(),
            key: key.into(),
        });
        Self { client, ca: ca.as_deref().map(Cow::Borrowed) }
    }
}

impl From<StoredTls<'_>> for Tls {
    fn from(stored: StoredTls<'_>) -> Self {
        let StoredTls { client, ca } = stored;
        let client = client.map(|StoredClient { certificate, key }| ClientCertificate {
            certificate: certificate.into_owned(),
            key: key.into_owned(),
        });
        Self { client, ca: ca.map(Cow::into_owned) }
    }
}
