//! The next steps that the demo prints while it stays up: a link to the loan's page, and commands.

use serde::Deserialize;
use serde_json::json;

use crate::client::{ApiClient, Call, LedgerEvent, MAX_ITEMS_PER_PAGE, Page, decode};
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

/// An event of the loan at which a trigger was false; of several the newest.
async fn find_event_that_did_not_fire(client: &ApiClient) -> CommandResult<String> {
    let call = Call::get(&["v1", "loans", LOAN, "events"]).query("limit", Some(MAX_ITEMS_PER_PAGE));
    for item in client.fetch::<Page>(&call).await?.items {
        let event: LedgerEvent = decode(item.get().as_bytes())?;
        if event.verdicts.iter().any(|verdict| verdict.verdict == "trigger_false") {
            return Ok(event.event_id);
        }
    }
    Err(format!("no trigger was false for loan {LOAN}").into())
}

pub(super) async fn print(client: &ApiClient, base: &str, key: &str) -> CommandResult {
    let link = create_portal_link(client).await?;
    let event = find_event_that_did_not_fire(client).await?;
    output::line(format_args!(
        "
Loan {LOAN}'s webhooks and events, in a browser:

  {link}

Look around, from another terminal:

  export LOANHOOK_URL={base} LOANHOOK_KEY={key}
  loanhook history {LOAN}
  loanhook history {LOAN} --outcome failed --wide
  loanhook subscriptions list
  curl -H \"Authorization: Bearer $LOANHOOK_KEY\" {base}/v1/loans/{LOAN}/webhooks

Why did nothing come? What each webhook made of an event, and the formulas with their values:

  loanhook why {LOAN}
  loanhook why {LOAN} {event}

What did not arrive? How many webhooks there were, and what became of them:

  loanhook report --since today --by subscription

or, without the environment:

  loanhook history {LOAN} --url {base} --key {key}

Ctrl-C ends the demo and removes its data."
    ))
}
