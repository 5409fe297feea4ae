//! Where a person can look around while the demo stays up.

use serde::Deserialize;
use serde_json::json;

use crate::Outcome;
use crate::client::{Call, Client};
use crate::terminal::output;

/// The loan to which most of the sample events belong.
const LOAN: &str = "727";

/// The address of the loan's history.
fn loan_page(base: &str) -> String {
    format!("{base}/v1/loans/{LOAN}/webhooks")
}

/// A link to the loan's page for people.
async fn portal_link(client: &Client) -> Outcome<String> {
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
    Ok(client.read::<Link>(&call).await?.url)
}

pub(super) async fn print(client: &Client, base: &str, key: &str) -> Outcome {
    let (link, page) = (portal_link(client).await?, loan_page(base));
    output::line(format_args!(
        "
Loan {LOAN}'s webhooks, in a browser:

  {link}

Look around, from another terminal:

  export LOANHOOK_URL={base} LOANHOOK_KEY={key}
  loanhook history {LOAN}
  loanhook history {LOAN} --outcome failed --wide
  loanhook subscriptions list
  curl -H \"Authorization: Bearer $LOANHOOK_KEY\" {page}

or, without the environment:

  loanhook history {LOAN} --url {base} --key {key}

Ctrl-C ends the demo and removes its data."
    ))
}
