//! Parameters of the page of deliveries across loans, as a filter of the list and as what a job is asked for.

use super::page_parameters::{BEFORE, LIMIT, PageParameters, end_of_span};
use crate::web::delivery_cursor::read_delivery_cursor;
use loanhook_core::delivery_list::{DeliveryFilter, DeliveryFilterInput};
use loanhook_core::model::delivery::DeliveryPosition;
use loanhook_core::model::filter_input::{checked, checked_limit};
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::validation::ValidationErrors;

pub(super) struct CheckedDeliveryParameters {
    pub(super) filter: DeliveryFilter,
    pub(super) limit: usize,
    pub(super) before: Option<DeliveryPosition>,
    /// What is wrong; wrong parameters are left out of the other fields.
    pub(super) errors: ValidationErrors,
}

impl CheckedDeliveryParameters {
    pub(super) fn of(parameters: &PageParameters) -> Self {
        let mut errors = ValidationErrors::default();
        let filter = filter_input(parameters).check(&mut errors);
        let rule = "must be the place of an older page, as its link has it";
        let before = checked(&mut errors, BEFORE, parameters.text(BEFORE), read_delivery_cursor, rule);
        let limit = checked_limit(&mut errors, parameters.text(LIMIT));
        Self { filter, limit, before, errors }
    }
}

/// The filters as the API has them. A page's `to` includes all of a whole second; theirs is exclusive.
pub(super) fn filter_input(parameters: &PageParameters) -> DeliveryFilterInput {
    let text = |name: &str| parameters.text(name);
    let until = |to: String| to.parse::<Timestamp>().map_or(to, |time| end_of_span(time).to_string());
    DeliveryFilterInput {
        status: text("status"),
        waiting: text("waiting"),
        subscription_id: text("subscriptionId"),
        event_name: text("eventName"),
        loan_id: text("loanId"),
        response_code: text("responseCode"),
        error: text("error"),
        test: text("test"),
        from: text("from"),
        to: text("to").map(until),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_of_the_page_is_one_of_the_list_by_table() {
        let all = "status=failed&waiting=hold&subscriptionId=0193a207-d921-7b80-8080-00000000002f&eventName=Paid&loanId=727\
                   &responseCode=5xx&error=dns&test=false&from=2026-11-23T10:00&to=2026-11-23T11:00:05";
        let parameters = PageParameters::read_of_deliveries(Some(all));
        let input = filter_input(&parameters);
        assert_eq!(parameters.filters().count(), 10);
        assert_eq!(input.from.as_deref(), Some("2026-11-23T10:00:00Z"));
        assert_eq!(input.to.as_deref(), Some("2026-11-23T11:00:06.000Z"), "all of the second");
        let checked = CheckedDeliveryParameters::of(&parameters);
        assert_eq!(checked.errors, ValidationErrors::default());
        assert_eq!(checked.filter.to.map(|to| to.to_string()).as_deref(), Some("2026-11-23T11:00:06.000Z"));
        for (query, wrong) in
            [("to=soon", "to"), ("limit=0", "limit"), ("before=x", "before"), ("test=1", "test")]
        {
            let checked = CheckedDeliveryParameters::of(&PageParameters::read_of_deliveries(Some(query)));
            let pointers: Vec<_> = checked.errors.0.into_iter().map(|error| error.pointer).collect();
            assert_eq!(pointers, [wrong], "{query}");
        }
    }
}
