//! Authentication of a request by HTTP: the kinds of it that are more than a header, and their rules.

mod input;

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use input::AuthInput;
pub(super) use input::check_auth;

/// How a request says who we are, beside its headers. Its `Debug` shows no value.
#[derive(Clone, PartialEq, Eq)]
pub enum Auth {
    /// HTTP Basic (RFC 7617).
    Basic { username: String, password: String },
    /// Client credentials of OAuth 2.0 (RFC 6749, 4.4).
    OAuth2(OAuth2),
}

/// What a token is asked for with.
#[derive(Clone, PartialEq, Eq)]
pub struct OAuth2 {
    pub token_url: String,
    pub client_id: String,
    pub client_secret: String,
    pub scopes: Vec<String>,
    pub style: ClientStyle,
    /// Further fields of the form. Their values are secrets, as those of headers are.
    pub parameters: BTreeMap<String, String>,
}

/// How the client says who it is to the token endpoint (RFC 6749, 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientStyle {
    /// HTTP Basic.
    #[default]
    Basic,
    /// `client_id` and `client_secret` in the form.
    Post,
}

/// The kinds of [`Auth`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthKind {
    Basic,
    OAuth2,
}

impl Auth {
    pub const fn kind(&self) -> AuthKind {
        match self {
            Self::Basic { .. } => AuthKind::Basic,
            Self::OAuth2(_) => AuthKind::OAuth2,
        }
    }

    pub const fn oauth2(&self) -> Option<&OAuth2> {
        match self {
            Self::Basic { .. } => None,
            Self::OAuth2(oauth2) => Some(oauth2),
        }
    }

    /// The parts that are shown to nobody.
    pub(super) fn secret_texts_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::Basic { password, .. } => vec![password],
            Self::OAuth2(OAuth2 { client_secret, parameters, .. }) => {
                std::iter::once(client_secret).chain(parameters.values_mut()).collect()
            }
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

impl fmt::Debug for OAuth2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OAuth2")
    }
}

/// The value of an `Authorization` header by HTTP Basic (RFC 7617, in UTF-8).
pub fn basic_authorization(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
