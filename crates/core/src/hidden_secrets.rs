//! Hidden secrets: a receiver or a token endpoint may send back what proves to it who we are, and its answers are kept and shown.
//!
//! Each secret is looked for as it is and as JSON, HTML, forms, URLs and base64 write it, and replaced by `***`. Values of fewer
//! than [`MIN_SECRET_BYTES`] bytes are not looked for: they would be found in texts that have nothing to do with them. The search
//! passes once over an answer, however many secrets there are.

use std::borrow::Cow;
use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::destination::HIDDEN;
use crate::model::subscription::{Auth, OAuth2, Settings};
use crate::ports::ReceivedResponse;
use crate::tokens::form_encoded;

/// The least bytes that a secret must have to be looked for.
pub const MIN_SECRET_BYTES: usize = 8;
/// What a URL's component leaves as it is (RFC 3986, 2.3).
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The secrets of one request.
#[derive(Default)]
pub struct HiddenSecrets {
    forms: BTreeSet<Vec<u8>>,
}

impl HiddenSecrets {
    /// Those that these settings give a request, but for tokens: header values without placeholders and the parts of `auth`.
    pub fn of_settings(settings: &Settings) -> Self {
        let mut secrets = Self::default();
        for (name, value) in settings.constant_headers() {
            secrets.add_header(&name, &value);
        }
        match &settings.request.auth {
            None => {}
            Some(Auth::Basic { username, password }) => {
                secrets.add(password);
                secrets.add(&STANDARD.encode(format!("{username}:{password}")));
            }
            Some(Auth::OAuth2(oauth2)) => secrets.add_oauth2(oauth2),
        }
        secrets
    }

    /// What a token is asked for with.
    pub fn of_oauth2(oauth2: &OAuth2) -> Self {
        let mut secrets = Self::default();
        secrets.add_oauth2(oauth2);
        secrets
    }

    fn add_oauth2(&mut self, oauth2: &OAuth2) {
        let OAuth2 { client_id, client_secret, parameters, .. } = oauth2;
        self.add(client_secret);
        let pair = format!("{}:{}", form_encoded(client_id), form_encoded(client_secret));
        self.add(&STANDARD.encode(pair));
        parameters.values().for_each(|value| self.add(value));
    }

    /// A header's value; of an `Authorization` what follows its scheme, and the password of a Basic one.
    fn add_header(&mut self, name: &str, value: &str) {
        let is_authorization = ["authorization", "proxy-authorization"]
            .into_iter()
            .any(|authorization| name.eq_ignore_ascii_case(authorization));
        let Some((scheme, credentials)) = value.split_once(' ').filter(|_| is_authorization) else {
            return self.add(value);
        };
        let credentials = credentials.trim();
        self.add(credentials);
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(pair) = STANDARD.decode(credentials)
            && let Ok(pair) = String::from_utf8(pair)
            && let Some((_, password)) = pair.split_once(':')
        {
            self.add(password);
        }
    }

    /// Another secret.
    pub fn add(&mut self, secret: &str) {
        if secret.len() < MIN_SECRET_BYTES {
            return;
        }
        let json = serde_json::to_string(secret).unwrap_or_default();
        let json = json.trim_matches('"');
        let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let component = utf8_percent_encode(secret, COMPONENT).to_string();
        let forms = [
            secret.to_owned(),
            json.to_owned(),
            json.replace('/', "\\/"),
            html.replace('"', "&quot;").replace('\'', "&#39;"),
            with_small_hex(&component),
            component,
            with_small_hex(&form_encoded(secret)),
            form_encoded(secret),
            STANDARD_NO_PAD.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
        ];
        self.forms.extend(forms.map(String::into_bytes));
    }

    /// Hides them in an answer.
    pub fn hide(&self, answer: &mut Option<ReceivedResponse>) {
        let Some(answer) = answer else { return };
        let Some(searcher) = self.searcher() else { return };
        if let Cow::Owned(hidden) = self.hidden(&searcher, &answer.body, answer.truncated) {
            answer.body = Bytes::from(hidden);
        }
        for (_, value) in &mut answer.headers {
            let is_cut = answer.headers_truncated;
            if let Cow::Owned(hidden) = self.hidden(&searcher, value.as_bytes(), is_cut) {
                *value = String::from_utf8_lossy(&hidden).into_owned();
            }
        }
    }

    /// A text without them.
    pub fn hide_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(searcher) = self.searcher() else { return Cow::Borrowed(text) };
        match self.hidden(&searcher, text.as_bytes(), false) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(hidden) => Cow::Owned(String::from_utf8_lossy(&hidden).into_owned()),
        }
    }

    fn searcher(&self) -> Option<AhoCorasick> {
        if self.forms.is_empty() {
            return None;
        }
        let mut builder = AhoCorasick::builder();
        // It fails only for more patterns than a request can have secrets.
        builder.match_kind(MatchKind::LeftmostLongest).build(&self.forms).ok()
    }

    fn hidden<'a>(&self, searcher: &AhoCorasick, bytes: &'a [u8], is_cut: bool) -> Cow<'a, [u8]> {
        let mut hidden = Vec::new();
        let mut done = 0;
        for found in searcher.find_iter(bytes) {
            hidden.extend_from_slice(&bytes[done..found.start()]);
            hidden.extend_from_slice(HIDDEN.as_bytes());
            done = found.end();
        }
        let end = if is_cut { bytes.len() - self.cut_secret(&bytes[done..]) } else { bytes.len() };
        if done == 0 && end == bytes.len() {
            return Cow::Borrowed(bytes);
        }
        hidden.extend_from_slice(&bytes[done..end]);
        if end < bytes.len() {
            hidden.extend_from_slice(HIDDEN.as_bytes());
        }
        Cow::Owned(hidden)
    }

    /// How many bytes at the end of what was cut are the beginning of a secret.
    fn cut_secret(&self, bytes: &[u8]) -> usize {
        let longest = |form: &Vec<u8>| {
            let most = form.len().min(bytes.len());
            (MIN_SECRET_BYTES..=most).rev().find(|length| bytes.ends_with(&form[..*length])).unwrap_or(0)
        };
        self.forms.iter().map(longest).max().unwrap_or(0)
    }
}

/// A text whose percent-encoded bytes are written in small letters, as some encoders do.
fn with_small_hex(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut small = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(part.len().min(2));
        small.push('%');
        small.push_str(&digits.to_ascii_lowercase());
        small.push_str(rest);
    }
    small
}

#[cfg(test)]
#[path = "hidden_secrets_tests.rs"]
mod tests;
