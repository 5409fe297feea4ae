//! The whole sign-in at an OpenID provider, which is another site to the browser, and the sign-out there.

use crate::accessibility::{assert_no_violation, axe};
use crate::browser::Look;
use crate::harness::oidc_provider::OidcProvider;
use crate::harness::{Journey, Server};
use crate::tab::Tab;

/// What opens a page of a server whose people sign in at a provider of their own.
async fn sign_in_page(look: Look) -> Option<(OidcProvider, Journey, Tab)> {
    let provider = OidcProvider::start()?;
    let rules = ["groups=servicing acme history:read,webhooks:resend"];
    let j = Journey::on_server(Server::own_process_with(provider.launch(&rules)).await?).await;
    let base = j.server.base_url().expect("it runs");
    let tab = Tab::open(look, &format!("{base}/webhooks?status=failed")).await?;
    Some((provider, j, tab))
}

/// Signs in at the provider's form.
pub(super) async fn sign_in_as(tab: &Tab, person: &str) {
    tab.click("form.provider button").await;
    tab.wait_for_text("h1", "Provider").await;
    tab.one("input[name=login]").await.send_keys(person).await.expect("the name is typed");
    tab.click("#sign-in").await;
}

async fn signs_in_and_out(look: Look) {
    let Some((provider, _j, tab)) = sign_in_page(look).await else { return };
    sign_in_as(&tab, "jane").await;
    tab.wait_for_text(".viewing", "Viewing as Jane Doe (jane@lender.example)").await;
    tab.wait_for_text(".viewing .tenant", "acme").await;
    let address = tab.address().await;
    assert_eq!(address.path(), "/webhooks");
    assert!(address.query().is_some_and(|query| query.starts_with("status=failed")), "{address}");
    tab.click(".who button").await;
    // The page that asks whether to sign out is the provider's.
    tab.one("button[name=logout]").await;
    assert!(tab.address().await.as_str().starts_with(&provider.issuer));
    tab.click("button[name=logout]").await;
    tab.wait_for_text("h1", "Sign in").await;
    assert_eq!(tab.address().await.path(), "/sign-in");
    tab.close().await;
}

#[tokio::test]
async fn a_person_signs_in_and_out_with_script() {
    signs_in_and_out(Look::WITH_SCRIPT).await;
}

#[tokio::test]
async fn a_person_signs_in_and_out_without_script() {
    signs_in_and_out(Look::WITHOUT_SCRIPT).await;
}

#[tokio::test]
async fn the_pages_of_the_sign_in_are_accessible() {
    let Some(axe) = axe() else { return };
    for dark in [false, true] {
        let look = Look { dark, width: 360, ..Look::WITH_SCRIPT };
        let Some((_provider, _j, tab)) = sign_in_page(look).await else { return };
        tab.wait_for_text("h1", "Sign in").await;
        assert_no_violation(&tab, &axe, "the sign-in").await;
        sign_in_as(&tab, "otto").await;
        tab.wait_for_text("h1", "Nothing here is open to you").await;
        assert_no_violation(&tab, &axe, "no access").await;
        tab.close().await;
    }
}
