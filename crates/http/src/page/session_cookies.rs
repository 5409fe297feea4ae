//! The cookies of sessions: one for each loan whose link was opened, and one for a sign-in with a key.
//!
//! A browser sends every cookie of ours to every page, and a servicer opens many loans in a day: beyond some
//! the oldest are taken back, so that requests do not outgrow what gateways let through.

use http::{HeaderMap, HeaderValue, header};

use crate::web::{Origin, SiteSettings};
use loanhook_core::model::id::LoanId;
use loanhook_core::model::payload::PayloadKey;

/// The sign-in with a key, good for every loan.
const ANY_LOAN: &str = "lh-any";
/// What the name of a link's begins with, before the digits of its loan.
const LINKS: &str = "lh-";
/// How many digits.
const DIGITS: usize = 16;
/// How many sessions of links a browser keeps.
const KEPT: usize = 40;
/// How many values of one name are tried: a browser has one for each path, host and partition it was set for.
const TRIED: usize = 8;

/// How cookies of ours are named and sent, to a browser that reached us so.
pub(super) struct Jar {
    /// Over encrypted connections only.
    secure: bool,
    /// Within frames of other sites too.
    framed: bool,
}

impl Jar {
    pub(super) fn new(site: &SiteSettings, reached: &Origin) -> Self {
        let framed = site.frame_ancestors.names_another_site();
        // A browser takes no cookie for frames that may travel in clear.
        Self { secure: framed || reached.needs_secure_cookies(), framed }
    }

    /// The name of a session's cookie: that of its loan, or of a sign-in.
    fn name(&self, loan: Option<&LoanId>) -> String {
        let prefix = self.prefix();
        match loan {
            Some(loan) => {
                let hash = PayloadKey::of(loan.as_str().as_bytes()).to_string();
                format!("{prefix}{LINKS}{}", &hash[..DIGITS])
            }
            None => format!("{prefix}{ANY_LOAN}"),
        }
    }

    /// Nobody but us, on this very host, can set a cookie of a prefix.
    const fn prefix(&self) -> &'static str {
        if self.secure { "__Host-" } else { "" }
    }

    /// The tokens that may open this loan, those of its own link first.
    pub(super) fn tokens(&self, headers: &HeaderMap, loan: &LoanId) -> Vec<String> {
        [Some(loan), None].into_iter().flat_map(|loan| self.tokens_of(headers, loan)).collect()
    }

    /// The tokens of a loan's link, or of a sign-in.
    pub(super) fn tokens_of(&self, headers: &HeaderMap, loan: Option<&LoanId>) -> Vec<String> {
        let wanted = self.name(loan);
        let found = self.ours(headers).filter(|(name, _)| *name == wanted);
        found.map(|(_, token)| token.to_owned()).take(TRIED).collect()
    }

    /// Whether the browser has a session for some other loan.
    pub(super) fn has_other(&self, headers: &HeaderMap, loan: &LoanId) -> bool {
        let own = [self.name(Some(loan)), self.name(None)];
        self.ours(headers).any(|(name, _)| !own.iter().any(|own| own == name))
    }

    /// The headers that give a browser a session.
    pub(super) fn set(
        &self,
        headers: &HeaderMap,
        loan: Option<&LoanId>,
        token: &str,
        seconds: u64,
    ) -> Vec<HeaderValue> {
        let name = self.name(loan);
        let others: Vec<_> =
            self.ours(headers).map(|(name, _)| name).filter(|other| *other != name).collect();
        // Browsers name the oldest first.
        let too_many = others.len().saturating_sub(KEPT - 1);
        let gone = others.iter().filter(|other| !other.ends_with(ANY_LOAN)).take(too_many);
        let gone = gone.map(|name| self.header(name, "", 0));
        gone.chain([self.header(&name, token, seconds)]).flatten().collect()
    }

    /// The header that takes the session of a loan's link, or a sign-in, from a browser.
    pub(super) fn clear(&self, loan: Option<&LoanId>) -> Option<HeaderValue> {
        self.header(&self.name(loan), "", 0)
    }

    fn header(&self, name: &str, token: &str, seconds: u64) -> Option<HeaderValue> {
        let same_site = if self.framed { "None; Partitioned" } else { "Lax" };
        let secure = if self.secure { "; Secure" } else { "" };
        let text =
            format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}");
        HeaderValue::from_str(&text).ok()
    }

    /// The cookies of ours that a request carries, by name and value. Those of other programs on this host may be
    /// called much the same.
    fn ours<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = (&'a str, &'a str)> {
        let prefix = self.prefix();
        let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(move |(name, _)| name.strip_prefix(prefix).is_some_and(is_ours))
    }
}

/// Whether a cookie is called as ours are, after the prefix.
fn is_ours(name: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let of_link = |digits: &str| digits.len() == DIGITS && digits.bytes().all(digit);
    name == ANY_LOAN || name.strip_prefix(LINKS).is_some_and(of_link)
}
