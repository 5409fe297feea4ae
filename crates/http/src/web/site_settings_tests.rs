use http::Request;

use super::*;

fn origin(host: &str, proto: Option<&str>) -> Origin {
    let mut request = Request::get("/loans/727/webhooks").header("host", host);
    if let Some(proto) = proto {
        request = request.header("x-forwarded-proto", proto);
    }
    let (parts, ()) = request.body(()).expect("a request").into_parts();
    SiteSettings::default().origin(&parts).expect("a host")
}

#[test]
fn without_a_public_url_the_origin_is_that_of_the_request() {
    for (host, proto, address, secure) in [
        ("127.0.0.1:8080", None, "http://127.0.0.1:8080", false),
        ("[::1]:8080", None, "http://[::1]:8080", false),
        ("api.localhost:4566", None, "http://api.localhost:4566", false),
        ("localhost", Some("https"), "https://localhost", true),
        ("hooks.lender.example", Some("https"), "https://hooks.lender.example", true),
        ("hooks.lender.example", Some("https, http"), "https://hooks.lender.example", true),
        ("10.0.0.5:8080", None, "http://10.0.0.5:8080", true),
        ("localhost.lender.example", None, "http://localhost.lender.example", true),
    ] {
        let origin = origin(host, proto);
        assert_eq!((origin.to_string().as_str(), origin.needs_secure_cookies()), (address, secure), "{host}");
    }
}

#[test]
fn a_request_without_a_valid_host_has_no_origin() {
    for (request, error) in [
        (Request::get("/sign-in"), HostError::Missing),
        (Request::get("/sign-in").header("host", "lender.example/?x="), HostError::Invalid),
        (
            Request::get("/sign-in").header("host", "a.example").header("host", "b.example"),
            HostError::Several,
        ),
    ] {
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        assert_eq!(SiteSettings::default().origin(&parts), Err(error));
        let public_url = Some("https://hooks.lender.example".parse::<Origin>().expect("an address"));
        let site = SiteSettings { public_url: public_url.clone(), ..SiteSettings::default() };
        assert_eq!(site.origin(&parts).ok(), public_url);
    }
}

#[test]
fn a_forwarded_request_needs_secure_cookies() {
    for (header, secure) in [
        ("x-forwarded-for", true),
        ("x-forwarded-host", true),
        ("X-Forwarded-Proto", true),
        ("forwarded", true),
        ("accept", false),
    ] {
        let request = Request::get("/sign-in").header("host", "127.0.0.1:8080").header(header, "http");
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let origin = SiteSettings::default().origin(&parts).expect("a host");
        assert_eq!(
            (origin.needs_secure_cookies(), origin.may_reject_secure_cookies()),
            (secure, secure),
            "{header}"
        );
    }
}

#[test]
fn origins_match_by_host_and_port() {
    let ours = origin("hooks.lender.example", None);
    for (named, matches) in [
        ("https://hooks.lender.example", true),
        ("http://hooks.lender.example", true),
        ("https://hooks.lender.example:8443", false),
        ("https://lender.example", false),
        ("null", false),
        ("", false),
    ] {
        assert_eq!(ours.matches(named), matches, "{named}");
    }
}

#[test]
fn a_public_url_is_an_origin() {
    for (text, ok) in [
        ("https://hooks.lender.example", true),
        ("https://hooks.lender.example/", true),
        ("http://127.0.0.1:8080", true),
        ("https://hooks.lender.example/loanhook", false),
        ("https://user@hooks.lender.example", false),
        ("hooks.lender.example", false),
        ("ftp://hooks.lender.example", false),
    ] {
        assert_eq!(text.parse::<Origin>().is_ok(), ok, "{text}");
    }
}

#[test]
fn frame_ancestors_are_sources_of_csp() {
    for (text, policy, another) in [
        ("", "'none'", false),
        ("'none'", "'none'", false),
        ("'self'", "'self'", false),
        ("https://lms.lender.example", "https://lms.lender.example", true),
        ("'self', https://*.lender.example:8443", "'self' https://*.lender.example:8443", true),
        ("http://127.0.0.1:3000 https://a.example", "http://127.0.0.1:3000 https://a.example", true),
    ] {
        let parsed = text.parse::<FrameAncestors>().expect(text);
        assert_eq!((parsed.to_string().as_str(), parsed.names_another_site()), (policy, another), "{text}");
    }
    for text in
        ["lms.lender.example", "https:", "*", "https://a.example/x", "https://a.example;script-src", "self"]
    {
        assert!(text.parse::<FrameAncestors>().is_err(), "{text}");
    }
}
