//! `loanhook keys`: who may do what.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::lists;
use crate::cli::args::Remote;
use crate::cli::client::{Call, Client, decode};
use crate::cli::text::{clean, field, time};
use crate::cli::{Outcome, out, table};

const SCOPES: [&str; 7] = [
    "events:write",
    "history:read",
    "webhooks:resend",
    "subscriptions:write",
    "portal:write",
    "admin",
    "operator",
];

#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
    /// The tenant, if it is not the key's own (operators only)
    #[arg(long, global = true)]
    tenant: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// List the keys (never what they are, only their names and scopes)
    List,
    /// Make a key; it is shown this once
    Create {
        /// What the key is for
        #[arg(long)]
        name: String,
        /// What the key may do (repeatable, or comma-separated)
        #[arg(long, required = true, value_delimiter = ',', value_parser = PossibleValuesParser::new(SCOPES))]
        scope: Vec<String>,
    },
    /// Delete a key: from now on it opens nothing
    Delete {
        /// The key's ID
        id: String,
    },
}

pub(crate) async fn run(args: KeysArgs) -> Outcome {
    let client = Client::of(&args.remote)?;
    match &args.command {
        KeysCommand::List => list(&client, &args).await,
        KeysCommand::Create { name, scope } => create(&client, &args, name, scope).await,
        KeysCommand::Delete { id } => {
            let call = Call::new(Method::DELETE, &["v1", "keys", id]).query("tenant", args.tenant.as_ref());
            client.ask(&call).await.map(drop)
        }
    }
}

async fn list(client: &Client, args: &KeysArgs) -> Outcome {
    let call = || Call::get(&["v1", "keys"]).query("tenant", args.tenant.as_ref());
    let keys = lists::all(client, call).await?;
    if args.remote.json {
        return lists::print_json(&keys);
    }
    let mut table = table::table(&["ID", "Tenant", "Name", "Scopes", "Created"], 2);
    for key in &keys {
        let key: Value = decode(key.get().as_bytes())?;
        table.add_row([
            field(&key, "/id"),
            field(&key, "/tenant"),
            field(&key, "/name"),
            scopes(&key),
            time(&field(&key, "/createdAt")),
        ]);
    }
    table::print(&table)
}

async fn create(client: &Client, args: &KeysArgs, name: &str, scopes: &[String]) -> Outcome {
    let mut key = json!({"name": name, "scopes": scopes});
    if let Some(tenant) = &args.tenant {
        key["tenant"] = json!(tenant);
    }
    let body = client.ask(&Call::post(&["v1", "keys"]).body(key.to_string())).await?;
    if args.remote.json {
        return out::json(&body);
    }
    let key: Value = decode(&body)?;
    table::details([
        ("ID", Some(field(&key, "/id"))),
        ("Tenant", Some(field(&key, "/tenant"))),
        ("Name", Some(clean(name))),
        ("Scopes", Some(self::scopes(&key))),
        ("Key (shown once, keep it)", Some(field(&key, "/key"))),
    ])
}

fn scopes(key: &Value) -> String {
    let scopes = key["scopes"].as_array().into_iter().flatten();
    clean(&scopes.filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
}
