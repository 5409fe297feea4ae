//! `loanhook egress`: the addresses that webhooks come from, which receivers can allow.

use clap::Args;
use serde::Deserialize;

use crate::client::{ApiClient, Call, ConnectionArgs, decode};
use crate::error::CommandResult;
use crate::terminal::format::clean;
use crate::terminal::output;

#[derive(Debug, Args)]
pub(crate) struct EgressArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Deserialize)]
struct Egress {
    addresses: Vec<String>,
    #[serde(rename = "static")]
    is_static: bool,
}

pub(crate) async fn run(args: EgressArgs) -> CommandResult {
    let body = ApiClient::from_args(&args.connection)?.send(&Call::get(&["v1", "egress"])).await?;
    if args.connection.json {
        return output::json(&body);
    }
    let egress: Egress = decode(&body)?;
    egress.addresses.iter().try_for_each(|address| output::line(clean(address)))?;
    if !egress.is_static {
        output::note(format_args!("these were seen of late; they may change"));
    }
    Ok(())
}
