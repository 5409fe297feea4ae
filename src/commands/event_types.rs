//! `loanhook event-types` and `loanhook egress`: what integrators look up.

use clap::Args;
use serde::Deserialize;

use crate::Outcome;
use crate::arguments::Remote;
use crate::client::{Client, decode};
use crate::terminal::format::clean;
use crate::terminal::{output, table};

#[derive(Debug, Args)]
pub(crate) struct EventTypesArgs {
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct EgressArgs {
    #[command(flatten)]
    remote: Remote,
}

#[derive(Deserialize)]
struct EventTypes {
    items: Vec<EventType>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventType {
    event_name: String,
    variables: Vec<String>,
}

#[derive(Deserialize)]
struct Egress {
    addresses: Vec<String>,
    #[serde(rename = "static")]
    is_static: bool,
}

pub(crate) async fn event_types(args: EventTypesArgs) -> Outcome {
    let body = Client::of(&args.remote)?.get(&["v1", "event-types"]).await?;
    if args.remote.json {
        return output::json(&body);
    }
    let mut table = table::table(&["Event", "Variables"], 2);
    for event_type in decode::<EventTypes>(&body)?.items {
        table.add_row([clean(&event_type.event_name), clean(&event_type.variables.join(" "))]);
    }
    table::print(&table)
}

pub(crate) async fn egress(args: EgressArgs) -> Outcome {
    let body = Client::of(&args.remote)?.get(&["v1", "egress"]).await?;
    if args.remote.json {
        return output::json(&body);
    }
    let egress: Egress = decode(&body)?;
    egress.addresses.iter().try_for_each(|address| output::line(clean(address)))?;
    if !egress.is_static {
        output::note(format_args!("these were seen of late; they may change"));
    }
    Ok(())
}
