//! `loanhook resend TRACE [ATTEMPT]`: a delivery sent again, the same bytes, beside its automatic schedule. With
//! `--to current` it goes to the URL that its webhook has now.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use uuid::Uuid;

use crate::client::{ApiClient, Call, ConnectionArgs, Delivery, Row, decode};
use crate::error::CommandResult;
use crate::terminal::format::clean;
use crate::terminal::output;

/// The time between two questions whether the attempt has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub(crate) struct ResendArgs {
    /// The delivery's trace ID
    trace: String,
    /// The attempt to name as the one that is sent again: a number, or `manual`
    attempt: Option<String>,
    /// Where it goes: the URL that it was first sent to, or the one that the webhook has now
    #[arg(long, value_enum, default_value_t)]
    to: ResendTo,
    /// Wait for its end; exit code 1 if it failed
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum ResendTo {
    #[default]
    Original,
    Current,
}

/// The response to a resend.
#[derive(Deserialize)]
pub(crate) struct NewAttempt {
    pub(crate) id: String,
}

pub(crate) async fn run(args: ResendArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    let call = match (&args.attempt, args.to) {
        (Some(_), ResendTo::Current) => {
            let reason = "--to current goes without an attempt: what is sent is the same for all of them";
            return Err(reason.to_owned().into());
        }
        (Some(attempt), ResendTo::Original) => Call::post(&["v1", "webhook", "retry", &args.trace, attempt]),
        (None, ResendTo::Original) => Call::post(&["v1", "webhooks", &args.trace, "resend"]),
        (None, ResendTo::Current) => {
            Call::post(&["v1", "webhooks", &args.trace, "resend"]).body(r#"{"to":"current"}"#)
        }
    };
    let body = client.send_with_retries(&call.idempotency_key(Uuid::new_v4().to_string())).await?;
    let attempt: NewAttempt = decode(&body)?;
    if !args.wait {
        return if args.connection.json { output::json(&body) } else { output::line(clean(&attempt.id)) };
    }
    let body = wait_until_ended(&client, &args.trace, &attempt.id).await?;
    let row: Row = decode(&body)?;
    if args.connection.json {
        output::json(&body)?;
    } else {
        output::line(clean(&row.id))?;
    }
    match row.succeeded() {
        true => Ok(()),
        false => Err(format!("the resend failed: {}", clean(&row.failure_reason())).into()),
    }
}

/// Waits until an attempt of a delivery has ended; its row as it came.
pub(crate) async fn wait_until_ended(
    client: &ApiClient,
    trace: &str,
    attempt_id: &str,
) -> CommandResult<bytes::Bytes> {
    let call = Call::get(&["v1", "webhooks", trace]).query("limit", Some(1));
    let delivery: Delivery = decode(&client.send_with_retries(&call).await?)?;
    let call = match &delivery.loan_id {
        Some(loan) => Call::get(&["v1", "loans", loan, "webhooks", attempt_id]),
        None => Call::get(&["v1", "webhooks", trace, "attempts", attempt_id]),
    };
    loop {
        let body = client.send_with_retries(&call).await?;
        if decode::<Row>(&body)?.has_ended() {
            return Ok(body);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
