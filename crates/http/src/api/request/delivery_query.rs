//! Query of a list of deliveries across loans: filters, and the cursor and length of the page.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::web::delivery_cursor::read_delivery_cursor;
use loanhook_core::delivery_list::{DeliveryFilter, DeliveryFilterInput};
use loanhook_core::model::delivery::DeliveryPosition;
use loanhook_core::model::filter_input::{checked, checked_limit};
use loanhook_core::model::validation::ValidationErrors;

/// The filters of a list of deliveries; a delivery must pass all.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct DeliveryQuery {
    /// pending, succeeded, failed (its schedule ran out) or canceled.
    #[param(pattern = "^(pending|succeeded|failed|canceled)$")]
    status: Option<String>,
    /// Why it waits although its attempt is due: limit, order or hold. On AWS nothing waits so far.
    #[param(pattern = "^(limit|order|hold)$")]
    waiting: Option<String>,
    #[param(format = "uuid")]
    subscription_id: Option<String>,
    event_name: Option<String>,
    /// Only deliveries of events that the ledger keeps.
    #[param(pattern = "loanId")]
    loan_id: Option<String>,
    /// Of the newest attempt: a code (404) or a class of them (4xx), from 100 to 999.
    #[param(pattern = "^[1-9]([0-9]{2}|xx)$")]
    response_code: Option<String>,
    /// Of the newest attempt: a kind of error.
    #[param(pattern = "^(dns|connect|tls|timeout|protocol|blocked|template|interrupted)$")]
    error: Option<String>,
    /// Whether a subscription's test sent it.
    #[param(value_type = Option<bool>)]
    test: Option<String>,
    /// The first moment of `acceptedAt`.
    #[param(format = DateTime)]
    from: Option<String>,
    /// The moment before which `acceptedAt` must be.
    #[param(format = DateTime)]
    to: Option<String>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// `next` of the page before.
    #[param(pattern = "deliveryCursor")]
    cursor: Option<String>,
}

/// The filter, the position that the page begins before, and the number of its deliveries.
pub(in crate::api) type RequestedDeliveries = (DeliveryFilter, Option<DeliveryPosition>, usize);

impl DeliveryQuery {
    pub(in crate::api) const fn has_limit(&self) -> bool {
        self.limit.is_some()
    }

    pub(in crate::api) fn check(self) -> Result<RequestedDeliveries, ValidationErrors> {
        let mut errors = ValidationErrors::default();
        let filter = DeliveryFilterInput {
            status: self.status,
            waiting: self.waiting,
            subscription_id: self.subscription_id,
            event_name: self.event_name,
            loan_id: self.loan_id,
            response_code: self.response_code,
            error: self.error,
            test: self.test,
            from: self.from,
            to: self.to,
        };
        let filter = filter.check(&mut errors);
        let rule = "must be the next of the page before, as it was given";
        let before = checked(&mut errors, "cursor", self.cursor, read_delivery_cursor, rule);
        let limit = checked_limit(&mut errors, self.limit);
        errors.ok_or_errors((filter, before, limit))
    }
}
