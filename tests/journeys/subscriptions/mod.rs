//! Settings of webhooks: `/v1/subscriptions`, and the routes that try a formula or a template.

mod retry_policy;
mod settings;
mod signing_secrets;
mod templates;
mod test_sends;
mod url_query_masking;
