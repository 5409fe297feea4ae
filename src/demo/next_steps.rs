//! The next steps that the demo prints while it stays up: a link to the loan's page, and commands.

use serde::Deserialize;
use serde_json::json;

use crate::client::{ApiClient, Call};
use crate::error::CommandResult;
use crate::terminal::output;

/// The loan of most sample events.
const LOAN: &str = "727";

/// A link that opens the loan's page without a key.
async fn create_portal_link(client: &ApiClient) -> CommandResult<String> {
    #[derive(Deserialize)]
    struct Link {
        url: String,
    }
    let link = json!({
        "loanId": LOAN,
        "scopes": ["history:read", "webhooks:resend"],
        "viewer": "Demo",
        "ttlSeconds": 86_400,
        "sessionSeconds": 86_400,
    });
    let call = Call::post(&["v1", "portal-links"]).body(link.to_string());
    Ok(client.fetch::<Link>(&call).await?.url)
}

pub(super) async fn print(client: &ApiClient, base: &str, key: &str) -> CommandResult {
    let link = create_portal_link(client).await?;
    output::line(format_args!(
        "
Loan {LOAN}'s webhooks, in a browser:

  {link}

Look around, from another terminal:

  export LOANHOOK_URL={base} LOANHOOK_KEY={key}
  loanhook history {LOAN}
  loanhook history {LOAN} --outcome failed --wide
  loanhook subscriptions list
  curl -H \"Authorization: Bearer $LOANHOOK_KEY\" {base}/v1/loans/{LOAN}/webhooks

or, without the environment:

  loanhook history {LOAN} --url {base} --key {key}

Ctrl-C ends the demo and removes its data."
    ))
}
