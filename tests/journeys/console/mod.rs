//! The console as a browser without JavaScript gets it: the pages of all loans of a tenant, for whoever signed in.

mod deliveries;
pub(crate) mod form;
mod hostile_text;
mod jobs;
mod keys;
pub(crate) mod oidc;
mod overview;
mod refusals;
mod resend_all;
mod search;
mod sessions;
mod versions;
mod webhooks;

use crate::harness::{Api, Journey};
use crate::portal::visitor::Visitor;

/// A visitor who signed in with the key of this caller.
async fn signed_in_as(j: &Journey, api: &Api) -> Visitor {
    let mut visitor = Visitor::new(j);
    let signed_in = visitor.post("/sign-in", &[("key", api.key())]).await.expect_status(303);
    assert_eq!(signed_in.header("location"), "/?opened=1");
    visitor
}

/// A visitor who signed in with the key of the journey, which may do everything.
async fn signed_in(j: &Journey) -> Visitor {
    signed_in_as(j, &j.api).await
}

/// The pages of all loans.
const PAGES: [&str; 4] = ["/", "/webhooks", "/subscriptions", "/search?q=727"];
