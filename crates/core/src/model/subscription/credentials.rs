//! Credentials of a subscription, and the hosts that they may go to.
//!
//! A credential that is not shown is given for one host. Whoever may change a subscription's URL must not learn it by
//! sending it to a host of their own, so a change of the host asks for every credential again. A delivery that is resent to
//! another URL than its own takes its credentials from the version that gave the URL.

use std::collections::BTreeMap;

use url::Url;

use super::Settings;
use crate::model::rendering::sent_header;
use crate::model::template::{Target, Template};

/// Whether credentials that were given for requests to the URL `stored` may go on to the URL `new`, both templates:
/// whether scheme, host and port are the same. It holds for every kind of credential and every URL that one is sent
/// to. False where a URL cannot be read.
pub fn may_keep_credentials(stored: &str, new: &str) -> bool {
    match (place(stored), place(new)) {
        (Some(stored), Some(new)) => stored == new,
        _ => false,
    }
}

/// The headers of a delivery that is sent to the URL of other settings than those that rendered it. A header that was rendered
/// from placeholders stays; all others are credentials, and the settings of the URL give theirs.
pub fn headers_for_other_url(
    frozen: &BTreeMap<String, String>,
    rendered_by: &Settings,
    url_of: &Settings,
) -> BTreeMap<String, String> {
    let rendered = &rendered_by.compiled.of(rendered_by).headers;
    let varies = |name: &String| matches!(rendered.get(name), Some(Ok(template)) if !template.is_constant());
    let mut headers = frozen.clone();
    headers.retain(|name, _| varies(name));
    for (name, template) in &url_of.compiled.of(url_of).headers {
        let stands = headers.keys().any(|rendered| rendered.eq_ignore_ascii_case(name));
        if let Ok(template) = template
            && template.is_constant()
            && !stands
            && let Ok(value) = sent_header(&template.sample())
        {
            headers.insert(name.clone(), value);
        }
    }
    headers
}

/// Scheme, host and port, in the one spelling of each: a default port counts as told, a host as its ASCII form in
/// lower case. A template has them itself.
fn place(url: &str) -> Option<(String, String, Option<u16>)> {
    let sample = Template::parse(url, Target::Url).ok()?.sample();
    let url = Url::parse(&sample).ok()?;
    Some((url.scheme().to_owned(), url.host_str()?.to_owned(), url.port_or_known_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_with_scheme_host_and_port() {
        const STORED: &str = "https://core.example.com/hooks/[[v('loan-id')]]";
        for (new, ok) in [
            ("https://core.example.com/hooks/[[v('loan-id')]]", true),
            ("https://core.example.com/", true),
            ("https://core.example.com?loan=[[v('loan-id')]]", true),
            ("https://core.example.com:443/other", true),
            ("HTTPS://CORE.example.COM/hooks", true),
            ("https://core.example.com./hooks", false),
            ("http://core.example.com/hooks", false),
            ("http://core.example.com:443/hooks", false),
            ("https://core.example.com:8443/hooks", false),
            ("https://evil.example/hooks", false),
            ("https://evil.example/core.example.com/", false),
            ("https://core.example.com.evil.example/", false),
            ("https://core.example.com@evil.example/", false),
            ("https://evil.example\\@core.example.com/", false),
            ("https://evil.example#core.example.com/", false),
            ("https://[[v('host')]]/", false),
            ("core.example.com", false),
        ] {
            assert_eq!(may_keep_credentials(STORED, new), ok, "{new}");
            assert_eq!(may_keep_credentials(new, STORED), ok, "{new}, the other way");
        }
        assert!(may_keep_credentials("https://börse.example/", "https://XN--BRSE-5QA.example/a"));
        assert!(may_keep_credentials("http://[2001:DB8::1]:80/", "http://[2001:db8:0::1]/"));
        assert!(may_keep_credentials("http://127.1/", "http://127.0.0.1/"));
        assert!(!may_keep_credentials("no url", "no url"));
    }
}
