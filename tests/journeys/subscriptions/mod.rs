//! Settings of webhooks: `/v1/subscriptions`, and the routes that try a formula or a template.

mod credentials;
mod flow;
mod header_values;
mod patches;
mod retry_policy;
mod settings;
mod signing_secrets;
mod templates;
mod test_sends;
mod try_out;
mod url_query_masking;
mod validation;
mod versions;

/// A context whose values need escaping, for templates and formulas.
const CONTEXT: &str = r#"{"last-payment-amount": 250.00, "borrower": "Ann \"Annie\" O'Hara\n& Söhne", "note": null,
    "payments": [{"amount": 1e2, "type": "ach"}], "tags": ["a", "b"], "flag": true}"#;
