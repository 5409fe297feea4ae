//! `loanhook dead-letters`: messages that could not be handled, listed, redriven and deleted.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;

use crate::client::{ApiClient, Call, ConnectionArgs, decode};
use crate::error::CommandResult;
use crate::terminal::format::{field, time};
use crate::terminal::{output, table};

#[derive(Debug, Args)]
pub(crate) struct DeadLettersArgs {
    #[command(subcommand)]
    command: DeadLettersCommand,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Subcommand)]
enum DeadLettersCommand {
    /// List up to 100 of them; normal running leaves none
    List,
    /// Put one, or up to 100, into their queues again; mend first what put them aside
    Redrive {
        /// The ID, as the list shows it
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        #[arg(long)]
        all: bool,
    },
    /// Delete one, and give up what it is about: a delivery ends as canceled
    Delete {
        /// The ID, as the list shows it
        id: String,
    },
}

pub(crate) async fn run(args: DeadLettersArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    match &args.command {
        DeadLettersCommand::List => list(&client, &args).await,
        DeadLettersCommand::Redrive { id: Some(id), .. } => {
            client.send(&Call::post(&["v1", "dead-letters", id, "redrive"])).await.map(drop)
        }
        DeadLettersCommand::Redrive { id: None, .. } => redrive_all(&client, &args).await,
        DeadLettersCommand::Delete { id } => {
            client.send(&Call::new(Method::DELETE, &["v1", "dead-letters", id])).await.map(drop)
        }
    }
}

async fn list(client: &ApiClient, args: &DeadLettersArgs) -> CommandResult {
    let body = client.send(&Call::get(&["v1", "dead-letters"])).await?;
    if args.connection.json {
        return output::json(&body);
    }
    let list: Value = decode(&body)?;
    let letters = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if letters.is_empty() {
        output::note(format_args!("there is no dead letter"));
        return Ok(());
    }
    let mut table = table::new(&["ID", "Reason", "Since", "Tenant", "About"], 4);
    for letter in letters {
        let since = field(letter, "/since");
        table.add_row([
            field(letter, "/id"),
            field(letter, "/reason"),
            if since.is_empty() { since } else { time(&since) },
            field(letter, "/tenant"),
            about(letter),
        ]);
    }
    table::print(&table)?;
    if list["more"] == true {
        output::note(format_args!("there may be others"));
    }
    Ok(())
}

/// What a message is about.
fn about(letter: &Value) -> String {
    let of = |name: &str| {
        let value = field(letter, &format!("/{name}"));
        (!value.is_empty()).then_some(value)
    };
    if let Some(trace) = of("traceId") {
        let attempt =
            of("attempt").map_or_else(|| "a resend".to_owned(), |number| format!("attempt {number}"));
        return format!("{attempt} of delivery {trace}");
    }
    let job = of("jobId").map(|job| format!("job {job}"));
    let waiting = || of("subscriptionId").map(|id| format!("what waits of subscription {id}"));
    job.or_else(waiting).unwrap_or_else(|| "no message of loanhook's".to_owned())
}

async fn redrive_all(client: &ApiClient, args: &DeadLettersArgs) -> CommandResult {
    let body = client.send(&Call::post(&["v1", "dead-letters", "redrive"])).await?;
    if args.connection.json {
        return output::json(&body);
    }
    let done: Value = decode(&body)?;
    output::line(format!("{} redriven", done["redriven"]))?;
    if done["left"] != 0 {
        output::note(format_args!("{} stay: they are no messages of loanhook's", done["left"]));
    }
    if done["more"] == true {
        output::note(format_args!("there may be others: run it again"));
    }
    Ok(())
}
