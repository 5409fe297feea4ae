//! The demo's subscriptions: who hears of what, and what is told of each receiver.

use serde_json::json;

use super::receiver::Receiver;
use crate::Outcome;
use crate::client::{Call, Client};
use crate::terminal::output;

/// The title of the one that times out until it is repaired.
pub(super) const TIMES_OUT: &str = "Borrower app: autopay and payments";

struct Webhook {
    title: &'static str,
    path: &'static str,
    behaviour: &'static str,
    events: &'static [&'static str],
    /// Seconds before each retry.
    delays: &'static [u32],
    timeout_seconds: u32,
}

const WEBHOOKS: [Webhook; 5] = [
    Webhook {
        title: "Core banking: every event",
        path: "/works",
        behaviour: "always works",
        events: &["*"],
        delays: &[1, 2],
        timeout_seconds: 5,
    },
    Webhook {
        title: "Collections: payments and promises",
        path: "/fails-twice",
        behaviour: "fails twice, then works",
        events: &[
            "Payment Posted to Account",
            "Payment Reversed",
            "Autopay Failed",
            "Loan Promise Created",
            "Past Due Adjustment Posted to Account",
        ],
        delays: &[1, 2],
        timeout_seconds: 5,
    },
    Webhook {
        title: TIMES_OUT,
        path: "/times-out",
        behaviour: "answers too late",
        events: &["Payment Posted to Account", "Payment Reversed", "Autopay Scheduled/Created"],
        delays: &[1, 2],
        timeout_seconds: 1,
    },
    Webhook {
        title: "Old CRM: customers",
        path: "/gone",
        behaviour: "answers 410",
        events: &["Customer Created", "Customer Updated", "Customer Logs into Customer Website"],
        delays: &[1, 2],
        timeout_seconds: 5,
    },
    Webhook {
        title: "Data team: accounts",
        path: "/slow",
        behaviour: "works slowly",
        events: &[
            "Account Created",
            "Account Activated",
            "Loan Status Change",
            "Portfolio Change",
            "Archive Account",
            "Delete Account",
        ],
        delays: &[2],
        timeout_seconds: 5,
    },
];

/// Makes the subscriptions, and says what to expect of each.
pub(super) async fn subscribe(client: &Client, receiver: &Receiver) -> Outcome {
    for webhook in &WEBHOOKS {
        let subscription = json!({
            "title": webhook.title,
            "criteria": {"events": webhook.events},
            "request": {"method": "POST", "url": receiver.url(webhook.path)},
            "retry": {"delays": webhook.delays},
            "timeoutSeconds": webhook.timeout_seconds,
        });
        client.ask(&Call::post(&["v1", "subscriptions"]).body(subscription.to_string())).await?;
        output::line(format_args!("  {:36}{}", webhook.title, webhook.behaviour))?;
    }
    Ok(())
}
