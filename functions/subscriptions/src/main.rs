//! The Lambda function that keeps subscriptions and keys, behind the HTTP API.

use loanhook::api;
use loanhook::aws::{self, Aws, Config, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    aws::log();
    let config = Config::from_env()?;
    let engine = Aws::new(&aws::sdk_config().await, config.stack);
    http::serve(engine.clone(), api::complete(api::subscriptions(engine))).await
}
