//! `loanhook event-types`: the catalogue of events and their variables.

use clap::Args;
use serde::Deserialize;

use crate::client::{ApiClient, Call, ConnectionArgs, decode};
use crate::error::CommandResult;
use crate::terminal::format::clean;
use crate::terminal::{output, table};

#[derive(Debug, Args)]
pub(crate) struct EventTypesArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Deserialize)]
struct EventTypes {
    items: Vec<EventType>,
    /// An older loanhook has none.
    #[serde(default)]
    operational: Vec<EventType>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventType {
    event_name: String,
    variables: Vec<String>,
}

pub(crate) async fn run(args: EventTypesArgs) -> CommandResult {
    let body = ApiClient::from_args(&args.connection)?.send(&Call::get(&["v1", "event-types"])).await?;
    if args.connection.json {
        return output::json(&body);
    }
    let mut table = table::new(&["Event", "Variables"], 2);
    let EventTypes { items, operational } = decode(&body)?;
    for event_type in items.into_iter().chain(operational) {
        table.add_row([clean(&event_type.event_name), clean(&event_type.variables.join(" "))]);
    }
    table::print(&table)
}
