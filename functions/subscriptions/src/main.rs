//! The Lambda function for settings, behind the HTTP API: subscriptions and API keys.

use loanhook_aws::{Aws, Config};
use loanhook_http::api;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    loanhook_logging::start_in_lambda();
    let config = Config::from_env()?;
    let engine = Aws::new(&loanhook_aws::sdk_config(), config.stack);
    loanhook_lambda::serve(engine.clone(), api::with_middleware(api::subscriptions(engine))).await
}
