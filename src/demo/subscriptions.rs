//! The subscriptions of the demo, one for each behaviour of its receivers.

use serde_json::json;

use super::receiver::Receiver;
use crate::client::{ApiClient, Call};
use crate::error::CommandResult;
use crate::terminal::output;

/// The title of the subscription whose receiver times out until it is repaired.
pub(super) const TIMING_OUT_TITLE: &str = "Borrower app: autopay and payments";

struct SampleSubscription {
    title: &'static str,
    /// The path of its receiver.
    path: &'static str,
    /// What the demo says of its receiver.
    behaviour: &'static str,
    events: &'static [&'static str],
    /// The wait before each retry.
    delays_seconds: &'static [u32],
    timeout_seconds: u32,
}

const SUBSCRIPTIONS: [SampleSubscription; 5] = [
    SampleSubscription {
        title: "Core banking: every event",
        path: "/works",
        behaviour: "always works",
        events: &["*"],
        delays_seconds: &[1, 2],
        timeout_seconds: 5,
    },
    SampleSubscription {
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
        delays_seconds: &[1, 2],
        timeout_seconds: 5,
    },
    SampleSubscription {
        title: TIMING_OUT_TITLE,
        path: "/times-out",
        behaviour: "answers too late",
        events: &["Payment Posted to Account", "Payment Reversed", "Autopay Scheduled/Created"],
        delays_seconds: &[1, 2],
        timeout_seconds: 1,
    },
    SampleSubscription {
        title: "Old CRM: customers",
        path: "/gone",
        behaviour: "answers 410",
        events: &["Customer Created", "Customer Updated", "Customer Logs into Customer Website"],
        delays_seconds: &[1, 2],
        timeout_seconds: 5,
    },
    SampleSubscription {
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
        delays_seconds: &[2],
        timeout_seconds: 5,
    },
];

/// Creates the subscriptions, and prints the behaviour of each receiver.
pub(super) async fn create(client: &ApiClient, receiver: &Receiver) -> CommandResult {
    for sample in &SUBSCRIPTIONS {
        let subscription = json!({
            "title": sample.title,
            "criteria": {"events": sample.events},
            "request": {"method": "POST", "url": receiver.url(sample.path)},
            "retry": {"delays": sample.delays_seconds},
            "timeoutSeconds": sample.timeout_seconds,
        });
        client.send(&Call::post(&["v1", "subscriptions"]).body(subscription.to_string())).await?;
        output::line(format_args!("  {:36}{}", sample.title, sample.behaviour))?;
    }
    Ok(())
}
