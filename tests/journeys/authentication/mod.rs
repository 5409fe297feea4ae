//! Authentication of requests: HTTP Basic, OAuth 2.0, client certificates, private authorities, and the check of a connection.

mod basic;
mod check;
mod client_certificates;
mod hidden_secrets;
mod oauth2;
mod settings;
mod token_failures;

use serde_json::{Value, json};

use crate::harness::{Journey, Received, Reply};

pub(crate) const SECRET: &str = "s3cret-of-the-client";

/// `auth` by OAuth, with the token endpoint `/token` of the receiver; `changes` replace its fields.
#[expect(clippy::needless_pass_by_value, reason = "`json!` makes a value")]
pub(crate) fn oauth2(j: &Journey, changes: Value) -> Value {
    let mut auth = json!({
        "type": "oauth2", "tokenUrl": j.receiver.url("/token"), "clientId": "loanhook", "clientSecret": SECRET
    });
    for (field, value) in changes.as_object().expect("changes are an object") {
        auth[field] = value.clone();
    }
    json!({"request": {"auth": auth}})
}

/// The answer of a token endpoint.
pub(crate) fn token(value: &str, seconds: u32) -> Reply {
    let body = json!({"access_token": value, "token_type": "Bearer", "expires_in": seconds}).to_string();
    Reply::with(200, &[("content-type", "application/json")], body.as_bytes())
}

/// The requests that came to a path, in their order.
fn requests_to(j: &Journey, path: &str) -> Vec<Received> {
    let at_path = |request: &Received| request.path_and_query == path;
    j.receiver.requests().into_iter().filter(at_path).collect()
}

/// The values of `Authorization` of the requests that came to a path.
fn authorizations(j: &Journey, path: &str) -> Vec<Option<String>> {
    requests_to(j, path).iter().map(|request| request.header("authorization").map(str::to_owned)).collect()
}
