//! Credentials of a request: what proves to its receiver who we are. They are resolved when the request leaves, from the
//! subscription as it is then, and no delivery stores them.

use std::collections::BTreeMap;

use super::secret::Secrets;
use super::subscription::{Auth, OAuth2, Settings, Tls, basic_authorization};

/// What a subscription gives a request that leaves. It has no `Debug`: its values are secret.
pub struct Credentials {
    /// The version of the subscription that gave them, but for the signing secrets; none where no version had any for the
    /// scheme, host and port that the request goes to.
    pub version: Option<u64>,
    /// The headers without placeholders.
    pub headers: BTreeMap<String, String>,
    pub auth: Option<Auth>,
    pub tls: Option<Tls>,
    /// The signing secrets, always those of the newest version: a signature tells nobody the secret, and no other version
    /// keeps any.
    pub secrets: Secrets,
}

/// Credentials and rendered headers, put together.
pub struct JoinedCredentials {
    /// All headers of the request, `Authorization` by HTTP Basic among them.
    pub headers: BTreeMap<String, String>,
    /// What a token is to be had with.
    pub oauth2: Option<OAuth2>,
    pub tls: Option<Tls>,
    pub secrets: Secrets,
}

impl Credentials {
    /// The credentials that a version of a subscription gives; `secrets` are those of the newest one.
    pub fn of(version: u64, settings: &Settings, secrets: Secrets) -> Self {
        Self {
            version: Some(version),
            headers: settings.constant_headers(),
            auth: settings.request.auth.clone(),
            tls: settings.request.tls.clone(),
            secrets,
        }
    }

    /// Signing secrets and nothing else.
    pub fn none(secrets: Secrets) -> Self {
        Self { version: None, headers: BTreeMap::new(), auth: None, tls: None, secrets }
    }

    /// The credentials with the headers that were rendered: of these, each wins over one of its name, in whatever case, and a
    /// rendered `Authorization` over all authentication.
    pub fn join(self, rendered: &BTreeMap<String, String>) -> JoinedCredentials {
        const AUTHORIZATION: &str = "Authorization";
        let Self { version: _, mut headers, auth, tls, secrets } = self;
        let is_rendered = |name: &str| rendered.keys().any(|other| other.eq_ignore_ascii_case(name));
        headers.retain(|name, _| !is_rendered(name));
        let oauth2 = match auth.filter(|_| !is_rendered(AUTHORIZATION)) {
            None => None,
            Some(Auth::Basic { username, password }) => {
                headers.insert(AUTHORIZATION.into(), basic_authorization(&username, &password));
                None
            }
            Some(Auth::OAuth2(oauth2)) => Some(oauth2),
        };
        headers.extend(rendered.iter().map(|(name, value)| (name.clone(), value.clone())));
        JoinedCredentials { headers, oauth2, tls, secrets }
    }
}

/// Which version of a subscription gave the credentials of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CredentialsVersion {
    /// The one that its delivery matched; of a resend to the current URL the one that gave this URL. It stands here, too,
    /// until the credentials are read.
    #[default]
    Own,
    Other(u64),
    /// No version had credentials for its scheme, host and port.
    NoVersion,
}

impl CredentialsVersion {
    /// How a row notes which version gave the credentials; `version` is none where no version had any. `own` is the one that
    /// [`Own`](Self::Own) stands for.
    pub fn of(version: Option<u64>, own: u64) -> Self {
        match version {
            Some(version) if version == own => Self::Own,
            Some(version) => Self::Other(version),
            None => Self::NoVersion,
        }
    }
}

/// The headers that a delivery froze at intake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrozenHeaders {
    /// Those that were rendered from placeholders.
    Rendered(BTreeMap<String, String>),
    /// All, credentials among them, as an earlier version of loanhook stored them.
    WithCredentials(BTreeMap<String, String>),
}

impl FrozenHeaders {
    /// None.
    pub const fn none() -> Self {
        Self::Rendered(BTreeMap::new())
    }

    /// Whether copies of credentials may be among them.
    pub fn may_hold_credentials(&self) -> bool {
        matches!(self, Self::WithCredentials(headers) if !headers.is_empty())
    }

    /// Names and values, whatever they are.
    pub const fn all(&self) -> &BTreeMap<String, String> {
        let (Self::Rendered(headers) | Self::WithCredentials(headers)) = self;
        headers
    }

    /// The same without credentials. `settings` are those that rendered the headers; where these are gone, those of the
    /// newest version. A header that they do not have, or not with placeholders, counts
    /// as a credential: a header that is missing is noticed and can be set again, a credential that was taken from a
    /// subscription must not leave any more.
    #[must_use]
    pub fn without_credentials(&self, settings: Option<&Settings>) -> Self {
        let mut headers = self.all().clone();
        if let Self::WithCredentials(_) = self {
            headers.retain(|name, _| settings.is_some_and(|settings| settings.has_rendered_header(name)));
        }
        Self::Rendered(headers)
    }
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
