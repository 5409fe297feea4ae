//! The Lambda function for settings, behind the HTTP API: subscriptions, the check of their connections, and API keys; and the pages
//! that change them.

use loanhook_aws::{Aws, Config};
use loanhook_http::{api, page};
use loanhook_sender::LazyWebhookClient;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    loanhook_logging::start_in_lambda();
    let config = Config::from_env()?;
    let sdk = loanhook_aws::sdk_config();
    let site = loanhook_lambda::site(&sdk)?;
    let engine = Aws::new(&sdk, config.stack);
    let checking = LazyWebhookClient::new(config.allow_networks);
    let router = api::subscriptions(engine.clone())
        .merge(api::subscription_check(engine.clone(), checking.clone()))
        .merge(page::settings_router(engine.clone(), checking, site));
    // A test of a subscription is an event that it takes in.
    let spans = loanhook_otlp::start_in_lambda();
    loanhook_lambda::serve_recorded(engine, api::with_middleware(router), spans).await
}
