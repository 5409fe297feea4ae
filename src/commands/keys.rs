//! `loanhook keys`: the API keys of a tenant, listed, made and deleted.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{ApiClient, Call, ConnectionArgs, decode};
use crate::error::CommandResult;
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
    connection: ConnectionArgs,
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

pub(crate) async fn run(args: KeysArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    match &args.command {
        KeysCommand::List => list(&client, &args).await,
        KeysCommand::Create { name, scope, expires_at } => {
            create(&client, &args, name, scope, expires_at.as_deref()).await
        }
        KeysCommand::Delete { id } => {
            let call = Call::new(Method::DELETE, &["v1", "keys", id]).query("tenant", args.tenant.as_ref());
            client.send(&call).await.map(drop)
        }
    }
}

async fn list(client: &ApiClient, args: &KeysArgs) -> CommandResult {
    let call = Call::get(&["v1", "keys"]).query("tenant", args.tenant.as_ref());
    let keys = client.fetch_all_items(&call).await?;
    if args.connection.json {
        return output::json_list(&keys);
    }
    let mut table = table::new(&["ID", "Tenant", "Name", "Scopes", "Created", "Ends", "Last Used"], 2);
    for key in &keys {
        let key: Value = decode(key.get().as_bytes())?;
        table.add_row([
            field(&key, "/id"),
            field(&key, "/tenant"),
            field(&key, "/name"),
            scopes(&key),
            time(&field(&key, "/createdAt")),
            time_or_never(&field(&key, "/expiresAt"), time),
            time_or_never(&field(&key, "/lastUsedAt"), hour),
        ]);
    }
    table::print(&table)
}

fn time_or_never(rfc3339: &str, format: impl Fn(&str) -> String) -> String {
    if rfc3339.is_empty() { "never".to_owned() } else { format(rfc3339) }
}

/// The date and the hour of a time that is known to the hour only.
fn hour(rfc3339: &str) -> String {
    let time = time(rfc3339);
    time.get(..13).map_or_else(|| time.clone(), |hour| format!("{hour}h"))
}

async fn create(
    client: &ApiClient,
    args: &KeysArgs,
    name: &str,
    scopes: &[String],
    expires_at: Option<&str>,
) -> CommandResult {
    let mut key = json!({"name": name, "scopes": scopes});
    if let Some(tenant) = &args.tenant {
        key["tenant"] = json!(tenant);
    }
    if let Some(expires_at) = expires_at {
        key["expiresAt"] = json!(expires_at);
    }
    let body = client.send(&Call::post(&["v1", "keys"]).body(key.to_string())).await?;
    if args.connection.json {
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
