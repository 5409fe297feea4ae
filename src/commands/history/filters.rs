//! The filters of a loan's history, as arguments that can be combined.

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::client::Call;
use crate::commands::ERROR_KINDS;
use crate::since;

const OUTCOMES: [&str; 4] = ["queued", "sending", "succeeded", "failed"];

#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub(in crate::commands) struct Filters {
    /// The title of the subscription when it was sent
    #[arg(long, value_name = "TITLE")]
    event_title: Option<String>,
    /// The name of the event
    #[arg(long, value_name = "NAME")]
    event_name: Option<String>,
    /// The ID of the subscription
    #[arg(long, value_name = "ID")]
    subscription: Option<String>,
    /// The trace ID of a delivery
    #[arg(long, value_name = "TRACE")]
    trace: Option<String>,
    /// The method of the request
    #[arg(long)]
    method: Option<String>,
    /// How it went, or goes
    #[arg(long, value_parser = PossibleValuesParser::new(OUTCOMES))]
    outcome: Option<String>,
    /// A response code from 100 to 999, or a class of them: 200, 4xx
    #[arg(long, value_name = "CODE")]
    response_code: Option<String>,
    /// What went wrong where there is no response code
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(ERROR_KINDS))]
    error: Option<String>,
    /// `auto`, `manual` or a number
    #[arg(long, value_name = "ATTEMPT")]
    attempt: Option<String>,
    /// Sent at or after this time: 2026-11-23T10:00:00Z, yesterday, 24h
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    pub(super) from: Option<String>,
    /// Sent before this time
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    to: Option<String>,
}

impl Filters {
    /// Adds the filters to a call's query.
    pub(in crate::commands) fn apply(&self, call: Call) -> Call {
        self.parameters().into_iter().fold(call, |call, (name, value)| call.query(name, value))
    }

    /// What a note about an empty history adds where there are filters.
    pub(super) fn note_suffix(&self) -> &'static str {
        if self.parameters().iter().any(|(_, value)| value.is_some()) { " like that" } else { "" }
    }

    fn parameters(&self) -> [(&'static str, Option<&String>); 11] {
        [
            ("eventTitle", self.event_title.as_ref()),
            ("eventName", self.event_name.as_ref()),
            ("subscriptionId", self.subscription.as_ref()),
            ("traceId", self.trace.as_ref()),
            ("method", self.method.as_ref()),
            ("outcome", self.outcome.as_ref()),
            ("responseCode", self.response_code.as_ref()),
            ("error", self.error.as_ref()),
            ("attempt", self.attempt.as_ref()),
            ("from", self.from.as_ref()),
            ("to", self.to.as_ref()),
        ]
    }
}
