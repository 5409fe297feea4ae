//! The Lambda function for resends by direct invocation: Step Functions, the AWS CLI or the AWS console invoke it.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use loanhook_aws::{Aws, Config};
use loanhook_http::api::direct_invocation;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    loanhook_logging::start_in_lambda();
    let config = Config::from_env()?;
    let engine = &Aws::new(&loanhook_aws::sdk_config(), config.stack);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        // Boxed: the calls nest more deeply than the compiler can follow in one future.
        let resent = Box::pin(direct_invocation::resend(engine, event.payload, &event.context.request_id));
        resent.await.map_err(Error::from)
    }))
    .await
}
