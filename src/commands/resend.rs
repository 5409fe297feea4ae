//! `loanhook resend TRACE [ATTEMPT]`: the same bytes once more, whatever the automatic schedule does.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use uuid::Uuid;

use crate::Outcome;
use crate::arguments::Remote;
use crate::client::{Call, Client, Delivery, Row, decode};
use crate::terminal::format::clean;
use crate::terminal::output;

const INTERVAL: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub(crate) struct ResendArgs {
    /// The delivery's trace ID
    trace: String,
    /// The attempt to name as the one that is sent again: a number, or `manual`
    attempt: Option<String>,
    /// Wait for its end; exit code 1 if it failed
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    remote: Remote,
}

/// What a resend answers.
#[derive(Deserialize)]
pub(crate) struct NewAttempt {
    pub(crate) id: String,
}

pub(crate) async fn run(args: ResendArgs) -> Outcome {
    let client = Client::of(&args.remote)?;
    let call = match &args.attempt {
        Some(attempt) => Call::post(&["v1", "webhook", "retry", &args.trace, attempt]),
        None => Call::post(&["v1", "webhooks", &args.trace, "resend"]),
    };
    let body = call.idempotency_key(Uuid::new_v4().to_string()).patiently(&client).await?;
    let attempt: NewAttempt = decode(&body)?;
    if !args.wait {
        return if args.remote.json { output::json(&body) } else { output::line(clean(&attempt.id)) };
    }
    let body = settled(&client, &args.trace, &attempt.id).await?;
    let row: Row = decode(&body)?;
    if args.remote.json {
        output::json(&body)?;
    } else {
        output::line(clean(&row.id))?;
    }
    match row.succeeded() {
        true => Ok(()),
        false => Err(format!("the resend failed: {}", clean(&row.why())).into()),
    }
}

/// The attempt's row as it came, once its outcome is known.
pub(crate) async fn settled(client: &Client, trace: &str, id: &str) -> Outcome<bytes::Bytes> {
    let call = Call::get(&["v1", "webhooks", trace]).query("limit", Some(1));
    let delivery: Delivery = decode(&call.patiently(client).await?)?;
    let call = Call::get(&["v1", "loans", &delivery.loan_id, "webhooks", id]);
    loop {
        let body = call.patiently(client).await?;
        if decode::<Row>(&body)?.is_settled() {
            return Ok(body);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
