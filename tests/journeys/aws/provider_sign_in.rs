//! The sign-in at an OpenID provider on a stack, whose functions are told of it by `infra/stack.py journeys`.
//!
//! Other journeys look at pages that offer none. So it is run alone, by its name.

use crate::console::form::good_form;
use crate::console::oidc::{Browser, sent_to};
use crate::harness::oidc_provider::OidcProvider;
use crate::harness::{Journey, report_skipped};
use crate::portal::visitor::Page;

#[tokio::test]
#[ignore = "wants functions whose people sign in at a provider, which `infra/stack.py journeys` deploys: run it alone"]
async fn a_person_signs_in_on_a_stack_changes_webhooks_and_signs_out() {
    let port = std::env::var("LOANHOOK_TEST_PROVIDER_PORT").ok().and_then(|port| port.parse().ok());
    let Some(port) = port else {
        return report_skipped("LOANHOOK_TEST_PROVIDER_PORT says of no provider that the functions know");
    };
    let Some(provider) = OidcProvider::start_for_public_client_at(port) else { return };
    let j = Journey::start().await;
    let mut jane = Browser::new(&j);
    let signed_in = jane.sign_in("jane", "/webhooks?status=failed").await.expect_status(303);
    let opened = signed_in.header("location");
    assert!(opened.starts_with("/webhooks?status=failed"), "{opened}");
    let page = jane.visitor.page(opened).await;
    assert_eq!(page.text(".viewing"), "Viewing as Jane Doe (jane@lender.example) of acme");
    // Pages that change settings are another function's, which takes the same session.
    let filled = good_form(&j, &mut jane.visitor).await;
    filled.press(&mut jane.visitor, "/subscriptions/new", "save").await.expect_status(201);

    let mut rita = Browser::new(&j);
    rita.sign_in("rita", "/subscriptions").await.expect_status(303);
    let refused = Page::of(&rita.visitor.get("/subscriptions/new").await.expect_status(403));
    assert_eq!(refused.text("h1"), "You may look, but not change webhooks");

    let cookies = jane.visitor.cookies.clone();
    let signed_out = jane.visitor.post("/sign-out", &[]).await.expect_status(200);
    assert!(sent_to(&signed_out).starts_with(&format!("{}/session/end?", provider.issuer)), "{signed_out:?}");
    jane.visitor.cookies = cookies;
    jane.visitor.get("/").await.expect_status(303);
}
