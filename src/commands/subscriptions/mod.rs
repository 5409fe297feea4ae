//! `loanhook subscriptions`: the subscriptions of a tenant, listed, changed and tested.

mod check;
pub(super) mod describe;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

use crate::client::{AcceptedEvent, ApiClient, Call, ConnectionArgs, decode};
use crate::error::CommandResult;
use crate::terminal::format::clean;
use crate::terminal::{input, output};

#[derive(Debug, Args)]
pub(crate) struct SubscriptionsArgs {
    #[command(subcommand)]
    command: SubscriptionsCommand,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Subcommand)]
enum SubscriptionsCommand {
    /// List the subscriptions
    List,
    /// Show one subscription
    Get { id: String },
    /// Make a subscription; its signing secret is shown this once
    Create {
        /// A JSON file, or `-` for standard input
        file: PathBuf,
    },
    /// Put another in a subscription's place; what the file omits is reset
    Replace(ChangeArgs),
    /// Change what the file names (a JSON Merge Patch, RFC 7396); what it omits stays, null is reset
    Patch(ChangeArgs),
    /// Delete a subscription; what was accepted for it is still delivered
    Delete { id: String },
    /// Make a new signing secret; the one before stays valid for 24 hours
    RotateSecret { id: String },
    /// Send a sample event to one subscription, whatever its criteria
    Test(TestArgs),
    /// Check step by step whether a request could leave, without sending one: name, address, connection, TLS, token
    Check { id: String },
}

#[derive(Debug, Args)]
struct ChangeArgs {
    id: String,
    /// A JSON file, or `-` for standard input
    file: PathBuf,
    /// Change nothing unless the subscription is at this version
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
}

#[derive(Debug, Args)]
struct TestArgs {
    id: String,
    /// The loan that the event is for; a subscription to operational events has none
    #[arg(long)]
    loan: Option<String>,
    /// The name of the event [default: Test, or the first operational event that the subscription is for]; one of real events needs a key
    /// that may send events too
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// When it is to have occurred, such as 2026-11-23T10:00:00Z
    #[arg(long, value_name = "TIME")]
    occurred_at: Option<String>,
    /// A JSON file with the loan's variables, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,
}

pub(crate) async fn run(args: SubscriptionsArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    let call = match args.command {
        SubscriptionsCommand::List => return list(&client, args.connection.json).await,
        SubscriptionsCommand::Delete { id } => {
            return client.send(&Call::new(Method::DELETE, &["v1", "subscriptions", &id])).await.map(drop);
        }
        SubscriptionsCommand::Test(test) => return send_test(&client, &test, args.connection.json).await,
        SubscriptionsCommand::Check { id } => return check::run(&client, &id, args.connection.json).await,
        SubscriptionsCommand::Get { id } => Call::get(&["v1", "subscriptions", &id]),
        SubscriptionsCommand::Create { file } => {
            Call::post(&["v1", "subscriptions"]).body(input::read_bytes(&file)?)
        }
        SubscriptionsCommand::Replace(change) => changing(Method::PUT, &change)?,
        SubscriptionsCommand::Patch(change) => changing(Method::PATCH, &change)?,
        SubscriptionsCommand::RotateSecret { id } => {
            Call::post(&["v1", "subscriptions", &id, "rotate-secret"])
        }
    };
    let body = client.send(&call).await?;
    if args.connection.json { output::json(&body) } else { describe::print_details(&decode(&body)?) }
}

fn changing(method: Method, change: &ChangeArgs) -> CommandResult<Call> {
    let call = Call::new(method, &["v1", "subscriptions", &change.id]).expect_version(change.if_version);
    Ok(call.body(input::read_bytes(&change.file)?))
}

async fn list(client: &ApiClient, json: bool) -> CommandResult {
    let subscriptions = client.fetch_all_items(&Call::get(&["v1", "subscriptions"])).await?;
    if json { output::json_list(&subscriptions) } else { describe::print_table(&subscriptions) }
}

async fn send_test(client: &ApiClient, test: &TestArgs, json: bool) -> CommandResult {
    let text = |name: &str, value: &Option<String>| Some(format!("\"{name}\":{}", json!(value.as_ref()?)));
    let mut members = vec![
        text("loanId", &test.loan),
        text("eventName", &test.event),
        text("occurredAt", &test.occurred_at),
    ];
    if let Some(file) = &test.context {
        members.push(Some(format!("\"context\":{}", input::read_json(file)?)));
    }
    let body = format!("{{{}}}", members.into_iter().flatten().collect::<Vec<_>>().join(","));
    let answer = client.send(&Call::post(&["v1", "subscriptions", &test.id, "test"]).body(body)).await?;
    if json {
        return output::json(&answer);
    }
    let accepted: AcceptedEvent = decode(&answer)?;
    accepted.deliveries.iter().try_for_each(|delivery| output::line(clean(&delivery.trace_id)))
}
