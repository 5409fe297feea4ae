//! What the API and the pages do in the same way: reading bodies, authentication, limits of what a caller may do, the
//! client and the origin of a request, cursors of deliveries, downloads, verdicts in words.

pub(crate) mod authentication;
pub(crate) mod body_memory;
pub(crate) mod body_reader;
pub(crate) mod call_limits;
mod client;
pub(crate) mod delivery_cursor;
pub(crate) mod download;
pub(crate) mod host;
mod rate_limiter;
mod repeat_counter;
pub(crate) mod resend;
mod site_settings;
pub(crate) mod verdict_words;
mod verified_keys;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use loanhook_core::model::grant::Token;

pub use client::{AddressGroup, AuthenticationObserver, Client};
pub use site_settings::{FrameAncestors, Origin, SiteSettings, SiteSettingsError};

/// The characters that are percent-encoded in a segment of a path: all but the unreserved ones (RFC 3986, 2.3).
const ESCAPED_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one segment of a path, percent-encoded.
pub(crate) fn path_segment(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ESCAPED_IN_PATHS)
}

/// The path that opens portal links.
pub(crate) const PORTAL_PATH: &str = "/portal";

/// The path of the sign-in page.
pub(crate) const SIGN_IN_PATH: &str = "/sign-in";

/// The URL of a portal link. Its secret is in the query, which no log shows.
pub(crate) fn portal_link_url(origin: &Origin, token: &Token) -> String {
    format!("{origin}{PORTAL_PATH}?token={}", token.expose())
}
