//! `loanhook keys`: who may do what.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::lists;
use crate::Outcome;
use crate::arguments::Remote;
use crate::client::{Call, Client, decode};
use crate::terminal::format::{clean, field, time};
use crate::terminal::{output, table};

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
        /// When the key ends by itself, such as 2027-01-01T00:00:00Z
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
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
        KeysCommand::Create { name, scope, expires_at } => {
            create(&client, &args, name, scope, expires_at.as_deref()).await
        }
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
    let mut table = table::table(&["ID", "Tenant", "Name", "Scopes", "Created", "Ends", "Last Used"], 2);
    for key in &keys {
        let key: Value = decode(key.get().as_bytes())?;
        table.add_row([
            field(&key, "/id"),
            field(&key, "/tenant"),
            field(&key, "/name"),
            scopes(&key),
            time(&field(&key, "/createdAt")),
            or(&field(&key, "/expiresAt"), "never", time),
            or(&field(&key, "/lastUsedAt"), "never", hour),
        ]);
    }
    table::print(&table)
}

/// How a text is told, or what is where there is none.
fn or(text: &str, none: &str, told: impl Fn(&str) -> String) -> String {
    if text.is_empty() { none.to_owned() } else { told(text) }
}

/// It is known to the hour only.
fn hour(text: &str) -> String {
    let time = time(text);
    time.get(..13).map_or_else(|| time.clone(), |hour| format!("{hour}h"))
}

async fn create(
    client: &Client,
    args: &KeysArgs,
    name: &str,
    scopes: &[String],
    expires_at: Option<&str>,
) -> Outcome {
    let mut key = json!({"name": name, "scopes": scopes});
    if let Some(tenant) = &args.tenant {
        key["tenant"] = json!(tenant);
    }
    if let Some(expires_at) = expires_at {
        key["expiresAt"] = json!(expires_at);
    }
    let body = client.ask(&Call::post(&["v1", "keys"]).body(key.to_string())).await?;
    if args.remote.json {
        return output::json(&body);
    }
    let key: Value = decode(&body)?;
    table::details([
        ("ID", Some(field(&key, "/id"))),
        ("Tenant", Some(field(&key, "/tenant"))),
        ("Name", Some(clean(name))),
        ("Scopes", Some(self::scopes(&key))),
        ("Ends", key["expiresAt"].as_str().map(time)),
        ("Key (shown once, keep it)", Some(field(&key, "/key"))),
    ])
}

fn scopes(key: &Value) -> String {
    let scopes = key["scopes"].as_array().into_iter().flatten();
    clean(&scopes.filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
}
