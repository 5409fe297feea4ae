//! The pages of all loans in a browser: with JavaScript and without, by the keyboard, and for whoever does not see them.

mod accessibility;
mod deliveries;
mod form;
mod form_accessibility;
mod hostile_text;
mod jobs_versions_keys;
mod keyboard;
mod oidc;
mod overview;
mod size;
mod story;

use crate::tab::Tab;

/// The pages of a tenant that is busy, each with its name.
const PAGES: [(&str, &str); 16] = [
    ("/", "the overview"),
    ("/?span=hour", "the overview of an hour"),
    ("/?span=week", "the overview of a week"),
    ("/webhooks", "the deliveries"),
    ("/webhooks?status=failed", "the deliveries that failed"),
    ("/webhooks?error=dns", "no delivery"),
    ("/webhooks?limit=0", "a wrong filter"),
    ("/webhooks/resend-all?status=failed", "the question before a bulk resend"),
    ("/subscriptions", "the webhooks"),
    ("/subscriptions/new", "the form of a new webhook"),
    ("/resends", "the recovery jobs"),
    ("/keys", "the API keys"),
    ("/keys/new", "the form for a key"),
    ("/search?q=", "a search for nothing"),
    ("/search?q=a", "a search that finds several"),
    ("/loans/720/webhooks", "the page of a loan"),
];

/// Goes to a path of the same origin.
async fn go(tab: &Tab, path: &str) {
    let address = tab.address().await.join(path).expect("an address");
    tab.go(address.as_str()).await;
}
