//! ID tokens that do not stand sign nobody in, and keys that the provider changes are followed.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::{Browser, logged, provider_and_journey};
use crate::harness::oidc_provider::OidcProvider;
use crate::harness::{Journey, Server, utc};
use crate::portal::visitor::Page;

/// Signs in with each of these changes of the ID token, which must sign nobody in.
async fn assert_refused(provider: &OidcProvider, j: &Journey, changes: &[(&str, Value)]) {
    for (what, change) in changes {
        provider.has_to("change-tokens", change.clone()).await;
        let mut browser = Browser::new(j);
        let refused = browser.sign_in("jane", "/").await;
        assert_eq!(refused.status, 424, "{what}");
        assert_eq!(Page::of(&refused).text("h1"), "You are not signed in", "{what}");
        assert!(!browser.has_session(), "{what}");
    }
    logged(j, "oidc.id_token_refused", changes.len()).await;
}

#[tokio::test]
async fn an_id_token_without_a_signature_of_the_provider_signs_nobody_in() {
    let Some((provider, j)) = provider_and_journey().await else { return };
    let changes = [
        ("a key of nobody", json!({"foreignKey": true})),
        ("the secret that the client has too", json!({"withClientSecret": true})),
        ("no signature", json!({"unsigned": true})),
    ];
    assert_refused(&provider, &j, &changes).await;
}

#[tokio::test]
async fn an_id_token_that_does_not_stand_signs_nobody_in() {
    let Some((provider, j)) = provider_and_journey().await else { return };
    let now = utc(SystemTime::now()).timestamp();
    let hour = 3600;
    let changes = [
        ("audience", json!({"claims": {"aud": "another-client"}})),
        (
            "two audiences, and no authorized party",
            json!({"claims": {"aud": ["loanhook", "another-client"]}}),
        ),
        ("authorized party", json!({"claims": {"azp": "another-client"}})),
        ("expired", json!({"claims": {"exp": now - 120, "iat": now - hour}})),
        ("not valid yet", json!({"claims": {"nbf": now + 120}})),
        ("issued later", json!({"claims": {"iat": now + 120, "exp": now + hour}})),
        ("nonce", json!({"claims": {"nonce": "another sign-in's"}})),
        ("no nonce", json!({"claims": {"nonce": null}})),
        ("issuer", json!({"claims": {"iss": "https://login.evil.example"}})),
    ];
    assert_refused(&provider, &j, &changes).await;
}

#[tokio::test]
async fn clocks_may_differ_by_less_than_a_minute_and_other_audiences_need_us_as_authorized_party() {
    let Some((provider, j)) = provider_and_journey().await else { return };
    let now = utc(SystemTime::now()).timestamp();
    for change in [
        json!({"claims": {"exp": now - 5}}),
        json!({"claims": {"iat": now + 40, "nbf": now + 40}}),
        json!({"claims": {"aud": ["another-client", "loanhook"], "azp": "loanhook"}}),
    ] {
        provider.has_to("change-tokens", change.clone()).await;
        let signed_in = Browser::new(&j).sign_in("jane", "/").await;
        assert_eq!(signed_in.status, 303, "{change}");
    }
}

#[tokio::test]
async fn a_mail_address_that_is_not_verified_opens_nothing() {
    let Some(provider) = OidcProvider::start() else { return };
    let rules = [
        "email=jane@lender.example acme history:read",
        "email=otto@lender.example acme history:read",
        "/email=otto@lender.example acme history:read",
    ];
    let server = Server::own_process_with(provider.launch(&rules)).await;
    let Some(server) = server else { return };
    let j = Journey::on_server(server).await;
    Browser::new(&j).sign_in("jane", "/").await.expect_status(303);
    Browser::new(&j).sign_in("otto", "/").await.expect_status(403);
}

#[tokio::test]
async fn a_new_key_of_the_provider_needs_no_restart() {
    let Some((provider, j)) = provider_and_journey().await else { return };
    Browser::new(&j).sign_in("jane", "/").await.expect_status(303);
    provider.has_to("rotate", json!(null)).await;
    Browser::new(&j).sign_in("jane", "/").await.expect_status(303);
}
