//! Parameters of the page of a loan's events, as values of the model.

use super::page_parameters::{BEFORE, LIMIT, OPEN, PageParameters, end_of_span};
use loanhook_core::ledger::{EventFilter, EventFilterInput};
use loanhook_core::model::filter_input::{checked, checked_limit};
use loanhook_core::model::id::EventId;
use loanhook_core::model::validation::ValidationErrors;

pub(super) struct CheckedEventParameters {
    pub(super) filter: EventFilter,
    pub(super) limit: usize,
    pub(super) before: Option<EventId>,
    /// The event that is open.
    pub(super) open: Option<EventId>,
    /// What is wrong; wrong parameters are left out of the other fields.
    pub(super) errors: ValidationErrors,
}

impl CheckedEventParameters {
    pub(super) fn of(parameters: &PageParameters) -> Self {
        let mut errors = ValidationErrors::default();
        let text = |name: &str| parameters.text(name);
        let input = EventFilterInput {
            event_name: text("eventName"),
            result: text("result"),
            from: text("from"),
            to: text("to"),
        };
        let mut filter = input.check(&mut errors);
        filter.to = filter.to.map(end_of_span);
        let id = |errors: &mut ValidationErrors, name: &str| {
            checked(errors, name, text(name), |text| text.parse().ok(), "must be the ID of an event")
        };
        Self {
            filter,
            limit: checked_limit(&mut errors, text(LIMIT)),
            before: id(&mut errors, BEFORE),
            open: id(&mut errors, OPEN),
            errors,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_at_a_whole_second_includes_that_second() {
        for (to, before) in [
            ("2026-11-23T10:00:05", "2026-11-23T10:00:06Z"),
            ("2026-11-23T10:00:05.25Z", "2026-11-23T10:00:05.251Z"),
        ] {
            let parameters =
                PageParameters::read_of_events(Some(&format!("to={to}&result=failed&outcome=lost")));
            let checked = CheckedEventParameters::of(&parameters);
            assert_eq!(checked.filter.to, before.parse().ok());
            assert!(checked.errors.0.is_empty() && checked.filter.result.is_some());
        }
    }
}
