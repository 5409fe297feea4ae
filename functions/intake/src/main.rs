//! The Lambda function for intake, behind the HTTP API: it accepts events.

use loanhook_aws::{Aws, Config};
use loanhook_http::api;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    loanhook_logging::start_in_lambda();
    let config = Config::from_env()?;
    let engine = Aws::new(&loanhook_aws::sdk_config(), config.stack);
    let router = api::with_middleware(api::events(engine.clone()));
    loanhook_lambda::serve_recorded(engine, router, loanhook_otlp::start_in_lambda()).await
}
