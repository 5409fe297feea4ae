//! `request.auth` and `request.tls` as settings: what reads show, what `***` keeps, what is refused.

use serde_json::{Value, json};

use super::{SECRET, oauth2};
use crate::harness::certificates::{Authority, FOREVER};
use crate::harness::{Journey, Receiver, event, subscription, subscription_path, text};

#[tokio::test]
async fn reads_show_the_settings_without_their_secrets() {
    let j = Journey::start().await;
    let authority = Authority::new("ours");
    let (certificate, key) = authority.client("loanhook", FOREVER);
    let mut body = oauth2(&j, json!({"scopes": ["loans"], "parameters": {"audience": "the-core-audience"}}));
    body["request"]["tls"] =
        json!({"clientCertificate": certificate, "clientKey": key, "ca": authority.pem()});
    let created = j.subscribe("/hook", body).await;
    let path = subscription_path(&created);
    let read = j.api.get(&path).await.expect_status(200).json();
    let list = j.api.get("/v1/subscriptions").await.expect_status(200).json();
    for shown in [&created, &read, &list["items"][0]] {
        let auth = json!({
            "type": "oauth2", "tokenUrl": j.receiver.url("/token"), "clientId": "loanhook", "clientSecret": "***",
            "scopes": ["loans"], "style": "basic", "parameters": {"audience": "***"}
        });
        assert_eq!(shown["request"]["auth"], auth);
        let tls = json!({
            "clientCertificate": certificate, "clientKey": "***", "ca": authority.pem(),
            "expiresAt": "2099-12-31T00:00:00.000Z"
        });
        assert_eq!(shown["request"]["tls"], tls);
        let whole = shown.to_string();
        assert!([SECRET, "PRIVATE KEY", "the-core-audience"].iter().all(|secret| !whole.contains(secret)));
    }
    // What is read can be put as it is, and keeps what is stored.
    let mut same = read.clone();
    for shown in ["signingSecret", "formulaErrors"] {
        same.as_object_mut().expect("an object").remove(shown);
    }
    let put = j.api.put(&path, &same).await.expect_status(200).json();
    assert_eq!(put["version"], read["version"], "nothing has changed");
    let none = j.api.patch(&path, &json!({"request": {"auth": null, "tls": null}})).await.expect_status(200);
    assert_eq!(
        (&none.json()["request"]["auth"], &none.json()["request"]["tls"]),
        (&json!(null), &json!(null))
    );
}

#[tokio::test]
async fn three_stars_are_422_where_the_host_of_either_url_changed() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", oauth2(&j, json!({"parameters": {"audience": "core"}}))).await;
    let path = subscription_path(&created);
    let elsewhere = Receiver::start().await;
    let secrets = ["/request/auth/clientSecret", "/request/auth/parameters/audience"];
    let to = |url: String| json!({"request": {"url": url}});
    let token_at = |url: String| json!({"request": {"auth": {"tokenUrl": url}}});
    j.api.patch(&path, &to(elsewhere.url("/hook"))).await.expect_errors_at(&secrets);
    j.api.patch(&path, &token_at(elsewhere.url("/token"))).await.expect_errors_at(&secrets);
    j.api.patch(&path, &token_at(j.receiver.url("/another"))).await.expect_status(200);
    let all = json!({"request": {"auth": {
        "tokenUrl": elsewhere.url("/token"), "clientSecret": "another-secret", "parameters": {"audience": "more"}
    }}});
    j.api.patch(&path, &all).await.expect_status(200);
    // A change of the type sets the members of the type before to null.
    let basic = json!({"request": {"auth": {"type": "basic", "username": "ann", "password": "hush-hush"}}});
    let left = ["tokenUrl", "clientId", "clientSecret", "scopes", "style", "parameters"];
    let pointers: Vec<String> = left.iter().map(|name| format!("/request/auth/{name}")).collect();
    let pointers: Vec<&str> = pointers.iter().map(String::as_str).collect();
    j.api.patch(&path, &basic).await.expect_errors_at(&pointers);
    let mut whole = basic;
    left.iter().for_each(|name| whole["request"]["auth"][name] = Value::Null);
    j.api.patch(&path, &whole).await.expect_status(200);
    j.api.send_one(&event("727")).await;
    assert!(
        j.receiver
            .next_request()
            .await
            .header("authorization")
            .is_some_and(|value| value.starts_with("Basic "))
    );
}

#[tokio::test]
async fn what_is_wrong_is_422_at_its_pointer() {
    let j = Journey::start().await;
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let (certificate, key) = ours.client("loanhook", FOREVER);
    let (_, another_key) = theirs.client("loanhook", FOREVER);
    let (expired, its_key) = ours.client("loanhook", 2020);
    let auth = |changes: Value| oauth2(&j, changes)["request"].clone();
    let tls =
        |certificate: &str, key: &str| json!({"tls": {"clientCertificate": certificate, "clientKey": key}});
    for (request, pointer) in [
        (json!({"auth": {"type": "digest"}}), "/request/auth/type"),
        (json!({"auth": {"username": "ann"}}), "/request/auth/type"),
        (json!({"auth": []}), "/request/auth"),
        (json!({"auth": {"type": "basic", "username": "a:b", "password": "x"}}), "/request/auth/username"),
        (json!({"auth": {"type": "basic", "username": "a", "secret": "x"}}), "/request/auth/secret"),
        (auth(json!({"tokenUrl": "ftp://login.example.com"})), "/request/auth/tokenUrl"),
        (auth(json!({"parameters": {"grant_type": "password"}})), "/request/auth/parameters/grant_type"),
        (auth(json!({"scopes": ["a b"]})), "/request/auth/scopes/0"),
        (auth(json!({"style": "jwt"})), "/request/auth/style"),
        (json!({"tls": {}}), "/request/tls"),
        (json!({"tls": {"ca": "no PEM"}}), "/request/tls/ca"),
        (json!({"tls": {"clientCertificate": certificate}}), "/request/tls/clientKey"),
        (tls(&certificate, &another_key), "/request/tls/clientKey"),
        (tls(&certificate, "***"), "/request/tls/clientKey"),
        (tls(&expired, &its_key), "/request/tls/clientCertificate"),
        (tls("no PEM", &key), "/request/tls/clientCertificate"),
    ] {
        let body = subscription(&j.receiver.url("/hook"), json!({"request": request}));
        let problem = j.api.post("/v1/subscriptions", &body).await.expect_problem(422);
        let found = text(&problem["errors"][0]["pointer"]);
        let missing = found == "/request/auth" && pointer == "/request/auth/type";
        assert!(found == pointer || missing, "{pointer}: {problem}");
        assert!(!problem.to_string().contains("MII"), "{problem}");
    }
    let mut both = auth(json!({}));
    both["headers"] = json!({"authorization": "Bearer x"});
    let body = subscription(&j.receiver.url("/hook"), json!({"request": both}));
    j.api.post("/v1/subscriptions", &body).await.expect_errors_at(&["/request/auth"]);
}
