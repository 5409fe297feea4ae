//! A sign-in at the OpenID provider that is under way: what the browser that began it keeps until it comes back.
//!
//! All of it is the value of one cookie, and so are the secrets of the sign-in: state, nonce and PKCE verifier are hashes of the whole
//! value. So the state that comes back stands for one value, in the browser that has it, and none of it can be exchanged for another.
//! The name of the cookie has a part of the state, so that several tabs can sign in at once.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::page::next_page::own_page;
use crate::page::session_cookies::SessionCookies;
use loanhook_core::model::grant::Token;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::portal::PortalError;

/// How long a person may take to sign in at the provider, in seconds.
const LIFE_SECONDS: i64 = 600;
/// The number of sign-ins that a browser keeps; the oldest are cleared.
const MAX_FLOWS: usize = 5;
/// The longest path to come back to, in bytes: a browser sends the cookie with every request.
const MAX_NEXT: usize = 512;
/// The beginning of the name of the cookie, before characters of the state.
const COOKIE_PREFIX: &str = "lh-oidc-";
/// The number of those characters.
const STATE_CHARACTERS: usize = 16;

/// What a sign-in is for. It has no `Debug`, since it holds secrets.
pub(super) struct Flow {
    /// A random text, the second in which it began, the tenant, and the page to open.
    value: String,
}

impl Flow {
    /// Begins a sign-in to open this page, as a viewer of this tenant where one is chosen.
    pub(super) fn begin(
        next: Option<&str>,
        tenant: Option<&TenantId>,
        now: Timestamp,
    ) -> Result<Self, PortalError> {
        let next = next.filter(|next| next.len() <= MAX_NEXT).unwrap_or_default();
        let tenant = tenant.map_or("", TenantId::as_str);
        let (random, next) = (Token::generate()?, URL_SAFE_NO_PAD.encode(next));
        Ok(Self { value: format!("{}.{}.{tenant}.{next}", random.expose(), now.seconds()) })
    }

    /// The sign-in that a browser came back from with this state, if it began it and not too long ago.
    pub(super) fn of_state(
        cookies: &SessionCookies,
        headers: &HeaderMap,
        state: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let name = cookie_name(cookies, state)?;
        let mut flows = flows_of(cookies, headers).filter(|(found, _)| *found == name);
        let flow = flows.find_map(|(_, value)| {
            let flow = Self { value: value.to_owned() };
            // Whole values are compared as hashes of secrets, so the time of it tells nothing.
            (flow.state() == state).then_some(flow)
        })?;
        let begun: i64 = flow.part(1)?.parse().ok()?;
        (now.seconds() - begun <= LIFE_SECONDS).then_some(flow)
    }

    fn part(&self, number: usize) -> Option<&str> {
        self.value.split('.').nth(number)
    }

    /// The tenant that was chosen.
    pub(super) fn tenant(&self) -> Option<TenantId> {
        self.part(2).and_then(|tenant| TenantId::try_from(tenant.to_owned()).ok())
    }

    /// The page to open: one of ours. Another program on this host may have set the cookie.
    pub(super) fn next(&self) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(self.part(3)?).ok()?;
        own_page(&String::from_utf8(bytes).ok()?)
    }

    pub(super) fn state(&self) -> String {
        self.secret("state")
    }

    pub(super) fn nonce(&self) -> String {
        self.secret("nonce")
    }

    /// 43 characters, as PKCE wants.
    pub(super) fn verifier(&self) -> String {
        self.secret("verifier")
    }

    fn secret(&self, purpose: &str) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{purpose}:{}", self.value)))
    }

    /// The `Set-Cookie` headers that have a browser keep this.
    pub(super) fn cookies(&self, cookies: &SessionCookies, headers: &HeaderMap) -> Vec<HeaderValue> {
        let others: Vec<_> = flows_of(cookies, headers).map(|(name, _)| name).collect();
        let too_many = others.len().saturating_sub(MAX_FLOWS - 1);
        // Browsers send the oldest first.
        let cleared = others.into_iter().take(too_many).map(|name| header_of(cookies, name, "", 0));
        let own = cookie_name(cookies, &self.state());
        let own = own.map(|name| header_of(cookies, &name, &self.value, LIFE_SECONDS));
        cleared.chain(own).flatten().collect()
    }
}

/// The `Set-Cookie` header that clears the cookie of the sign-in with this state.
pub(super) fn clear(cookies: &SessionCookies, state: &str) -> Option<HeaderValue> {
    header_of(cookies, &cookie_name(cookies, state)?, "", 0)
}

/// None where it is no state of ours.
fn cookie_name(cookies: &SessionCookies, state: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let part = state.get(..STATE_CHARACTERS).filter(|part| part.bytes().all(allowed))?;
    Some(format!("{}{COOKIE_PREFIX}{part}", cookies.prefix()))
}

/// Names and values of the cookies of sign-ins.
fn flows_of<'a>(
    cookies: &SessionCookies,
    headers: &'a HeaderMap,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let prefix = cookies.prefix();
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(name, _)| {
        name.strip_prefix(prefix).is_some_and(|name| name.starts_with(COOKIE_PREFIX))
    })
}

/// `Lax` whatever the session cookies have: the provider sends the whole tab back, and never a frame.
fn header_of(cookies: &SessionCookies, name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
    let secure = cookies.secure_attribute();
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
#[path = "flow_tests.rs"]
mod tests;
