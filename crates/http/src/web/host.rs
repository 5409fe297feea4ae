//! The host that a request names (RFC 9112, 3.2). A request with none, several, or a text that cannot be a host is
//! refused.

use http::request::Parts;
use http::uri::Authority;
use http::{Version, header};

/// Why a request's host is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostError {
    Missing,
    Several,
    Invalid,
}

impl HostError {
    /// What to do about it.
    pub(crate) const fn detail(self) -> &'static str {
        match self {
            Self::Missing => "the request has no Host header: HTTP/1.1 asks for one",
            Self::Several => "the request has several Host headers: send one",
            Self::Invalid => "the Host header is not a host with or without a port: send the one of the URL",
        }
    }
}

/// The host, and port, that a request names: that of its target, if the target has one, else that of `Host`. None
/// where the protocol is so old that it need not name any.
pub(crate) fn requested_host(parts: &Parts) -> Result<Option<&str>, HostError> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(HostError::Several);
    }
    let host = host.map(|host| host.to_str().map_err(|_| HostError::Invalid)).transpose()?;
    if host.is_some_and(|host| !is_host(host)) {
        return Err(HostError::Invalid);
    }
    let target = parts.uri.authority().map(Authority::as_str);
    match target {
        Some(target) if !is_host(target) => Err(HostError::Invalid),
        _ if host.is_none() && parts.version == Version::HTTP_11 => Err(HostError::Missing),
        _ => Ok(target.or(host)),
    }
}

/// Whether this has only what stands in hosts and ports of URLs. Others have a meaning of their own where a host is
/// written into a header, and a gateway joins two hosts with a comma.
pub(super) fn has_host_characters(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte))
}

/// Whether this is a host of a URL with or without a port, and nothing else.
fn is_host(text: &str) -> bool {
    let url = || url::Url::parse(&format!("http://{text}")).ok();
    !text.is_empty() && has_host_characters(text) && url().is_some_and(|url| url.host_str().is_some())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn of(target: &str, version: Version, hosts: &[&str]) -> Result<Option<String>, HostError> {
        let mut request = Request::get(target).version(version);
        for host in hosts {
            request = request.header("host", *host);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        requested_host(&parts).map(|host| host.map(str::to_owned))
    }

    #[test]
    fn a_request_of_http_1_1_names_one_host_that_can_be_one() {
        for (hosts, expected) in [
            (&["hooks.lender.example"][..], Ok(Some("hooks.lender.example"))),
            (&["127.0.0.1:8080"], Ok(Some("127.0.0.1:8080"))),
            (&["[::1]:8080"], Ok(Some("[::1]:8080"))),
            (&["my_service"], Ok(Some("my_service"))),
            (&[], Err(HostError::Missing)),
            (&["a.example", "b.example"], Err(HostError::Several)),
            (&["a.example", "a.example"], Err(HostError::Several)),
            (&[""], Err(HostError::Invalid)),
            (&["a b"], Err(HostError::Invalid)),
            (&["a.example/evil"], Err(HostError::Invalid)),
            (&["a.example?x"], Err(HostError::Invalid)),
            (&["user@a.example"], Err(HostError::Invalid)),
            (&["a.example\\evil"], Err(HostError::Invalid)),
            (&["a.example:port"], Err(HostError::Invalid)),
            (&["a.example:70000"], Err(HostError::Invalid)),
            (&["a.example, b.example"], Err(HostError::Invalid)),
            (&["a.example,b.example"], Err(HostError::Invalid)),
            (&["a.example;b"], Err(HostError::Invalid)),
            (&["a%2eexample"], Err(HostError::Invalid)),
        ] {
            assert_eq!(of("/health", Version::HTTP_11, hosts), expected.map(|host| host.map(str::to_owned)));
        }
    }

    #[test]
    fn the_host_of_the_target_counts_before_that_of_the_header() {
        let both = of("http://right.example/health", Version::HTTP_11, &["wrong.example"]);
        assert_eq!(both, Ok(Some("right.example".to_owned())));
        let wrong = of("http://right.example/health", Version::HTTP_11, &["a b"]);
        assert_eq!(wrong, Err(HostError::Invalid));
        assert_eq!(of("http://right.example/health", Version::HTTP_11, &[]), Err(HostError::Missing));
    }

    #[test]
    fn http_1_0_need_name_no_host() {
        assert_eq!(of("/health", Version::HTTP_10, &[]), Ok(None));
        assert_eq!(of("/health", Version::HTTP_10, &["a b"]), Err(HostError::Invalid));
    }
}
