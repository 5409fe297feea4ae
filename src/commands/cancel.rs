//! `loanhook cancel TRACE`: the end of a delivery's automatic attempts.

use clap::Args;

use super::trace;
use crate::client::{ApiClient, Call, ConnectionArgs, decode};
use crate::error::CommandResult;
use crate::terminal::{output, table};

#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// The delivery's trace ID
    trace: String,
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) async fn run(args: CancelArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    let body = client.send(&Call::post(&["v1", "webhooks", &args.trace, "cancel"])).await?;
    if args.connection.json {
        return output::json(&body);
    }
    table::details(trace::details(&decode(&body)?))
}
