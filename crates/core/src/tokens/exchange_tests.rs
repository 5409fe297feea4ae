use super::*;

fn oauth2(style: ClientStyle) -> OAuth2 {
    OAuth2 {
        token_url: "https://login.example.com/token".into(),
        client_id: "loan hook".into(),
        client_secret: "s3cret/+ü:".into(),
        scopes: vec!["hooks.write".into(), "loans".into()],
        style,
        parameters: [("audience".to_owned(), "core & more".to_owned())].into(),
    }
}

#[test]
fn the_form_of_each_style() {
    // RFC 6749, 2.3.1: both parts are encoded as in a form before they are joined.
    let (authorization, body) = form(&oauth2(ClientStyle::Basic));
    let expected = basic_authorization("loan+hook", "s3cret%2F%2B%C3%BC%3A");
    assert_eq!(authorization, Some(expected));
    const COMMON: &str = "grant_type=client_credentials&scope=hooks.write+loans";
    assert_eq!(body, format!("{COMMON}&audience=core+%26+more"));
    let (authorization, body) = form(&oauth2(ClientStyle::Post));
    assert_eq!(authorization, None);
    let client = "client_id=loan+hook&client_secret=s3cret%2F%2B%C3%BC%3A";
    assert_eq!(body, format!("{COMMON}&{client}&audience=core+%26+more"));
    let plain = OAuth2 { scopes: Vec::new(), parameters: Default::default(), ..oauth2(ClientStyle::Basic) };
    assert_eq!(form(&plain).1, "grant_type=client_credentials");
}

#[test]
fn a_token_is_read_with_its_lifetime() {
    for (body, seconds) in [
        (r#"{"access_token": "abc", "token_type": "Bearer", "expires_in": 3600}"#, 3600),
        (r#"{"access_token": "abc", "token_type": "bearer", "expires_in": "60"}"#, 60),
        (r#"{"access_token": "abc", "expires_in": 0}"#, 0),
        (r#"{"access_token": "abc", "expires_in": -5}"#, 0),
        (r#"{"access_token": "abc", "scope": "x", "expires_in": null}"#, 300),
        (r#"{"access_token": "abc", "expires_in": 1e300}"#, 86_400),
    ] {
        let token = issued(200, body.as_bytes()).unwrap_or_else(|said| panic!("{body}: {said}"));
        assert_eq!((token.value.as_str(), token.lifetime.as_secs()), ("abc", seconds), "{body}");
    }
}

#[test]
fn a_token_is_used_until_shortly_before_its_end() {
    let at = Timestamp::from_millis(1_000_000);
    for (lifetime, used) in [(3600, 3570), (300, 270), (60, 54), (10, 9), (0, 0)] {
        let token = IssuedToken { value: "abc".into(), lifetime: Duration::from_secs(lifetime) };
        assert_eq!(token.use_until(at).since(at), Duration::from_secs(used), "{lifetime}");
    }
}

#[test]
fn an_answer_without_a_token_is_told() {
    let long = format!(r#"{{"access_token": "{}"}}"#, "x".repeat(70_000));
    for (status, body, said) in [
        (
            401,
            r#"{"error": "invalid_client", "error_description": "no such client"}"#,
            "answered 401: invalid_client, no such client",
        ),
        (400, r#"{"error": "invalid_scope"}"#, "answered 400: invalid_scope"),
        (503, "<html>down</html>", "answered 503"),
        (302, "", "answered 302"),
        (200, "<html>", "answered 200 without a token: its body is no JSON object with access_token"),
        (
            200,
            r#"{"token": "abc"}"#,
            "answered 200 without a token: its body is no JSON object with access_token",
        ),
        (200, r#"{"access_token": "abc", "token_type": "mac"}"#, "gave a token of another type than bearer"),
        (200, r#"{"access_token": "a b"}"#, "gave a token that cannot stand in a header"),
        (200, r#"{"access_token": ""}"#, "gave a token that cannot stand in a header"),
        (200, &long, "answered 200 with more than 64 KiB"),
    ] {
        assert_eq!(issued(status, body.as_bytes()).err().as_deref(), Some(said));
    }
}

#[test]
fn a_token_endpoint_that_cannot_be_reached_is_told_in_its_own_words() {
    let oauth2 = oauth2(ClientStyle::Basic);
    for (kind, detail, expected_kind, expected) in [
        (
            ErrorKind::Connect,
            "login.example.com:443 refused the connection: nothing listens there; nothing was sent",
            ErrorKind::Auth,
            "no token could be had: login.example.com:443 refused the connection: nothing listens there; nothing was sent \
             to the receiver",
        ),
        (
            ErrorKind::Tls,
            "the receiver's certificate has expired; renew it there",
            ErrorKind::Auth,
            "no token could be had: the token endpoint's certificate has expired; renew it there; nothing was sent to the \
             receiver",
        ),
        (
            ErrorKind::Timeout,
            "no answer within 15 s: the request was sent, and the receiver may have acted on it",
            ErrorKind::Auth,
            "no token could be had: the token endpoint login.example.com did not answer in time; nothing was sent to the \
             receiver",
        ),
        (
            ErrorKind::Blocked,
            "the destination is not allowed: its address is not a public one; nothing was sent. The operator can",
            ErrorKind::Blocked,
            "the token endpoint login.example.com is not allowed: its address is not a public one; nothing was sent to the \
             receiver",
        ),
    ] {
        let failure = unanswered(&Failure::new(kind, detail), &oauth2);
        assert_eq!(failure, Failure::at(Phase::Prepare, expected_kind, expected));
    }
}
