//! The check of a connection: `POST /v1/subscriptions/{id}/check`.

use serde_json::{Value, json};

use super::{oauth2, requests_to, token};
use crate::harness::certificates::{Authority, FOREVER};
use crate::harness::tls_receiver::TlsReceiver;
use crate::harness::{Journey, Reply, subscription, subscription_path, text};

async fn check(j: &Journey, created: &Value) -> Value {
    let path = format!("{}/check", subscription_path(created));
    j.api.post_without_body(&path).await.expect_status(200).json()
}

/// The steps, each with how it went.
fn steps(check: &Value) -> Vec<(&str, bool)> {
    let steps = check["steps"].as_array().expect("steps").iter();
    steps.map(|step| (text(&step["step"]), step["ok"] == true)).collect()
}

fn detail<'a>(check: &'a Value, step: &str) -> &'a str {
    let steps = check["steps"].as_array().expect("steps");
    text(&steps.iter().find(|found| found["step"] == step).expect("the step")["detail"])
}

#[tokio::test]
async fn a_check_says_how_each_step_went_and_sends_nothing() {
    let j = Journey::start().await;
    let plain = j.subscribe("/hook/[[v('loan-id')]]", json!({})).await;
    let good = check(&j, &plain).await;
    assert_eq!(
        (&good["ok"], steps(&good)),
        (&json!(true), vec![("resolve", true), ("guard", true), ("connect", true)])
    );
    assert!(good["steps"][0]["milliseconds"].is_number());
    let with_token = j.subscribe("/hook", oauth2(&j, json!({}))).await;
    j.receiver.replies("/token", [token("a-token-of-ours", 60), Reply::status(503)]);
    let good = check(&j, &with_token).await;
    assert_eq!(steps(&good).last(), Some(&("token", true)));
    assert!(!good.to_string().contains("a-token-of-ours"));
    let bad = check(&j, &with_token).await;
    assert_eq!((&bad["ok"], steps(&bad).last()), (&json!(false), Some(&("token", false))));
    assert!(detail(&bad, "token").contains("answered 503"), "{bad}");
    assert_eq!(j.receiver.requests().len(), requests_to(&j, "/token").len());
    // Nothing is stored of it.
    assert_eq!(j.api.get("/v1/webhooks").await.expect_status(200).json()["items"], json!([]));
}

#[tokio::test]
async fn a_check_ends_at_the_step_that_failed() {
    let j = Journey::start().await;
    for (url, expected, said) in [
        ("https://169.254.169.254/", vec![("guard", false)], "not a public one"),
        ("https://no-such-host.invalid/", vec![("resolve", false)], "does not resolve"),
    ] {
        let created = j.api.subscribe(&subscription(url, json!({}))).await;
        let bad = check(&j, &created).await;
        assert_eq!((&bad["ok"], steps(&bad)), (&json!(false), expected), "{bad}");
        assert!(bad.to_string().contains(said), "{bad}");
    }
    // Nobody listens there any more.
    let gone = crate::harness::Receiver::start().await.url("/hook");
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it").port();
    let gone = gone.rsplit_once(':').map(|(before, _)| format!("{before}:{port}/hook")).expect("a port");
    let created = j.api.subscribe(&subscription(&gone, json!({}))).await;
    let bad = check(&j, &created).await;
    assert_eq!(steps(&bad), [("resolve", true), ("guard", true), ("connect", false)]);
    assert!(detail(&bad, "connect").contains("nothing listens there"), "{bad}");
}

#[tokio::test]
async fn a_check_shows_the_client_certificate() {
    let j = Journey::start().await;
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let receiver = TlsReceiver::start(&ours, FOREVER, Some(&ours)).await;
    let mut checked = Vec::new();
    for client in [Some(&ours), Some(&theirs), None] {
        let mut tls = json!({"ca": ours.pem()});
        if let Some(authority) = client {
            let (certificate, key) = authority.client("loanhook", FOREVER);
            (tls["clientCertificate"], tls["clientKey"]) = (json!(certificate), json!(key));
        }
        let body = subscription(&receiver.url("/hook"), json!({"request": {"tls": tls}}));
        checked.push(check(&j, &j.api.subscribe(&body).await).await);
    }
    assert_eq!(
        (&checked[0]["ok"], steps(&checked[0]).last()),
        (&json!(true), Some(&("tls", true))),
        "{checked:?}"
    );
    assert!(detail(&checked[0], "tls").contains("2099-12-31"), "{checked:?}");
    for (bad, said) in
        [(&checked[1], "refused our client certificate"), (&checked[2], "asks for a client certificate")]
    {
        assert_eq!(steps(bad).last(), Some(&("tls", false)), "{bad}");
        assert!(detail(bad, "tls").contains(said), "{bad}");
    }
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn a_check_needs_the_scope_of_changes_and_a_subscription_of_the_tenant() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let path = format!("{}/check", subscription_path(&created));
    let reader = j.api.with_new_key("reader", &["history:read"]).await;
    reader.post_without_body(&path).await.expect_problem(403);
    j.other_tenant().await.post_without_body(&path).await.expect_problem(404);
    j.api.post_without_body("/v1/subscriptions/no-id/check").await.expect_problem(404);
    j.api.get(&path).await.expect_problem(405);
}
