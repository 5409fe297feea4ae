//! Session cookies: one for each loan whose link was opened, and one for a sign-in.
//!
//! A browser sends all of them with every request, and a servicer opens many loans in a day: beyond a number of them the
//! oldest are cleared, so that the headers of a request stay within the limits of gateways.

use http::{HeaderMap, HeaderValue, header};

use crate::web::{Origin, SiteSettings};
use loanhook_core::model::id::LoanId;
use loanhook_core::model::payload::PayloadKey;

/// The name of the cookie of a sign-in, which is valid for every loan.
const SIGN_IN_COOKIE: &str = "lh-any";
/// The beginning of the name of the cookie of a link, before the digits that stand for its loan.
const LINK_COOKIE_PREFIX: &str = "lh-";
/// The number of those digits.
const LINK_COOKIE_DIGITS: usize = 16;
/// The number of link cookies that a browser keeps.
const MAX_LINK_COOKIES: usize = 40;
/// The number of cookies of one name that are tried: a browser can have one for each path, host and partition.
const MAX_TOKENS_PER_NAME: usize = 8;

/// Names and attributes of session cookies, for a browser that came by this origin.
pub(super) struct SessionCookies {
    /// They are sent over encrypted connections only.
    secure: bool,
    /// They are sent within frames of other sites too.
    in_frames: bool,
}

impl SessionCookies {
    pub(super) fn new(site: &SiteSettings, origin: &Origin) -> Self {
        let framed = site.frame_ancestors.names_another_site();
        // A browser rejects cookies for frames that are not secure.
        Self { secure: framed || origin.needs_secure_cookies(), in_frames: framed }
    }

    /// The name of the cookie of a link to a loan, or of a sign-in.
    fn name(&self, loan: Option<&LoanId>) -> String {
        let prefix = self.prefix();
        match loan {
            Some(loan) => {
                let hash = PayloadKey::of(loan.as_str().as_bytes()).to_string();
                format!("{prefix}{LINK_COOKIE_PREFIX}{}", &hash[..LINK_COOKIE_DIGITS])
            }
            None => format!("{prefix}{SIGN_IN_COOKIE}"),
        }
    }

    /// Only this host itself can set a cookie with this prefix.
    pub(super) const fn prefix(&self) -> &'static str {
        if self.secure { "__Host-" } else { "" }
    }

    /// The attribute of cookies that are sent over encrypted connections only, where these are.
    pub(super) const fn secure_attribute(&self) -> &'static str {
        if self.secure { "; Secure" } else { "" }
    }

    /// The tokens of sessions that may be valid for this loan, those of its own link first.
    pub(super) fn tokens(&self, headers: &HeaderMap, loan: &LoanId) -> Vec<String> {
        [Some(loan), None].into_iter().flat_map(|loan| self.tokens_of(headers, loan)).collect()
    }

    /// The tokens in the cookies of a link to a loan, or of a sign-in.
    pub(super) fn tokens_of(&self, headers: &HeaderMap, loan: Option<&LoanId>) -> Vec<String> {
        let name_of_cookie = self.name(loan);
        let found = self.session_cookies_of(headers).filter(|(name, _)| *name == name_of_cookie);
        found.map(|(_, token)| token.to_owned()).take(MAX_TOKENS_PER_NAME).collect()
    }

    /// Whether the browser has a session of a link.
    pub(super) fn has_link_session(&self, headers: &HeaderMap) -> bool {
        let sign_in = self.name(None);
        self.session_cookies_of(headers).any(|(name, _)| name != sign_in)
    }

    /// Whether the browser has a session for some other loan.
    pub(super) fn has_session_of_another_loan(&self, headers: &HeaderMap, loan: &LoanId) -> bool {
        let own = [self.name(Some(loan)), self.name(None)];
        self.session_cookies_of(headers).any(|(name, _)| !own.iter().any(|own| own == name))
    }

    /// The `Set-Cookie` headers that give a browser a session.
    pub(super) fn set(
        &self,
        headers: &HeaderMap,
        loan: Option<&LoanId>,
        token: &str,
        seconds: u64,
    ) -> Vec<HeaderValue> {
        let name = self.name(loan);
        let others: Vec<_> =
            self.session_cookies_of(headers).map(|(name, _)| name).filter(|other| *other != name).collect();
        // Browsers send the oldest first.
        let too_many = others.len().saturating_sub(MAX_LINK_COOKIES - 1);
        let cleared = others.iter().filter(|other| !other.ends_with(SIGN_IN_COOKIE)).take(too_many);
        let cleared = cleared.map(|name| self.header(name, "", 0));
        cleared.chain([self.header(&name, token, seconds)]).flatten().collect()
    }

    /// The `Set-Cookie` header that clears the cookie of a link to a loan, or of a sign-in.
    pub(super) fn clear(&self, loan: Option<&LoanId>) -> Option<HeaderValue> {
        self.header(&self.name(loan), "", 0)
    }

    fn header(&self, name: &str, token: &str, seconds: u64) -> Option<HeaderValue> {
        let same_site = if self.in_frames { "None; Partitioned" } else { "Lax" };
        let secure = self.secure_attribute();
        let text =
            format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}");
        HeaderValue::from_str(&text).ok()
    }

    /// Names and values of the session cookies of a request. Other programs on this host may have cookies of similar names.
    fn session_cookies_of<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = (&'a str, &'a str)> {
        let prefix = self.prefix();
        let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(move |(name, _)| name.strip_prefix(prefix).is_some_and(is_session_cookie))
    }
}

/// Whether a name without its prefix is one of a session cookie.
fn is_session_cookie(name: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let of_link = |digits: &str| digits.len() == LINK_COOKIE_DIGITS && digits.bytes().all(digit);
    name == SIGN_IN_COOKIE || name.strip_prefix(LINK_COOKIE_PREFIX).is_some_and(of_link)
}
