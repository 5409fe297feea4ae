//! URL of a request: what a span says of it.

use super::AttributeValue;
use super::attempt::of_request;

#[test]
fn of_a_url_a_span_says_scheme_host_and_port() {
    for (url, scheme, host, port) in [
        ("https://core.example.com/loans/727?key=s3cret#part", "https", "core.example.com", 443),
        ("http://user:pass@127.0.0.1:8081/", "http", "127.0.0.1", 8081),
        ("http://[::1]:9/x", "http", "[::1]", 9),
    ] {
        let expected = vec![
            ("http.request.method", "POST".into()),
            ("url.scheme", scheme.into()),
            ("server.address", host.into()),
            ("server.port", AttributeValue::Number(port)),
        ];
        assert_eq!(of_request("POST", url), expected, "{url}");
    }
    assert_eq!(of_request("POST", "no URL"), [("http.request.method", "POST".into())]);
}
