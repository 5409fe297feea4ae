//! Credentials of a subscription, and the hosts that they may go to.
//!
//! A credential that is not shown is given for one host. Whoever may change a subscription's URL must not learn it by
//! sending it to a host of their own, so a change of the host asks for every credential again, and a request to another host
//! than the subscription has now takes its credentials from a version that had its own.

use std::collections::BTreeMap;

use url::Url;

use super::{Settings, Subscription};
use crate::model::rendering::sent_header;
use crate::model::template::{Target, Template};

/// Scheme, host and port of a URL (RFC 6454), in the one spelling of each: a default port counts as told, a host as its
/// ASCII form in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// The origin of a URL as it is sent. None where it cannot be read.
    pub fn of(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let host = url.host_str()?.to_owned();
        Some(Self { scheme: url.scheme().to_owned(), host, port: url.port_or_known_default() })
    }

    /// The origin of a URL's template, which has it itself: a template with a placeholder in its scheme, host or port cannot be
    /// saved. None for such a one, and where it cannot be read.
    pub(super) fn of_template(template: &str) -> Option<Self> {
        Self::of(&Template::parse(template, Target::Url).ok()?.sample())
    }
}

/// Whether credentials that were given for requests to the URL `stored` may go on to the URL `new`, both templates:
/// whether scheme, host and port are the same. It holds for every kind of credential and every URL that one is sent
/// to. False where a URL cannot be read.
pub fn may_keep_credentials(stored: &str, new: &str) -> bool {
    match (Origin::of_template(stored), Origin::of_template(new)) {
        (Some(stored), Some(new)) => stored == new,
        _ => false,
    }
}

impl Subscription {
    /// Every text of it that is sealed wherever it is stored: those of its request, and signing secrets.
    pub fn secret_texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.settings.request.secret_texts_mut().chain(self.secrets.texts_mut())
    }
}

impl Settings {
    /// Where requests go, and so where credentials may go. None where the URL cannot be read: no request takes credentials
    /// of such settings.
    pub fn origin(&self) -> Option<&Origin> {
        self.compiled.of(self).origin.as_ref()
    }

    /// A URL that requests may go to, with something in the place of each placeholder.
    pub fn sample_url(&self) -> String {
        let url = self.compiled.of(self).url.as_ref();
        url.map_or_else(|_| self.request.url.clone(), Template::sample)
    }

    /// The headers without placeholders, as they are sent: credentials.
    pub fn constant_headers(&self) -> BTreeMap<String, String> {
        let templates = self.compiled.of(self).headers.iter();
        let constant = templates.filter_map(|(name, template)| {
            let template = template.as_ref().ok().filter(|template| template.is_constant())?;
            Some((name.clone(), sent_header(&template.sample()).ok()?))
        });
        constant.collect()
    }

    /// Whether a header of this name, in any case, has placeholders.
    pub fn has_rendered_header(&self, name: &str) -> bool {
        self.compiled.of(self).headers.iter().any(|(known, template)| {
            known.eq_ignore_ascii_case(name)
                && template.as_ref().is_ok_and(|template| !template.is_constant())
        })
    }
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

    #[test]
    fn the_origin_of_a_url_that_is_sent_is_that_of_its_template() {
        for (template, sent) in [
            (
                "https://core.example.com/hooks/[[v('loan-id')]]",
                Some("https://core.example.com/hooks/7%2F27"),
            ),
            ("https://core.example.com?at=[[v('host')]]", Some("https://core.example.com?at=evil.example")),
            ("HTTPS://CORE.example.com:443", Some("https://core.example.com/")),
            ("https://b\u{f6}rse.example:8443/", Some("https://xn--brse-5qa.example:8443/")),
            // Placeholders stand behind the port alone: these cannot be saved, and have no origin.
            ("[[v('scheme')]]://core.example.com/", None),
            ("https://[[v('host')]]/", None),
            ("https://[[v('tenant')]].example.com/", None),
            ("https://core.example.com:[[v('port')]]/", None),
            ("https://core.example.com[[v('path')]]", None),
        ] {
            assert_eq!(Origin::of_template(template), sent.and_then(Origin::of), "{template}");
            assert_eq!(Origin::of_template(template).is_some(), sent.is_some(), "{template}");
        }
        assert_eq!(Origin::of("core.example.com"), None);
        assert_ne!(Origin::of("https://core.example.com/"), Origin::of("https://core.example.com:8443/"));
    }
}
