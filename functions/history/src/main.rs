//! The Lambda function that shows the history of loans, to programs and on pages, and takes resends, behind the
//! HTTP API.

use loanhook::aws::{self, Aws, Config, http};
use loanhook::{api, page};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    aws::log();
    let config = Config::from_env()?;
    let engine = Aws::new(&aws::sdk_config().await, config.stack);
    let router = api::history(engine.clone())
        .merge(api::portal(engine.clone(), config.site.clone()))
        .merge(page::router(engine.clone(), config.site));
    http::serve(engine, api::complete(router)).await
}
