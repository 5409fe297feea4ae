//! The page of a loan, for people: links to it, sessions, and what it shows, as a browser without JavaScript
//! is told it.

mod history_list;
mod hostile_text;
mod links;
mod open_row;
mod operator_settings;
mod resend_form;
mod sessions;
mod tests_and_masking;
mod visitor;

use serde_json::{Value, json};

use crate::harness::{Api, Journey, text};
use visitor::Visitor;

/// Makes a link to a loan's page that allows everything, changed as told, and gives its path and query.
async fn link(api: &Api, loan: &str, changes: Value) -> String {
    let mut body = json!({"loanId": loan, "scopes": ["history:read", "webhooks:resend"]});
    for (name, value) in changes.as_object().expect("changes are an object") {
        body[name] = value.clone();
    }
    let made = api.post("/v1/portal-links", &body).await.is(201).json();
    path_of(text(&made["url"]))
}

fn path_of(url: &str) -> String {
    let url = url::Url::parse(url).expect("a URL");
    format!("{}?{}", url.path(), url.query().expect("a token"))
}

/// Somebody who opened a link to the page of loan 727.
async fn viewer(j: &Journey) -> Visitor {
    let mut viewer = Visitor::new(j);
    viewer.get(&link(&j.api, "727", json!({"viewer": "jane@lender.example"})).await).await.is(303);
    viewer
}

const PAGE: &str = "/loans/727/webhooks";

/// What an emulator does to a form that signs in.
const SIGN_IN_TAKEN: &str = "answers POST /login itself";
