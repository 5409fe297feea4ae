//! Hidden secrets: a receiver or a token endpoint may send back what proves to it who we are, and its answers are kept and shown.
//!
//! Each secret is looked for as it is and as JSON, HTML, forms, URLs and base64 write it, and replaced by `***`. Values of fewer
//! than [`MIN_SECRET_BYTES`] bytes, and those of headers that say nothing of who we are, are not looked for: they would be found in
//! texts that have nothing to do with them. The search passes once over an answer, however many secrets there are.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::secret_search::{MIN_SECRET_BYTES, SecretSearch};
use crate::model::subscription::{Auth, OAuth2, Settings};
use crate::ports::ReceivedResponse;
use crate::tokens::form_encoded;

/// Headers whose values are no secrets: a value like `application/json` stands in many answers.
const PUBLIC_HEADERS: [&str; 10] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-encoding",
    "content-language",
    "origin",
    "pragma",
    "prefer",
];
/// What writers of JSON escape as `\uXXXX` though they need not, and whether they do so with all that is not ASCII. In their order:
/// those of Python and PHP, Go, Gson, .NET.
const JSON_ESCAPES: [(&str, bool); 4] = [("", true), ("&<>", false), ("&'<=>", false), ("\"&'+<>`", true)];
/// How HTML writes `"`, `'` and `+`.
const HTML_ESCAPES: [(&str, &str, &str); 3] =
    [("&quot;", "&#39;", "+"), ("&quot;", "&#x27;", "+"), ("&#34;", "&#39;", "&#43;")];
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
        if PUBLIC_HEADERS.iter().any(|public| name.eq_ignore_ascii_case(public)) {
            return;
        }
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
            with_small_hex(&component, "%", 2),
            component,
            with_small_hex(&form_encoded(secret), "%", 2),
            form_encoded(secret),
            STANDARD_NO_PAD.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
        ];
        let escaped = JSON_ESCAPES.into_iter().flat_map(|(escaped, all)| {
            [
                json_escaped(secret, escaped, all),
                with_small_hex(&json_escaped(secret, escaped, all), "\\u", 4),
            ]
        });
        let html = HTML_ESCAPES
            .into_iter()
            .map(|(double, single, plus)| html.replace('"', double).replace('\'', single).replace('+', plus));
        self.forms.extend(forms.into_iter().chain(escaped).chain(html).map(String::into_bytes));
    }

    fn search(&self) -> SecretSearch {
        SecretSearch::new(&self.forms)
    }

    /// Hides them in an answer.
    pub fn hide(&self, answer: &mut Option<ReceivedResponse>) {
        hide_found(&self.search(), answer);
    }

    /// Hides in an answer those of [`of_settings`](Self::of_settings). The search for them is made once for each version of a
    /// subscription.
    pub fn hide_those_of(settings: &Settings, answer: &mut Option<ReceivedResponse>) {
        let search = settings.secret_search(|| Self::of_settings(settings).search());
        hide_found(search, answer);
    }

    /// A text without them.
    pub fn hide_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.search().hidden(text.as_bytes(), false) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(hidden) => Cow::Owned(String::from_utf8_lossy(&hidden).into_owned()),
        }
    }
}

/// Hides what a search finds in an answer.
fn hide_found(search: &SecretSearch, answer: &mut Option<ReceivedResponse>) {
    let Some(answer) = answer else { return };
    if let Cow::Owned(hidden) = search.hidden(&answer.body, answer.truncated) {
        answer.body = Bytes::from(hidden);
    }
    let is_cut = answer.headers_truncated;
    // The type of the answer says how its body is shown.
    let others = answer.headers.iter_mut().filter(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    for (_, value) in others {
        if let Cow::Owned(hidden) = search.hidden(value.as_bytes(), is_cut) {
            *value = String::from_utf8_lossy(&hidden).into_owned();
        }
    }
}

/// A text in JSON, with these characters, and perhaps all that are not ASCII, as `\uXXXX` in capitals.
fn json_escaped(text: &str, escaped: &str, escapes_non_ascii: bool) -> String {
    let mut json = String::with_capacity(text.len());
    for c in text.chars() {
        if escaped.contains(c) || (escapes_non_ascii && !c.is_ascii()) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| json.push_str(&format!("\\u{unit:04X}")));
        } else {
            if matches!(c, '"' | '\\') {
                json.push('\\');
            }
            json.push(c);
        }
    }
    json
}

/// A text whose hexadecimal digits behind a sign are written in small letters, as some writers do.
fn with_small_hex(encoded: &str, sign: &str, digits: usize) -> String {
    let mut parts = encoded.split(sign);
    let mut small = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hex, rest) = part.split_at_checked(digits).unwrap_or((part, ""));
        small.push_str(sign);
        small.push_str(&hex.to_ascii_lowercase());
        small.push_str(rest);
    }
    small
}

#[cfg(test)]
#[path = "hidden_secrets_tests.rs"]
mod tests;
