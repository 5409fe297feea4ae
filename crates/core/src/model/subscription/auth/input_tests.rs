use super::*;
use crate::model::subscription::{CriteriaInput, Settings, SubscriptionInput};

fn oauth2() -> AuthInput {
    AuthInput {
        kind: AuthKind::OAuth2,
        username: None,
        password: None,
        token_url: Some("https://login.example.com/token".into()),
        client_id: Some("loanhook".into()),
        client_secret: Some("s3cret-of-the-client".into()),
        scopes: None,
        style: None,
        parameters: None,
    }
}

fn basic(username: &str, password: &str) -> AuthInput {
    let (username, password) = (Some(username.into()), Some(password.into()));
    let none = AuthInput { token_url: None, client_id: None, client_secret: None, ..oauth2() };
    AuthInput { kind: AuthKind::Basic, username, password, ..none }
}

fn parameters(pairs: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn check(
    url: &str,
    headers: &[(&str, &str)],
    auth: AuthInput,
    stored: Option<&Settings>,
) -> Result<Settings, Vec<String>> {
    let criteria = CriteriaInput { events: Some(vec!["*".into()]), ..CriteriaInput::default() };
    let mut input = SubscriptionInput::with_defaults("Core banking".into(), criteria, url.into());
    input.request.headers = parameters(headers).unwrap_or_default();
    input.request.auth = Some(auth);
    input.check(stored).map_err(|errors| errors.0.into_iter().map(|error| error.pointer).collect())
}

const URL: &str = "https://core.example.com/hooks";

#[test]
fn what_breaks_a_rule_is_named_by_its_pointer() {
    let long = "x".repeat(5000);
    let change = |change: fn(&mut AuthInput)| {
        let mut auth = oauth2();
        change(&mut auth);
        auth
    };
    for (auth, pointers) in [
        (basic("ann", "hush-hush"), &[][..]),
        (basic("", "a-token-alone"), &[]),
        (basic("an:n", "x"), &["username"]),
        (basic("", ""), &["username"]),
        (basic("ann\n", "x\n"), &["username", "password"]),
        (basic("ann", &long), &["password"]),
        (AuthInput { password: None, ..basic("ann", "") }, &["password"]),
        (AuthInput { client_id: Some("x".into()), ..basic("ann", "x") }, &["clientId"]),
        (oauth2(), &[]),
        (change(|auth| auth.token_url = Some("http://10.0.0.1:8080/token?a=b".into())), &[]),
        (change(|auth| auth.token_url = Some("ftp://login.example.com/".into())), &["tokenUrl"]),
        (change(|auth| auth.token_url = Some("login.example.com/token".into())), &["tokenUrl"]),
        (change(|auth| auth.token_url = Some("https://a:b@login.example.com/".into())), &["tokenUrl"]),
        (change(|auth| auth.token_url = Some("https://login.example.com/[[v('a')]]".into())), &["tokenUrl"]),
        (change(|auth| auth.token_url = Some("https://login.example.com/?key=***".into())), &["tokenUrl"]),
        (change(|auth| auth.token_url = None), &["tokenUrl"]),
        (change(|auth| auth.client_id = Some("ü".into())), &["clientId"]),
        (change(|auth| auth.client_secret = None), &["clientSecret"]),
        (change(|auth| auth.client_secret = Some("***".into())), &["clientSecret"]),
        (change(|auth| auth.scopes = Some(vec!["hooks.write".into(), "a b".into()])), &["scopes/1"]),
        (change(|auth| auth.scopes = Some(vec![String::new(), "a\"".into()])), &["scopes/0", "scopes/1"]),
        (change(|auth| auth.scopes = Some(vec!["a".into(); 101])), &["scopes"]),
        (change(|auth| auth.parameters = parameters(&[("audience", "core")])), &[]),
        (change(|auth| auth.parameters = parameters(&[("grant_type", "x")])), &["parameters/grant_type"]),
        (change(|auth| auth.parameters = parameters(&[("client_id", "x")])), &["parameters/client_id"]),
        (
            change(|auth| auth.parameters = parameters(&[("client_secret", "x"), ("scope", "x")])),
            &["parameters/client_secret", "parameters/scope"],
        ),
        (change(|auth| auth.parameters = parameters(&[("", "x")])), &["parameters/"]),
        (change(|auth| auth.parameters = parameters(&[("a", "***")])), &["parameters/a"]),
        (change(|auth| auth.username = Some("x".into())), &["username"]),
    ] {
        let found = check(URL, &[], auth, None).err().unwrap_or_default();
        let expected: Vec<_> = pointers.iter().map(|name| format!("/request/auth/{name}")).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn authentication_goes_without_an_authorization_header_of_any_case() {
    for name in ["Authorization", "authorization", "AUTHORIZATION"] {
        let refused = check(URL, &[(name, "Bearer x")], oauth2(), None);
        assert_eq!(refused, Err(vec!["/request/auth".to_owned()]));
    }
    assert!(check(URL, &[("X-Authorization", "x")], basic("ann", "x"), None).is_ok());
}

#[test]
fn secrets_are_kept_by_three_stars_while_both_urls_keep_their_hosts() {
    let stored = AuthInput { parameters: parameters(&[("audience", "core")]), ..oauth2() };
    let stored = check(URL, &[("X-Key", "the-key")], stored, None).expect("good settings");
    let hidden = |token_url: &str| AuthInput {
        token_url: Some(token_url.into()),
        client_secret: Some("***".into()),
        parameters: parameters(&[("audience", "***")]),
        ..oauth2()
    };
    let stars = [("X-Key", "***")];
    let kept = check(
        "https://core.example.com/other",
        &stars,
        hidden("https://login.example.com/v2"),
        Some(&stored),
    );
    let mut kept = kept.expect("kept").request;
    let secrets: Vec<String> = kept.secret_texts_mut().map(|secret| secret.clone()).collect();
    assert_eq!(secrets, ["the-key", "s3cret-of-the-client", "core"]);
    let every = ["/request/headers/X-Key", "/request/auth/clientSecret", "/request/auth/parameters/audience"];
    for (url, token_url) in [
        ("https://evil.example/", "https://login.example.com/token"),
        (URL, "https://evil.example/token"),
        (URL, "http://login.example.com/token"),
        (URL, "https://login.example.com:8443/token"),
    ] {
        let refused = check(url, &stars, hidden(token_url), Some(&stored)).expect_err("refused");
        assert_eq!(refused, every, "{url} {token_url}");
    }
    // Another type has no secret of the first.
    assert!(check(URL, &[], basic("ann", "***"), Some(&stored)).is_err());
}

#[test]
fn debug_shows_no_secret() {
    let settings = check(URL, &[], oauth2(), None).expect("good settings");
    let shown = format!("{:?} {:?}", settings.request.auth, oauth2());
    assert!(!shown.contains("s3cret"), "{shown}");
}
