//! Filter of a list of deliveries: which ones pass, and what a caller may write.

use super::ListedDelivery;
use crate::model::delivery::Delivery;
use crate::model::failure::ErrorKind;
use crate::model::filter::{CodeFilter, passes};
use crate::model::filter_input::{checked, checked_code, checked_error_kind, checked_time};
use crate::model::flow::{Waiting, WaitingReason};
use crate::model::id::{LoanId, SubscriptionId};
use crate::model::progress::Status;
use crate::model::time::Timestamp;
use crate::model::validation::ValidationErrors;

/// The filters of a list of deliveries, all of which a delivery must pass. The default lets every delivery pass.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeliveryFilter {
    pub status: Option<Status>,
    pub waiting: Option<WaitingReason>,
    pub subscription_id: Option<SubscriptionId>,
    pub event_name: Option<String>,
    pub loan_id: Option<LoanId>,
    /// Of the newest attempt.
    pub response_code: Option<CodeFilter>,
    /// Of the newest attempt.
    pub error: Option<ErrorKind>,
    pub test: Option<bool>,
    /// The first moment a delivery may be accepted at.
    pub from: Option<Timestamp>,
    /// The moment before which a delivery must be accepted.
    pub to: Option<Timestamp>,
}

/// The filters as text, by their names in a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilterInput {
    /// pending, succeeded, failed or canceled.
    pub status: Option<String>,
    /// limit, order or hold.
    pub waiting: Option<String>,
    pub subscription_id: Option<String>,
    pub event_name: Option<String>,
    pub loan_id: Option<String>,
    /// A code (404) or a class of them (4xx).
    pub response_code: Option<String>,
    /// A kind of error.
    pub error: Option<String>,
    /// true or false.
    pub test: Option<String>,
    /// RFC 3339.
    pub from: Option<String>,
    /// RFC 3339.
    pub to: Option<String>,
}

impl DeliveryFilterInput {
    /// The filter; what is wrong is added to the errors, and its field left out.
    pub fn check(self, errors: &mut ValidationErrors) -> DeliveryFilter {
        DeliveryFilter {
            status: checked(
                errors,
                "status",
                self.status,
                |text| text.parse().ok(),
                "must be pending, succeeded, failed or canceled",
            ),
            waiting: checked(
                errors,
                "waiting",
                self.waiting,
                |text| text.parse().ok(),
                "must be limit, order or hold",
            ),
            subscription_id: checked(
                errors,
                "subscriptionId",
                self.subscription_id,
                |text| text.parse().ok(),
                "must be a UUID",
            ),
            event_name: self.event_name,
            loan_id: checked(
                errors,
                "loanId",
                self.loan_id,
                |text| LoanId::try_from(text.to_owned()).ok(),
                "must be the ID of a loan: 1 to 256 characters, none of / \\ ? # %",
            ),
            response_code: checked_code(errors, self.response_code),
            error: checked_error_kind(errors, self.error),
            test: checked(errors, "test", self.test, |text| text.parse().ok(), "must be true or false"),
            from: checked_time(errors, "from", self.from),
            to: checked_time(errors, "to", self.to),
        }
    }
}

impl DeliveryFilter {
    /// Whether a delivery passes, but for what its newest attempt decides and for what waits.
    pub(super) fn passes(&self, delivery: &Delivery) -> bool {
        let snapshot = &delivery.snapshot;
        passes(self.status, |status| status == delivery.progress.status())
            && passes(self.subscription_id, |id| id == snapshot.subscription_id)
            && passes(self.event_name.as_ref(), |name| *name == snapshot.event_name)
            && passes(self.loan_id.as_ref(), |loan| *loan == snapshot.loan_id)
            && passes(self.test, |test| test == snapshot.test)
            && passes(self.from, |from| snapshot.accepted_at >= from)
            && passes(self.to, |to| snapshot.accepted_at < to)
    }

    /// Whether a delivery that waits so passes.
    pub(super) fn passes_waiting(&self, waiting: Option<Waiting>) -> bool {
        passes(self.waiting, |reason| waiting.is_some_and(|waiting| waiting.reason == reason))
    }

    /// Whether the newest attempt of a delivery passes.
    pub(super) fn passes_attempt(&self, listed: &ListedDelivery) -> bool {
        let completion = listed.newest_attempt.as_ref().and_then(|attempt| attempt.completion());
        let code = completion.and_then(|completion| completion.result.as_ref().ok());
        let error = completion.and_then(|completion| completion.error());
        passes(self.response_code, |filter| code.is_some_and(|code| filter.matches(*code)))
            && passes(self.error, |kind| error.is_some_and(|error| error.kind == kind))
    }
}
