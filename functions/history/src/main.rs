//! The Lambda function for the history, behind the HTTP API: the history of loans in JSON and on pages, the console, resends, recovery
//! jobs and the portal.

use loanhook_aws::{Aws, Config};
use loanhook_http::{api, page};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    loanhook_logging::start_in_lambda();
    let config = Config::from_env()?;
    let sdk = loanhook_aws::sdk_config();
    let site = loanhook_lambda::site(&sdk)?;
    let engine = Aws::new(&sdk, config.stack);
    let router = api::history(engine.clone())
        .merge(api::jobs(engine.clone()))
        .merge(api::operation(engine.clone()))
        .merge(api::portal(engine.clone(), site.clone()))
        .merge(page::router(engine.clone(), site));
    loanhook_lambda::serve(engine, api::with_middleware(router)).await
}
