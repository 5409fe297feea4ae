//! Settings of the pages by the operator, and the origin under which a browser reached us.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderName, header};
use url::Url;

use super::host::HostError;
use loanhook_core::model::key::KeyHash;
use loanhook_oidc::Provider;

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The operator's settings of the pages and of portal links.
#[derive(Debug, Clone, Default)]
pub struct SiteSettings {
    /// The origin in links, such as `https://hooks.lender.example`; else that of the request.
    pub public_url: Option<Origin>,
    pub frame_ancestors: FrameAncestors,
    /// The OpenID provider that people sign in at, beside API keys; none where there is none.
    pub provider: Option<Arc<Provider>>,
    /// The settings of a provider are wrong, so that there is none; the log says what.
    pub provider_is_set_up_wrongly: bool,
}

/// A setting of the pages that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteSettingsError {
    #[error("`{0}` is not an address such as https://hooks.lender.example, without a path")]
    PublicUrl(String),
    #[error(
        "`{0}` is not an origin that may frame the pages: write https://lms.lender.example, https://*.lender.example or 'self'"
    )]
    FrameAncestors(String),
}

impl SiteSettings {
    /// The fingerprint of the settings by which people sign in at the provider: a session of others is over.
    pub(crate) fn sign_in_settings(&self) -> Option<KeyHash> {
        self.provider.as_deref().map(Provider::fingerprint)
    }

    /// The origin under which a request reached us: that of the settings, else that of the request.
    ///
    /// # Errors
    ///
    /// There is no such setting, and the request does not name one valid host.
    pub(crate) fn origin(&self, parts: &Parts) -> Result<Origin, HostError> {
        self.public_url.clone().map_or_else(|| Origin::of_request(parts), Ok)
    }
}

/// An origin of ours, as a browser sees it: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    https: bool,
    /// Host and, where it is not the scheme's own, port.
    authority: String,
    /// A proxy passed the request on, so that it may have come from another machine, whatever the host.
    forwarded: bool,
}

impl Origin {
    /// The origin that a request names; the scheme is the one that a proxy before us adds. A caller can claim any origin:
    /// it is only used in the response to the same request.
    fn of_request(parts: &Parts) -> Result<Self, HostError> {
        let scheme = parts.headers.get(FORWARDED_PROTO).and_then(|value| value.to_str().ok());
        let scheme = scheme.and_then(|list| list.split(',').next()).map(str::trim);
        let https = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        let authority = super::host::requested_host(parts)?.ok_or(HostError::Missing)?;
        let scheme = if https { "https" } else { "http" };
        let known = format!("{scheme}://{authority}").parse::<Self>().map_err(|_| HostError::Invalid)?;
        let passed_on =
            |name: &HeaderName| name == header::FORWARDED || name.as_str().starts_with("x-forwarded-");
        Ok(Self { forwarded: parts.headers.keys().any(passed_on), ..known })
    }

    /// Whether its scheme is `https`.
    pub const fn is_https(&self) -> bool {
        self.https
    }

    const fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// Whether requests to it stay on this machine.
    fn is_loopback(&self) -> bool {
        let host = self.to_string().parse::<Url>().ok().and_then(|url| url.host_str().map(str::to_owned));
        let host = host.unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost"
            || host.ends_with(".localhost")
            || address.is_ok_and(|address| address.is_loopback())
    }

    /// Whether cookies may travel over encrypted connections only.
    pub(crate) fn needs_secure_cookies(&self) -> bool {
        self.https || self.forwarded || !self.is_loopback()
    }

    /// Whether the browser may have come by `http`, and would then reject secure cookies.
    pub(crate) fn may_reject_secure_cookies(&self) -> bool {
        !self.https && self.needs_secure_cookies()
    }

    /// Whether an origin that a browser names is this one; the scheme aside, which a proxy may have changed.
    pub(crate) fn matches(&self, origin: &str) -> bool {
        origin.parse::<Self>().is_ok_and(|origin| origin.authority == self.authority)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority)
    }
}

impl FromStr for Origin {
    type Err = SiteSettingsError;

    fn from_str(text: &str) -> Result<Self, SiteSettingsError> {
        let wrong = || SiteSettingsError::PublicUrl(text.into());
        let url = text.parse::<Url>().map_err(|_| wrong())?;
        let https = url.scheme() == "https";
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        let host = url.host_str().filter(|_| (https || url.scheme() == "http") && bare && anonymous);
        let host = host.ok_or_else(wrong)?;
        if !super::host::has_host_characters(host) {
            return Err(wrong());
        }
        let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { https, authority, forwarded: false })
    }
}

/// The sites that may show the pages in a frame: sources of CSP's `frame-ancestors`. None by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FrameAncestors(Vec<String>);

impl FrameAncestors {
    /// Whether another site is among them: then cookies must travel within its frames.
    pub(crate) fn names_another_site(&self) -> bool {
        self.0.iter().any(|source| source != SELF)
    }
}

const SELF: &str = "'self'";

impl FromStr for FrameAncestors {
    type Err = SiteSettingsError;

    /// Sources between commas or spaces.
    fn from_str(text: &str) -> Result<Self, SiteSettingsError> {
        let sources = text.split([',', ' ']).map(str::trim).filter(|source| !source.is_empty());
        let sources = sources.filter(|source| *source != "'none'");
        sources.map(frame_source).collect::<Result<_, _>>().map(Self)
    }
}

fn frame_source(text: &str) -> Result<String, SiteSettingsError> {
    if text == SELF {
        return Ok(text.into());
    }
    // The host of a source may begin with a wildcard, which no URL's may.
    let (wildcard, plain) = match text.split_once("://*.") {
        Some((scheme, rest)) => ("*.", format!("{scheme}://{rest}")),
        None => ("", text.to_owned()),
    };
    match plain.parse::<Origin>() {
        Ok(origin) if !plain.ends_with('/') => {
            Ok(format!("{}://{wildcard}{}", origin.scheme(), origin.authority))
        }
        _ => Err(SiteSettingsError::FrameAncestors(text.into())),
    }
}

impl fmt::Display for FrameAncestors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("'none'") } else { f.write_str(&self.0.join(" ")) }
    }
}

#[cfg(test)]
#[path = "site_settings_tests.rs"]
mod tests;
