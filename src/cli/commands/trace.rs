//! `loanhook trace TRACE`: one delivery and its attempts; `loanhook cancel TRACE`: no more of them.

use clap::Args;

use super::attempts::{self, Layout};
use crate::cli::args::Remote;
use crate::cli::client::{Call, Client, Delivery, decode};
use crate::cli::text::{clean, time};
use crate::cli::{Outcome, out, table};

#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// The delivery's trace ID
    trace: String,
    /// Whole IDs and titles, even where the terminal is too narrow
    #[arg(long)]
    wide: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// The delivery's trace ID
    trace: String,
    #[command(flatten)]
    remote: Remote,
}

pub(crate) async fn run(args: TraceArgs) -> Outcome {
    let body = Client::of(&args.remote)?.get(&["v1", "webhooks", &args.trace]).await?;
    if args.remote.json {
        return out::json(&body);
    }
    let delivery: Delivery = decode(&body)?;
    table::details(details(&delivery))?;
    if delivery.attempts.is_empty() {
        return out::line("\nno attempt yet");
    }
    let layout = Layout::for_output(args.wide, false);
    out::line(format_args!("\n{}", layout.with_head(&delivery.attempts)))?;
    attempts::note_shortened(layout);
    Ok(())
}

pub(crate) async fn cancel(args: CancelArgs) -> Outcome {
    let body = Client::of(&args.remote)?.ask(&Call::post(&["v1", "webhooks", &args.trace, "cancel"])).await?;
    if args.remote.json {
        return out::json(&body);
    }
    table::details(details(&decode(&body)?))
}

fn details(delivery: &Delivery) -> Vec<(&'static str, Option<String>)> {
    vec![
        ("Trace ID", Some(clean(&delivery.trace_id))),
        ("Loan", Some(clean(&delivery.loan_id))),
        ("Event title", Some(clean(&delivery.event_title))),
        ("Event name", Some(clean(&delivery.event_name))),
        ("Test", delivery.test.then(|| "yes: no event of the loan".to_owned())),
        ("Event ID", Some(clean(&delivery.event_id))),
        ("Subscription", Some(clean(&delivery.subscription_id))),
        ("Occurred at", delivery.occurred_at.as_deref().map(time)),
        ("Accepted at", Some(time(&delivery.accepted_at))),
        ("Status", Some(clean(&delivery.status))),
        ("Next attempt", delivery.next_attempt_at.as_deref().map(time)),
    ]
}
