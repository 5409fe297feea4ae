//! What both HTTP faces, the API and the pages, do in the same way.

pub(crate) mod authentication;
pub(crate) mod body_memory;
pub(crate) mod body_reader;
pub(crate) mod call_limits;
mod client;
pub(crate) mod download;
pub(crate) mod host;
mod rate_limiter;
mod repeat_counter;
pub(crate) mod resend;
mod site_settings;
mod verified_keys;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use loanhook_core::model::grant::Token;

pub use client::{Connection, Group, Source};
pub use site_settings::{FrameAncestors, Reached, Site, SiteError};

/// What may stand in a path as it is (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, SEGMENT)
}

/// Where portal links are opened.
pub(crate) const PORTAL: &str = "/portal";

/// Where people sign in.
pub(crate) const SIGN_IN: &str = "/login";

/// The address of a portal link. Its secret is in the query, which no log shows.
pub(crate) fn portal_link(reached: &Reached, token: &Token) -> String {
    format!("{reached}{PORTAL}?token={}", token.expose())
}
