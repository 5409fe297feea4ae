//! The console as a browser without JavaScript gets it: the pages of all loans of a tenant, for whoever signed in.

mod deliveries;
mod hostile_text;
mod overview;
mod resend_all;
mod search;
mod sessions;
mod webhooks;

use crate::harness::{Api, Journey, emulator_differs};
use crate::portal::SIGN_IN_TAKEN;
use crate::portal::visitor::Visitor;

/// A visitor who signed in with the key of this caller; none where the sign-in cannot be reached.
async fn signed_in_as(j: &Journey, api: &Api) -> Option<Visitor> {
    if emulator_differs(SIGN_IN_TAKEN) {
        return None;
    }
    let mut visitor = Visitor::new(j);
    let signed_in = visitor.post("/login", &[("key", api.key())]).await.expect_status(303);
    assert_eq!(signed_in.header("location"), "/?opened=1");
    Some(visitor)
}

/// A visitor who signed in with the key of the journey, which may do everything.
async fn signed_in(j: &Journey) -> Option<Visitor> {
    signed_in_as(j, &j.api).await
}

/// The pages of all loans.
const PAGES: [&str; 4] = ["/", "/webhooks", "/subscriptions", "/search?q=727"];
