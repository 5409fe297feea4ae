//! `loanhook show LOAN ID`: one attempt with all that is known of it, or the exact bytes that were sent or received.

use clap::Args;

use crate::client::{ApiClient, Call, ConnectionArgs, Payload, Row, decode};
use crate::error::CommandResult;
use crate::terminal::format::{clean, time};
use crate::terminal::{output, table};

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The loan
    loan: String,
    /// The attempt's ID
    id: String,
    /// Print the bytes that were sent, and nothing else
    #[arg(long, conflicts_with_all = ["response", "json"])]
    source: bool,
    /// Print the bytes that came back, and nothing else
    #[arg(long, conflicts_with = "json")]
    response: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) async fn run(args: ShowArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    let path = ["v1", "loans", &args.loan, "webhooks", &args.id];
    if args.source {
        return output::bytes(&client.send(&Call::get(&[&path[..], &["source"]].concat())).await?);
    }
    if args.response {
        return output::bytes(&client.send(&Call::get(&[&path[..], &["response"]].concat())).await?);
    }
    let body = client.send(&Call::get(&path)).await?;
    if args.connection.json {
        return output::json(&body);
    }
    let row: Row = decode(&body)?;
    table::details(details(&row))?;
    row.response.as_ref().map_or(Ok(()), print_response_headers)
}

fn details(row: &Row) -> Vec<(&'static str, Option<String>)> {
    let text = |text: &Option<String>| text.as_deref().map(clean);
    let time_of = |text: &Option<String>| text.as_deref().map(time);
    let result = match &row.error {
        Some(error) => format!("{}: {}", clean(&error.kind), clean(&error.detail)),
        None => row.result(),
    };
    vec![
        ("ID", Some(clean(&row.id))),
        ("Trace ID", Some(clean(&row.trace_id))),
        ("Loan", row.loan_id.as_deref().map(clean)),
        ("Event title", Some(clean(&row.event_title))),
        ("Event name", Some(clean(&row.event_name))),
        ("Test", row.test.then(|| "yes: no event of the loan".to_owned())),
        ("Occurred at", time_of(&row.occurred_at)),
        ("Subscription", Some(subscription(row))),
        ("Request", Some(request(row))),
        ("Attempt", Some(clean(&row.attempt_number()))),
        ("Requested by", text(&row.requested_by)),
        ("Resend of", text(&row.resend_of)),
        ("Resends so far", Some(row.resends.to_string())),
        ("Outcome", Some(clean(&row.outcome))),
        ("Response", Some(result)),
        ("Failed in phase", row.error.as_ref().and_then(|error| error.phase.as_deref().map(clean))),
        ("Sent at", Some(time(&row.sent_at))),
        ("Response time", row.response_time_ms.map(|ms| format!("{ms:.1} ms"))),
        ("Sent from", text(&row.source_ip)),
        ("Next attempt", time_of(&row.next_attempt_at)),
        ("Source payload", row.source.as_ref().map(payload)),
        ("Response payload", row.response.as_ref().map(payload)),
    ]
}

fn subscription(row: &Row) -> String {
    let version = row.subscription_version.map(|version| format!(", version {version}")).unwrap_or_default();
    format!("{}{version}", clean(&row.subscription_id))
}

fn request(row: &Row) -> String {
    let destination = row.destination.as_deref().unwrap_or("(none: the template did not render)");
    clean(format!("{} {destination}", row.method.as_deref().unwrap_or_default()).trim_start())
}

fn payload(payload: &Payload) -> String {
    let content_type =
        payload.content_type.as_deref().map(|name| format!(" of {}", clean(name))).unwrap_or_default();
    let truncated = if payload.truncated { ", cut" } else { "" };
    format!("{} bytes{content_type}{truncated}", payload.bytes)
}

fn print_response_headers(response: &Payload) -> CommandResult {
    if response.headers_dropped > 0 {
        output::line(format_args!("\nHeader lines that could not be read: {}", response.headers_dropped))?;
    }
    if response.headers.is_empty() {
        return Ok(());
    }
    output::line("\nResponse headers")?;
    for header in &response.headers {
        output::line(format_args!("  {}: {}", clean(&header.name), clean(&header.value)))?;
    }
    if response.headers_truncated { output::line("  (cut)") } else { Ok(()) }
}
