//! One story as a person does it: a receiver fails after its address changed. It is seen, understood, mended and recovered.

use serde_json::json;

use super::oidc::sign_in_as;
use crate::browser::Look;
use crate::harness::journey::ALL_SCOPES;
use crate::harness::oidc_provider::OidcProvider;
use crate::harness::{Journey, Reply, Server, event, eventually, text};
use crate::history::downloaded;
use crate::tab::Tab;

const TITLE: &str = "Core banking";

/// A server at which people sign in with a provider, and a webhook of theirs whose receiver does not know its address any more.
async fn failing() -> Option<(OidcProvider, Journey)> {
    let provider = OidcProvider::start()?;
    let rules = ["groups=servicing acme history:read,webhooks:resend,subscriptions:write"];
    let mut j = Journey::on_server(Server::own_process_with(provider.launch(&rules)).await?).await;
    let key = json!({"name": "integration", "scopes": ALL_SCOPES, "tenant": "acme"});
    let key = j.operator().post("/v1/keys", &key).await.expect_status(201).json();
    j.api = j.api.with_key(Some(text(&key["key"])));
    j.receiver.always("/old", Reply::status(410));
    j.subscribe("/old", json!({"title": TITLE, "retry": {"delays": []}})).await;
    for loan in ["727", "728"] {
        j.api.ended_delivery(&j.api.send_one(&event(loan)).await).await;
    }
    Some((provider, j))
}

/// How many requests came to a path.
fn came_to(j: &Journey, path: &str) -> usize {
    j.receiver.requests().iter().filter(|request| request.path_and_query == path).count()
}

async fn is_told(look: Look) {
    let Some((_provider, j)) = failing().await else { return };
    let base = j.server.base_url().expect("it runs");
    let Some(tab) = Tab::open(look, &base.to_string()).await else { return };
    // Sign in at the provider.
    sign_in_as(&tab, "jane").await;
    tab.wait_for_texts("h1", &["Overview"]).await;
    // See that a receiver fails, and open what failed.
    tab.wait_for_text(".looks", TITLE).await;
    tab.wait_for_text(".looks", "Failing").await;
    tab.click(".looks a[href*='status=failed']").await;
    tab.wait_for_texts("td[data-head=Loan]", &["728", "727"]).await;
    // Find why.
    tab.click("td[data-head='Trace ID'] a").await;
    tab.wait_for_texts(".over", &["Loan 728"]).await;
    tab.wait_for_text(".facts", "/old").await;
    tab.wait_for_text("main", "410").await;
    // Fix the address, and try it out before it is saved.
    tab.click(".sections a[href='/subscriptions']").await;
    tab.click("#subscriptions td.title a").await;
    tab.wait_for_texts("h1", &[TITLE]).await;
    tab.click("header.top a.primary").await;
    tab.fill("#f-url", &j.receiver.url("/new")).await;
    tab.fill("#f-tryLoan", "727").await;
    tab.click("button[value=try]").await;
    tab.wait_for_text("#tried", "this webhook fires.").await;
    tab.wait_for_text("#tried-request", "/new").await;
    assert_eq!(came_to(&j, "/new"), 0, "nothing is sent by a try-out");
    tab.click(".save-settings button").await;
    tab.wait_for_text("[role=status]", "The webhook is at version 2.").await;
    // Recover what failed, at the new address, and watch it come through.
    tab.click("header.top a[href^='/webhooks?']").await;
    tab.click(".filters > summary").await;
    tab.click("#f-status option[value=failed]").await;
    tab.click("#filters button.primary").await;
    tab.click(".all a").await;
    tab.wait_for_text("h2", "Send 2 webhooks again?").await;
    tab.click("input[name=to][value=current]").await;
    tab.click(".bulk button.primary").await;
    if !look.script {
        eventually("the outcome", async || {
            tab.driver().refresh().await.ok()?;
            (tab.text("#job h2").await.starts_with("Done: 2 of 2")).then_some(())
        })
        .await;
    }
    tab.wait_for_text("#job h2", "Done: 2 of 2").await;
    tab.wait_for_text("#job", "2 arrived").await;
    assert_eq!(came_to(&j, "/new"), 2);
    // Export the report.
    tab.click(".sections a[href='/']").await;
    tab.click(".exports a").await;
    let report = String::from_utf8(downloaded(&tab, "report-").await).expect("text");
    assert!(report.lines().count() > 1, "{report}");
    tab.close().await;
}

#[tokio::test]
async fn a_failing_receiver_is_seen_mended_and_recovered_with_javascript() {
    is_told(Look::WITH_SCRIPT).await;
}

#[tokio::test]
async fn a_failing_receiver_is_seen_mended_and_recovered_without_javascript() {
    is_told(Look::WITHOUT_SCRIPT).await;
}
