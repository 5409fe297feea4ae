//! The filters of a list of deliveries, as arguments that can be combined.

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::client::Call;
use crate::commands::ERROR_KINDS;
use crate::since;

pub(in crate::commands) const STATUSES: [&str; 4] = ["pending", "succeeded", "failed", "canceled"];
const REASONS: [&str; 3] = ["limit", "order", "hold"];

#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub(in crate::commands) struct DeliveryFilters {
    /// What became of it so far; `failed` is one whose schedule ran out
    #[arg(long, value_parser = PossibleValuesParser::new(STATUSES))]
    status: Option<String>,
    /// Why it waits although its attempt is due
    #[arg(long, value_name = "REASON", value_parser = PossibleValuesParser::new(REASONS))]
    waiting: Option<String>,
    /// The ID of the subscription
    #[arg(long, value_name = "ID")]
    subscription: Option<String>,
    /// The name of the event
    #[arg(long, value_name = "NAME")]
    event_name: Option<String>,
    /// The loan
    #[arg(long, value_name = "LOAN")]
    loan: Option<String>,
    /// The response code of its newest attempt, or a class of them: 200, 4xx
    #[arg(long, value_name = "CODE")]
    response_code: Option<String>,
    /// What went wrong at its newest attempt, where there is no response code
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(ERROR_KINDS))]
    error: Option<String>,
    /// Whether a subscription's test sent it: true or false
    #[arg(long, value_name = "BOOL")]
    test: Option<bool>,
    /// Accepted at or after this time
    #[arg(long, visible_alias = "from", value_name = "TIME", value_parser = since::parse, long_help = since_help())]
    since: Option<String>,
    /// Accepted before this time
    #[arg(long, visible_alias = "to", value_name = "TIME", value_parser = since::parse)]
    until: Option<String>,
}

fn since_help() -> String {
    format!("Accepted at or after this time: {}", since::FORMS)
}

impl DeliveryFilters {
    /// The call of the list with these filters.
    pub(in crate::commands) fn call(&self) -> Call {
        let call = Call::get(&["v1", "webhooks"]).query("test", self.test);
        self.texts().into_iter().fold(call, |call, (name, value)| call.query(name, value))
    }

    pub(super) fn since(&self) -> Option<&str> {
        self.since.as_deref()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.test.is_none() && self.texts().iter().all(|(_, value)| value.is_none())
    }

    fn texts(&self) -> [(&'static str, Option<&String>); 9] {
        [
            ("status", self.status.as_ref()),
            ("waiting", self.waiting.as_ref()),
            ("subscriptionId", self.subscription.as_ref()),
            ("eventName", self.event_name.as_ref()),
            ("loanId", self.loan.as_ref()),
            ("responseCode", self.response_code.as_ref()),
            ("error", self.error.as_ref()),
            ("from", self.since.as_ref()),
            ("to", self.until.as_ref()),
        ]
    }
}
