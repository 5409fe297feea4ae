//! OAuth 2.0: how tokens are asked for, shared, and fetched anew.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{SECRET, authorizations, oauth2, requests_to, token};
use crate::harness::{Gate, Journey, Reply, attempts_of, event, subscription_path, trace_ids};

fn bearer(token: &str) -> Option<String> {
    Some(format!("Bearer {token}"))
}

#[tokio::test]
async fn each_style_asks_with_scopes_and_parameters() {
    let j = Journey::start().await;
    for style in ["basic", "post"] {
        let path = format!("/hook-{style}");
        let auth = json!({
            "style": style, "scopes": ["hooks.write", "loans"], "parameters": {"audience": "core & more"},
            "tokenUrl": j.receiver.url(&format!("/token-{style}"))
        });
        let created = j.subscribe(&path, oauth2(&j, auth)).await;
        j.receiver.always(&format!("/token-{style}"), token("a-token-of-ours", 3600));
        let trace = j.api.send_one(&event("727")).await;
        assert_eq!(j.api.ended_delivery(&trace).await["status"], "succeeded");
        j.api.delete(&subscription_path(&created)).await.expect_status(204);

        let asked = requests_to(&j, &format!("/token-{style}"));
        assert_eq!(asked.len(), 1);
        let asked = &asked[0];
        assert_eq!(asked.method, "POST");
        assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
        let form: Vec<(String, String)> = form_urlencoded::parse(&asked.body).into_owned().collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut expected = vec![
            pair("grant_type", "client_credentials"),
            pair("scope", "hooks.write loans"),
            pair("audience", "core & more"),
        ];
        let basic = format!("Basic {}", STANDARD.encode(format!("loanhook:{SECRET}")));
        if style == "post" {
            expected.splice(2..2, [pair("client_id", "loanhook"), pair("client_secret", SECRET)]);
            assert_eq!(asked.header("authorization"), None);
        } else {
            assert_eq!(asked.header("authorization"), Some(basic.as_str()));
        }
        assert_eq!(form, expected);
        assert_eq!(authorizations(&j, &path), [bearer("a-token-of-ours")]);
        // Nothing of an event goes to the token endpoint.
        assert!(
            asked
                .headers
                .iter()
                .all(|(name, _)| !name.starts_with("webhook") && !name.starts_with("loanhook"))
        );
    }
}

#[tokio::test]
async fn a_token_is_kept_for_its_lifetime() {
    let j = Journey::start().await;
    for (seconds, path, fetches) in [(3600, "/long", 1), (0, "/short", 3)] {
        let token_path = format!("{path}-token");
        let created = j.subscribe(path, oauth2(&j, json!({"tokenUrl": j.receiver.url(&token_path)}))).await;
        j.receiver.always(&token_path, token("a-token-of-ours", seconds));
        for loan in ["1", "2", "3"] {
            let trace = j.api.send_one(&event(loan)).await;
            assert_eq!(j.api.ended_delivery(&trace).await["status"], "succeeded");
        }
        assert_eq!(requests_to(&j, &token_path).len(), fetches, "{path}");
        j.api.delete(&subscription_path(&created)).await.expect_status(204);
    }
}

#[tokio::test]
async fn attempts_at_once_ask_for_one_token() {
    let j = Journey::start().await;
    j.subscribe("/hook", oauth2(&j, json!({"tokenUrl": j.receiver.url("/token")}))).await;
    let gate = Gate::closed();
    // A second one would be another token.
    j.receiver.replies("/token", [token("the-first-token", 3600).held(&gate)]);
    j.receiver.always("/token", token("a-token-too-many", 3600));
    let events: Vec<Value> = (0..10).map(|loan| event(&loan.to_string())).collect();
    let accepted = j.api.send_batch(events).await;
    assert_eq!(j.receiver.next_request().await.path_and_query, "/token");
    gate.open();
    for trace in accepted.iter().flat_map(trace_ids) {
        assert_eq!(j.api.ended_delivery(&trace).await["status"], "succeeded");
    }
    assert_eq!(requests_to(&j, "/token").len(), 1);
    assert_eq!(authorizations(&j, "/hook"), vec![bearer("the-first-token"); 10]);
}

#[tokio::test]
async fn after_a_401_there_is_one_new_token_and_one_more_request_within_the_attempt() {
    let j = Journey::start().await;
    j.subscribe("/hook", oauth2(&j, json!({}))).await;
    j.receiver.replies("/token", [token("the-first-token", 3600), token("the-second-token", 3600)]);
    j.receiver.replies("/hook", [Reply::status(401), Reply::ok()]);
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.ended_delivery(&trace).await;
    let rows = attempts_of(&delivery);
    assert_eq!((rows.len(), &rows[0]["responseCode"]), (1, &json!(200)));
    assert_eq!(authorizations(&j, "/hook"), [bearer("the-first-token"), bearer("the-second-token")]);
    let sent = requests_to(&j, "/hook");
    assert_eq!(sent[0].attempt_id(), sent[1].attempt_id());
    // The next attempt has the new one.
    let trace = j.api.send_one(&event("728")).await;
    j.api.ended_delivery(&trace).await;
    assert_eq!(authorizations(&j, "/hook")[2], bearer("the-second-token"));
    assert_eq!(requests_to(&j, "/token").len(), 2);
}

#[tokio::test]
async fn a_receiver_that_always_answers_401_is_asked_twice_in_an_attempt_and_not_again() {
    let j = Journey::start().await;
    j.subscribe("/hook", oauth2(&j, json!({}))).await;
    j.receiver.always("/token", token("a-token-of-ours", 3600));
    j.receiver.always("/hook", Reply::status(401));
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.ended_delivery(&trace).await;
    assert_eq!(attempts_of(&delivery)[0]["responseCode"], 401);
    let (asked, sent) = (requests_to(&j, "/token").len(), requests_to(&j, "/hook").len());
    assert_eq!((asked, sent), (2, 2));
}

#[tokio::test]
async fn a_changed_secret_asks_for_a_new_token() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", oauth2(&j, json!({}))).await;
    j.receiver.replies("/token", [token("the-first-token", 3600), token("the-second-token", 3600)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    let rotated = json!({"request": {"auth": {"clientSecret": "another-secret"}}});
    j.api.patch(&subscription_path(&created), &rotated).await.expect_status(200);
    j.api.resend(&trace).await;
    j.api.delivery_after_attempts(&trace, 2).await;
    assert_eq!(authorizations(&j, "/hook"), [bearer("the-first-token"), bearer("the-second-token")]);
    let second = Some(format!("Basic {}", STANDARD.encode("loanhook:another-secret")));
    assert_eq!(authorizations(&j, "/token")[1], second);
}
