//! The operator's settings of the sign-in by OpenID Connect.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use url::{Host, Url};

use crate::access_rule::AccessRule;
use loanhook_core::model::key::KeyHash;

/// Reads the client's secret where it is kept; the error is a sentence without it.
pub type SecretReader =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<String, String>> + Send>> + Send + Sync>;

/// What the client proves to the provider's token endpoint who it is with. Its `Debug` does not show it.
#[derive(Clone)]
pub enum ClientSecret {
    /// A public client: PKCE alone.
    None,
    Known(String),
    /// It is read at the first sign-in, and again after the provider refused it.
    Kept(SecretReader),
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Known(_) => "Known(…)",
            Self::Kept(_) => "Kept(…)",
        })
    }
}

/// Settings that keep the rules.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    pub(crate) issuer: Url,
    /// The issuer as it was written: the provider must write it the same way.
    pub(crate) issuer_text: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: ClientSecret,
    /// What is asked for, besides `openid`.
    pub(crate) scopes: Vec<String>,
    pub(crate) rules: Vec<AccessRule>,
}

/// What is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OidcSettingsError {
    #[error(
        "the issuer `{0}` is no address such as https://login.lender.example: https, or http on this machine, without a query"
    )]
    Issuer(String),
    #[error("the client ID is missing: the provider gives one to each program that it signs people in to")]
    NoClientId,
    #[error("there is no rule of access: nobody who signs in could open anything")]
    NoRules,
}

/// What is asked for unless the operator says otherwise, besides `openid`.
const DEFAULT_SCOPES: [&str; 2] = ["profile", "email"];

impl OidcSettings {
    /// Checks settings. `scopes` are scopes of OpenID Connect between spaces, which the claims of some providers need.
    ///
    /// # Errors
    ///
    /// The first that is wrong.
    pub fn new(
        issuer: &str,
        client_id: &str,
        client_secret: ClientSecret,
        scopes: Option<&str>,
        rules: Vec<AccessRule>,
    ) -> Result<Self, OidcSettingsError> {
        let wrong = || OidcSettingsError::Issuer(issuer.to_owned());
        let url = Url::parse(issuer).map_err(|_| wrong())?;
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if !plain || !may_be_asked(&url) {
            return Err(wrong());
        }
        if client_id.is_empty() {
            return Err(OidcSettingsError::NoClientId);
        }
        if rules.is_empty() {
            return Err(OidcSettingsError::NoRules);
        }
        let scopes = match scopes {
            Some(scopes) => {
                scopes.split_whitespace().filter(|scope| *scope != "openid").map(str::to_owned).collect()
            }
            None => DEFAULT_SCOPES.map(str::to_owned).to_vec(),
        };
        Ok(Self {
            issuer: url,
            issuer_text: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret,
            scopes,
            rules,
        })
    }
}

impl OidcSettings {
    /// What is the same for the same issuer, client ID and rules, in whatever order the rules are, and for no others.
    pub(crate) fn fingerprint(&self) -> KeyHash {
        let mut rules: Vec<_> = self.rules.iter().map(ToString::to_string).collect();
        rules.sort_unstable();
        // None of them has a line break.
        KeyHash::of(&format!("{}\n{}\n{}", self.issuer_text, self.client_id, rules.join("\n")))
    }
}

/// Whether a URL may be asked: over TLS, or on this machine, where nothing travels between machines in clear.
pub(crate) fn may_be_asked(url: &Url) -> bool {
    let on_this_machine = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => url.has_host(),
        "http" => on_this_machine,
        _ => false,
    }
}
