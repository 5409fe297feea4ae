//! Authentication and TLS settings of a request: as a caller gives them, and as a patch names them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::enums_of_model;
use super::strict_object::{optional_map, optional_texts};
use loanhook_core::model::subscription as model;

enums_of_model! {
    /// The kind of authentication.
    #[serde(rename_all = "lowercase")]
    #[derive(Deserialize)]
    AuthType from model::AuthKind {
        Basic,
        OAuth2,
    }

    /// How the token endpoint is told who asks: by HTTP Basic, or in the form.
    #[serde(rename_all = "lowercase")]
    #[derive(Deserialize)]
    ClientStyle from model::ClientStyle {
        Basic,
        Post,
    }
}

/// HTTP Basic, or client credentials of OAuth 2.0: a token is fetched before it is needed, kept for its lifetime, and fetched anew
/// once after a 401. It goes without a header `Authorization`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = AuthSettings)]
pub(in crate::api) struct AuthDraft {
    #[serde(rename = "type")]
    kind: AuthType,
    /// Of `basic`.
    #[serde(default)]
    #[schema(max_length = 256)]
    username: Option<String>,
    /// Of `basic`. Write-only: reads show `***`, which in a PUT keeps the stored one as long as scheme, host and port of `url` and
    /// `tokenUrl` stay the same. So is `clientSecret`, and each value of `parameters`.
    #[serde(default)]
    #[schema(max_length = 4096)]
    password: Option<String>,
    /// Of `oauth2`: where tokens are asked for. It obeys the address guard.
    #[serde(default)]
    #[schema(max_length = 8192, example = "https://login.example.com/oauth2/token")]
    token_url: Option<String>,
    #[serde(default)]
    #[schema(max_length = 1024)]
    client_id: Option<String>,
    #[serde(default)]
    #[schema(max_length = 4096)]
    client_secret: Option<String>,
    #[serde(default)]
    #[schema(max_items = 100)]
    scopes: Option<Vec<String>>,
    #[serde(default)]
    style: Option<ClientStyle>,
    /// Further fields of the form, such as `audience`.
    #[serde(default, deserialize_with = "optional_map")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    parameters: Option<BTreeMap<String, String>>,
}

/// A client certificate, authorities that the receiver's certificate may be issued by, or both. They hold for `tokenUrl` too.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = TlsSettings)]
pub(in crate::api) struct TlsDraft {
    /// A chain in PEM, the client's own certificate first.
    #[serde(default)]
    #[schema(max_length = 32768)]
    client_certificate: Option<String>,
    /// The private key in PEM, without a passphrase. Write-only, as header values are.
    #[serde(default)]
    #[schema(max_length = 16384)]
    client_key: Option<String>,
    /// Authorities in PEM, trusted beside those of the platform.
    #[serde(default)]
    #[schema(max_length = 65536)]
    ca: Option<String>,
    // What reads show may come back, and changes nothing.
    #[serde(default, rename = "expiresAt")]
    #[schema(value_type = Option<String>, read_only)]
    _expires_at: IgnoredAny,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = AuthPatch)]
#[expect(dead_code, reason = "as the other members of a patch")]
pub(in crate::api) struct PatchedAuth {
    /// A change to another type sets the members of the type before it to null.
    #[serde(default, rename = "type")]
    #[schema(value_type = Option<AuthType>)]
    kind: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 256)]
    username: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4096)]
    password: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 8192, example = "https://login.example.com/oauth2/token")]
    token_url: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 1024)]
    client_id: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4096)]
    client_secret: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    scopes: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<ClientStyle>)]
    style: IgnoredAny,
    #[serde(default, deserialize_with = "optional_texts")]
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    parameters: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = TlsPatch)]
#[expect(dead_code, reason = "as the other members of a patch")]
pub(in crate::api) struct PatchedTls {
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 32768)]
    client_certificate: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 16384)]
    client_key: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 65536)]
    ca: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, read_only)]
    expires_at: IgnoredAny,
}

impl From<AuthDraft> for model::AuthInput {
    fn from(draft: AuthDraft) -> Self {
        let AuthDraft {
            kind,
            username,
            password,
            token_url,
            client_id,
            client_secret,
            scopes,
            style,
            parameters,
        } = draft;
        let kind = match kind {
            AuthType::Basic => model::AuthKind::Basic,
            AuthType::OAuth2 => model::AuthKind::OAuth2,
        };
        let style = style.map(|style| match style {
            ClientStyle::Basic => model::ClientStyle::Basic,
            ClientStyle::Post => model::ClientStyle::Post,
        });
        Self { kind, username, password, token_url, client_id, client_secret, scopes, style, parameters }
    }
}

impl From<TlsDraft> for model::TlsInput {
    fn from(draft: TlsDraft) -> Self {
        let TlsDraft { client_certificate, client_key, ca, _expires_at } = draft;
        Self { client_certificate, client_key, ca }
    }
}
