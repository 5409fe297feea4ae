//! `loanhook hold ID` and `loanhook release ID`: a subscription's deliveries wait, and go on.

use clap::Args;

use super::subscriptions::describe;
use crate::client::{ApiClient, Call, ConnectionArgs, decode};
use crate::error::CommandResult;
use crate::terminal::output;

#[derive(Debug, Args)]
pub(crate) struct HoldArgs {
    /// The ID of the subscription
    id: String,
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) async fn hold(args: HoldArgs) -> CommandResult {
    run(args, "hold").await
}

pub(crate) async fn release(args: HoldArgs) -> CommandResult {
    run(args, "release").await
}

async fn run(args: HoldArgs, action: &str) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    let body = client.send(&Call::post(&["v1", "subscriptions", &args.id, action])).await?;
    if args.connection.json { output::json(&body) } else { describe::print_details(&decode(&body)?) }
}
