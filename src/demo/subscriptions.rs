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
    criteria: Criteria,
    /// The wait before each retry.
    delays_seconds: &'static [u32],
    timeout_seconds: u32,
}

/// Which events a subscription is for.
enum Criteria {
    Events(&'static [&'static str]),
    /// A formula that fires when it becomes true for a loan.
    Trigger(&'static str),
}

const SUBSCRIPTIONS: [SampleSubscription; 6] = [
    SampleSubscription {
        title: "Core banking: every event",
        path: "/works",
        behaviour: "always works",
        criteria: Criteria::Events(&["*"]),
        delays_seconds: &[1, 2],
        timeout_seconds: 5,
    },
    SampleSubscription {
        title: "Collections: payments and promises",
        path: "/fails-twice",
        behaviour: "fails twice, then works",
        criteria: Criteria::Events(&[
            "Payment Posted to Account",
            "Payment Reversed",
            "Autopay Failed",
            "Loan Promise Created",
            "Past Due Adjustment Posted to Account",
        ]),
        delays_seconds: &[1, 2],
        timeout_seconds: 5,
    },
    SampleSubscription {
        title: "Collections: 30 days late",
        path: "/works",
        behaviour: "always works; fires when a loan becomes late",
        criteria: Criteria::Trigger("(and status-days-past-due (> status-days-past-due 30))"),
        delays_seconds: &[1, 2],
        timeout_seconds: 5,
    },
    SampleSubscription {
        title: TIMING_OUT_TITLE,
        path: "/times-out",
        behaviour: "answers too late",
        criteria: Criteria::Events(&[
            "Payment Posted to Account",
            "Payment Reversed",
            "Autopay Scheduled/Created",
        ]),
        delays_seconds: &[1, 2],
        timeout_seconds: 1,
    },
    SampleSubscription {
        title: "Old CRM: customers",
        path: "/gone",
        behaviour: "answers 410",
        criteria: Criteria::Events(&[
            "Customer Created",
            "Customer Updated",
            "Customer Logs into Customer Website",
        ]),
        delays_seconds: &[1, 2],
        timeout_seconds: 5,
    },
    SampleSubscription {
        title: "Data team: accounts",
        path: "/slow",
        behaviour: "works slowly",
        criteria: Criteria::Events(&[
            "Account Created",
            "Account Activated",
            "Loan Status Change",
            "Portfolio Change",
            "Archive Account",
            "Delete Account",
        ]),
        delays_seconds: &[2],
        timeout_seconds: 5,
    },
];

/// Creates the subscriptions, and prints the behaviour of each receiver.
pub(super) async fn create(client: &ApiClient, receiver: &Receiver) -> CommandResult {
    for sample in &SUBSCRIPTIONS {
        let criteria = match sample.criteria {
            Criteria::Events(names) => json!({"events": names}),
            Criteria::Trigger(formula) => json!({"trigger": formula}),
        };
        let subscription = json!({
            "title": sample.title,
            "criteria": criteria,
            "request": {"method": "POST", "url": receiver.url(sample.path)},
            "retry": {"delays": sample.delays_seconds},
            "timeoutSeconds": sample.timeout_seconds,
        });
        client.send(&Call::post(&["v1", "subscriptions"]).body(subscription.to_string())).await?;
        output::line(format_args!("  {:36}{}", sample.title, sample.behaviour))?;
    }
    Ok(())
}
