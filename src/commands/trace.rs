//! `loanhook trace TRACE`: one delivery and its attempts; `loanhook cancel TRACE`: no more of them.

use std::collections::BTreeMap;

use bytes::Bytes;
use clap::Args;
use serde_json::value::{RawValue, to_raw_value};

use super::attempt_table::{self, Layout};
use crate::Outcome;
use crate::arguments::Remote;
use crate::client::{Call, Client, Delivery, decode};
use crate::terminal::format::{clean, time};
use crate::terminal::{output, table};

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

/// How many attempts are asked for at once: the most that there may be.
const PAGE: u32 = 200;

pub(crate) async fn run(args: TraceArgs) -> Outcome {
    let client = Client::of(&args.remote)?;
    let body = page(&client, &args.trace, None).await?;
    let delivery: Delivery = decode(&body)?;
    if args.remote.json {
        return print_json(&client, &args.trace, &body, delivery.next).await;
    }
    table::details(details(&delivery))?;
    if delivery.attempts.is_empty() {
        return output::line("\nno attempt yet");
    }
    // Where more follow, their columns are as wide as those of the first.
    let layout = Layout::for_output(args.wide, delivery.next.is_some());
    output::line(format_args!("\n{}", layout.with_head(&delivery.attempts)))?;
    let mut next = delivery.next;
    while let Some(cursor) = next {
        let following: Delivery = decode(&page(&client, &args.trace, Some(&cursor)).await?)?;
        if !following.attempts.is_empty() {
            output::line(layout.without_head(&following.attempts))?;
        }
        next = following.next;
    }
    attempt_table::note_shortened(layout);
    Ok(())
}

async fn page(client: &Client, trace: &str, cursor: Option<&String>) -> Outcome<Bytes> {
    let call = Call::get(&["v1", "webhooks", trace]);
    client.ask(&call.query("limit", Some(PAGE)).query("cursor", cursor)).await
}

/// The delivery as it came, with all its attempts in one list.
async fn print_json(client: &Client, trace: &str, first: &Bytes, mut next: Option<String>) -> Outcome {
    if next.is_none() {
        return output::json(first);
    }
    let mut whole: BTreeMap<String, Box<RawValue>> = decode(first)?;
    let attempts = |page: &BTreeMap<String, Box<RawValue>>| -> Outcome<Vec<Box<RawValue>>> {
        page.get("attempts").map_or(Ok(Vec::new()), |attempts| decode(attempts.get().as_bytes()))
    };
    let mut all = attempts(&whole)?;
    while let Some(cursor) = next {
        let body = page(client, trace, Some(&cursor)).await?;
        all.extend(attempts(&decode(&body)?)?);
        next = decode::<Delivery>(&body)?.next;
    }
    whole.insert("attempts".to_owned(), to_raw_value(&all).map_err(|error| error.to_string())?);
    whole.insert("next".to_owned(), RawValue::NULL.to_owned());
    output::line(to_raw_value(&whole).map_err(|error| error.to_string())?)
}

pub(crate) async fn cancel(args: CancelArgs) -> Outcome {
    let body = Client::of(&args.remote)?.ask(&Call::post(&["v1", "webhooks", &args.trace, "cancel"])).await?;
    if args.remote.json {
        return output::json(&body);
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
