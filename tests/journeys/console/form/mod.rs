//! The form of a webhook, as a browser without JavaScript sends it: made, changed, wrong, in conflict, tried out.

mod conflicts;
mod faults;
pub(crate) mod filled;
mod hostile;
mod page;
mod permission;
mod round_trip;
mod try_out;
mod twice;

use serde_json::Value;

use self::filled::Filled;
use crate::harness::{Journey, subscription_path};
use crate::portal::visitor::Visitor;

const NEW: &str = "/subscriptions/new";

/// The page of a webhook.
fn page_of(webhook: &Value) -> String {
    subscription_path(webhook).trim_start_matches("/v1").to_owned()
}

/// Its form.
fn edit_of(webhook: &Value) -> String {
    format!("{}/edit", page_of(webhook))
}

/// The form of a page.
async fn form_at(visitor: &mut Visitor, path: &str) -> Filled {
    Filled::of(&visitor.page(path).await)
}

/// The form of a new webhook that nothing is wrong with.
pub(crate) async fn good_form(j: &Journey, visitor: &mut Visitor) -> Filled {
    let filled = form_at(visitor, NEW).await;
    let filled = filled.with(&[("title", "Core banking"), ("url", &j.receiver.url("/hook"))]);
    filled.tick("event", "Payment Posted to Account").set("delays", "")
}

/// The only webhook of the tenant, as the API reads it.
async fn only_webhook(j: &Journey) -> Value {
    let list = j.api.get("/v1/subscriptions").await.expect_status(200).json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    list["items"][0].clone()
}
