//! URL rules of a webhook that its text alone decides.

use url::{Host, Url};

use crate::model::destination::has_masked_value;
use crate::model::template::Template;

/// The most bytes of a URL.
pub const MAX_URL: usize = 8192;

const NO_URL: &str = "must be a URL, as in https://core.example.com/hooks";
const NO_SCHEME: &str = "must begin with https:// or http://, both slashes included";
const NO_HOST: &str = "must name a host, as in https://core.example.com/hooks";
const BAD_HOST: &str = "must name a host of parts with 1 to 63 letters, digits, hyphens or underscores, with a dot \
                        between two of them, 253 characters in all";
const ENCODED_HOST: &str = "must name its host without percent-encoding";
const BAD_PORT: &str = "must have a port from 1 to 65535 behind the colon, or no colon";
const USER: &str =
    "must hold no user name or password, as the history shows it: put them in an Authorization header";
const BACKSLASH: &str = "must have no backslash before its query: write / or, where one is meant, %5C";
const BLANKS: &str = "must have no spaces or controls";
const MASKED: &str = "has *** in its query, which stands for a value that is not shown: give the value again";
const PLACEHOLDER: &str = "must have no placeholders";
const TOO_LONG: &str = "must have at most 8192 bytes";

/// What is wrong with a URL's template: whatever placeholders become, they become parts of a URL of its shape.
pub fn url_fault(text: &str, template: &Template) -> Option<&'static str> {
    if text.len() > MAX_URL {
        return Some(TOO_LONG);
    }
    if has_masked_value(text) { Some(MASKED) } else { fault(&template.sample()) }
}

/// What is wrong with a URL that has no placeholders.
pub(super) fn plain_url_fault(text: &str) -> Option<&'static str> {
    match text {
        _ if text.len() > MAX_URL => Some(TOO_LONG),
        _ if has_masked_value(text) => Some(MASKED),
        _ if text.contains("[[") => Some(PLACEHOLDER),
        _ => fault(text),
    }
}

fn fault(url: &str) -> Option<&'static str> {
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Some(BLANKS);
    }
    let Some((scheme, rest)) = url.split_once(':') else { return Some(NO_URL) };
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let Some(rest) = rest.strip_prefix("//").filter(|_| is_http) else { return Some(NO_SCHEME) };
    if rest.split(['?', '#']).next().is_some_and(|before| before.contains('\\')) {
        return Some(BACKSLASH);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some(USER);
    }
    // The colons of an IPv6 address stand in brackets.
    let end = match authority.rfind(']') {
        None if authority.starts_with('[') => return Some(NO_URL),
        end => end.unwrap_or(0),
    };
    let (host, port) = match authority[end..].find(':') {
        Some(colon) => (&authority[..end + colon], Some(&authority[end + colon + 1..])),
        None => (authority, None),
    };
    if host.is_empty() {
        return Some(NO_HOST);
    }
    if host.contains('%') {
        return Some(ENCODED_HOST);
    }
    if port.is_some_and(|port| !is_port(port)) {
        return Some(BAD_PORT);
    }
    match Url::parse(url).as_ref().map(Url::host) {
        Ok(Some(Host::Domain(name))) => (!is_name(name)).then_some(BAD_HOST),
        Ok(Some(Host::Ipv4(_) | Host::Ipv6(_))) => None,
        Ok(None) => Some(NO_HOST),
        Err(_) => Some(NO_URL),
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Whether a name, in ASCII, can be one of a host (RFC 1123, and underscores, which receivers have). A dot at its
/// end is the root of all names.
fn is_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_part = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_judged_by_its_text() {
        let long_part = "a".repeat(64);
        for (url, expected) in [
            ("https://core.example.com/hooks?a=1#f", None),
            ("HTTPS://Core.Example.com", None),
            ("http://10.0.0.1:8080", None),
            ("https://core.example.com.:65535/", None),
            ("https://core_1.example.com/a\u{e4}b?c=\\", None),
            ("https://b\u{f6}rse.example.com/", None),
            ("https://[2001:db8::1]:8443/x", None),
            ("https://[2001:db8::1]", None),
            ("http:///path", Some(NO_HOST)),
            ("http://", Some(NO_HOST)),
            ("http://?query", Some(NO_HOST)),
            ("http://:8080/", Some(NO_HOST)),
            ("https:/core.example.com/", Some(NO_SCHEME)),
            ("https:core.example.com", Some(NO_SCHEME)),
            ("ftp://core.example.com/", Some(NO_SCHEME)),
            ("data:text/plain,x", Some(NO_SCHEME)),
            ("core.example.com:8080/hooks", Some(NO_SCHEME)),
            ("//core.example.com/", Some(NO_URL)),
            ("core.example.com/hooks", Some(NO_URL)),
            ("", Some(NO_URL)),
            ("https:\\\\core.example.com\\", Some(NO_SCHEME)),
            ("https://core.example.com\\@other.example.com/", Some(BACKSLASH)),
            ("https://core.example.com/a\\b", Some(BACKSLASH)),
            ("https://core.exa\tmple.com/", Some(BLANKS)),
            ("https://core.example.com/\n", Some(BLANKS)),
            (" https://core.example.com/", Some(BLANKS)),
            ("https://core.example.com/\u{a0}x", Some(BLANKS)),
            ("https://user:word@core.example.com/", Some(USER)),
            ("https://@core.example.com/", Some(USER)),
            ("https://core.example.com:/", Some(BAD_PORT)),
            ("https://core.example.com:0/", Some(BAD_PORT)),
            ("https://core.example.com:+80/", Some(BAD_PORT)),
            ("https://core.example.com:65536/", Some(BAD_PORT)),
            ("https://core.example.com:80:80/", Some(BAD_PORT)),
            ("https://[2001:db8::1]:/", Some(BAD_PORT)),
            ("https://%63ore.example.com/", Some(ENCODED_HOST)),
            ("https://[fe80::1%25eth0]/", Some(ENCODED_HOST)),
            ("https://core..example.com/", Some(BAD_HOST)),
            ("https://.example.com/", Some(BAD_HOST)),
            ("https://core.example.com../", Some(BAD_HOST)),
            ("https://./", Some(BAD_HOST)),
            ("https://core!.example.com/", Some(BAD_HOST)),
            ("https://core,other.example.com/", Some(BAD_HOST)),
            (&format!("https://{long_part}.example.com/"), Some(BAD_HOST)),
            ("https://core.example.com<x/", Some(NO_URL)),
            ("https://[2001:db8::1/", Some(NO_URL)),
            ("https://256.1.1.1/", Some(NO_URL)),
        ] {
            assert_eq!(fault(url), expected, "{url}");
        }
    }
}
