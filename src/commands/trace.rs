//! `loanhook trace TRACE`: one delivery and all its attempts.

use std::collections::BTreeMap;

use bytes::Bytes;
use clap::Args;
use serde_json::value::{RawValue, to_raw_value};

use super::attempt_table::{self, Layout};
use crate::client::{ApiClient, Call, ConnectionArgs, Delivery, MAX_ITEMS_PER_PAGE, decode};
use crate::error::CommandResult;
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
    connection: ConnectionArgs,
}

pub(crate) async fn run(args: TraceArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    let body = fetch_page(&client, &args.trace, None).await?;
    let delivery: Delivery = decode(&body)?;
    if args.connection.json {
        return print_json(&client, &args.trace, &body, delivery.next).await;
    }
    table::details(details(&delivery))?;
    if delivery.attempts.is_empty() {
        return output::line("\nno attempt yet");
    }
    // The columns of later pages must be as wide as those of the first.
    let layout = Layout::for_output(args.wide, delivery.next.is_some());
    output::line(format_args!("\n{}", layout.with_head(&delivery.attempts)))?;
    let mut next = delivery.next;
    while let Some(cursor) = next {
        let following: Delivery = decode(&fetch_page(&client, &args.trace, Some(&cursor)).await?)?;
        if !following.attempts.is_empty() {
            output::line(layout.without_head(&following.attempts))?;
        }
        next = following.next;
    }
    attempt_table::note_shortened_ids(layout);
    Ok(())
}

async fn fetch_page(client: &ApiClient, trace: &str, cursor: Option<&String>) -> CommandResult<Bytes> {
    let call = Call::get(&["v1", "webhooks", trace]);
    client.send(&call.query("limit", Some(MAX_ITEMS_PER_PAGE)).query("cursor", cursor)).await
}

/// Prints the delivery as it came, with the attempts of all pages in one list.
async fn print_json(
    client: &ApiClient,
    trace: &str,
    first_page: &Bytes,
    mut next: Option<String>,
) -> CommandResult {
    if next.is_none() {
        return output::json(first_page);
    }
    let mut delivery: BTreeMap<String, Box<RawValue>> = decode(first_page)?;
    let attempts_of = |page: &BTreeMap<String, Box<RawValue>>| -> CommandResult<Vec<Box<RawValue>>> {
        page.get("attempts").map_or(Ok(Vec::new()), |attempts| decode(attempts.get().as_bytes()))
    };
    let mut attempts = attempts_of(&delivery)?;
    while let Some(cursor) = next {
        let page = fetch_page(client, trace, Some(&cursor)).await?;
        attempts.extend(attempts_of(&decode(&page)?)?);
        next = decode::<Delivery>(&page)?.next;
    }
    delivery.insert("attempts".to_owned(), to_raw_value(&attempts).map_err(|error| error.to_string())?);
    delivery.insert("next".to_owned(), RawValue::NULL.to_owned());
    output::line(to_raw_value(&delivery).map_err(|error| error.to_string())?)
}

/// The delivery without its attempts, as labelled values.
pub(super) fn details(delivery: &Delivery) -> Vec<(&'static str, Option<String>)> {
    vec![
        ("Trace ID", Some(clean(&delivery.trace_id))),
        ("Loan", delivery.loan_id.as_deref().map(clean)),
        ("Event title", Some(clean(&delivery.event_title))),
        ("Event name", Some(clean(&delivery.event_name))),
        ("Test", delivery.test.then(|| "yes: no event of the loan".to_owned())),
        ("Event ID", Some(clean(&delivery.event_id))),
        ("Subscription", Some(clean(&delivery.subscription_id))),
        ("Occurred at", delivery.occurred_at.as_deref().map(time)),
        ("Accepted at", Some(time(&delivery.accepted_at))),
        ("Sequence", delivery.sequence.map(|sequence| sequence.to_string())),
        ("Status", Some(clean(&delivery.status))),
        ("Next attempt", delivery.next_attempt_at.as_deref().map(time)),
        (
            "Waits",
            delivery
                .waiting
                .as_ref()
                .map(|waits| format!("{}, since {}", clean(&waits.reason), time(&waits.since))),
        ),
    ]
}
