//! The Lambda function for resends: by direct invocation (Step Functions, the AWS CLI or the AWS console invoke it), and those of
//! recovery jobs, whose messages SQS invokes it with. An operator's command invokes it to take credentials out of deliveries that
//! an earlier version stored (`infra/take_out_credentials.py`), and another to seal secrets anew and to rotate the data key
//! (`infra/seal_secrets.py`).

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use loanhook_aws::{Aws, Config, JobTurn, SecretsCommand, run_job_batch};
use loanhook_core::model::time::Timestamp;
use loanhook_core::recovery::{self, SeenLoans};
use loanhook_http::api::direct_invocation;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    loanhook_logging::start_in_lambda();
    let config = Config::from_env()?;
    let engine = &Aws::new(&loanhook_aws::sdk_config(), config.stack);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        if event.payload.get("Records").is_some() {
            return Box::pin(run_jobs(engine, event)).await;
        }
        if SecretsCommand::NAMES.iter().any(|name| event.payload.get(name).is_some()) {
            let command: SecretsCommand = serde_json::from_value(event.payload)?;
            let answer = Box::pin(engine.run_secrets_command(command)).await?;
            return Ok(serde_json::to_value(answer)?);
        }
        if direct_invocation::takes_out_credentials(&event.payload) {
            let taken = Box::pin(direct_invocation::take_out_credentials(engine, event.payload));
            return taken.await.map_err(Error::from);
        }
        // Boxed: the calls nest more deeply than the compiler can follow in one future.
        let resent = Box::pin(direct_invocation::resend(engine, event.payload, &event.context.request_id));
        resent.await.map_err(Error::from)
    }))
    .await
}

/// Makes steps of the recovery jobs of a batch of messages.
async fn run_jobs(engine: &Aws, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let batch: SqsEvent = serde_json::from_value(event.payload)?;
    let step = move |JobTurn { tenant, job, .. }: JobTurn, mut seen: SeenLoans, now: Timestamp| async move {
        let next = Box::pin(recovery::advance(engine, &tenant, job, &mut seen, now)).await;
        (seen, next)
    };
    let response = run_job_batch(engine, batch, event.context.deadline(), step).await?;
    engine.finish_background().await;
    Ok(serde_json::to_value(response)?)
}
