//! History of a loan: `GET /v1/loans/{loanId}/webhooks` and what stands below it.

mod filter_validation;
mod filters;
mod pages;
mod payload_downloads;
mod rows;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A query string with these names and values, percent-encoded.
fn query_string(query: &[(&str, &str)]) -> String {
    let pairs =
        query.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    format!("?{}", pairs.collect::<Vec<_>>().join("&"))
}
