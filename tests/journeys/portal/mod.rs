//! The page of a loan as a browser without JavaScript gets it: links, sessions, and what it shows.

mod browser_policy;
mod bulk_resend;
mod events;
mod history_list;
mod hostile_text;
mod links;
mod open_row;
mod operator_settings;
mod resend_form;
mod sessions;
mod tests_and_masking;
pub(crate) mod visitor;
mod waiting;

use serde_json::{Value, json};

use crate::harness::{Api, Journey};
use visitor::Visitor;

/// The path and query of a link to a loan's page with every scope; `changes` replace its fields.
pub(crate) async fn link(api: &Api, loan: &str, changes: Value) -> String {
    path_of(&api.portal_link(loan, changes).await)
}

fn path_of(url: &str) -> String {
    let url = url::Url::parse(url).expect("a URL");
    format!("{}?{}", url.path(), url.query().expect("a token"))
}

/// A visitor who opened a link to the page of loan 727.
async fn viewer(j: &Journey) -> Visitor {
    let mut viewer = Visitor::new(j);
    viewer.get(&link(&j.api, "727", json!({"viewer": "jane@lender.example"})).await).await.expect_status(303);
    viewer
}

const PAGE: &str = "/loans/727/webhooks";
