//! Calls that are repeated until the server limits them with 429.

use super::{Api, ApiResponse};

/// Repeats a call until it is answered with 429, and returns all responses, of which the last is that one.
pub(crate) async fn until_limited(mut ask: impl AsyncFnMut(usize) -> ApiResponse) -> Vec<ApiResponse> {
    let mut answers = Vec::new();
    while answers.last().is_none_or(|last: &ApiResponse| last.status != 429) {
        assert!(answers.len() < 20_000, "never limited");
        answers.push(ask(answers.len()).await);
    }
    answers
}

/// Tries wrong keys until the server does not look at them any more.
pub(crate) async fn guess_keys(caller: &Api) -> Vec<ApiResponse> {
    until_limited(async |number| {
        caller.with_key(Some(&format!("lh_guess_{number:020}"))).get("/v1/event-types").await
    })
    .await
}

pub(crate) async fn sign_in(caller: &Api, key: &str) -> ApiResponse {
    let asked = caller.with_key(None).request("POST", "/sign-in").header("sec-fetch-site", "same-origin");
    asked.bytes(format!("loan=727&key={key}")).send().await
}
