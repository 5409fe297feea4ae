//! Query of a list of events: filters, and the cursor and length of the page.

use serde::Deserialize;
use utoipa::IntoParams;

use super::query::page;
use loanhook_core::ledger::{EventFilter, EventFilterInput};
use loanhook_core::model::id::EventId;
use loanhook_core::model::validation::ValidationErrors;

/// The filters of a list of events; an event must pass all.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct EventQuery {
    event_name: Option<String>,
    /// unmatched: no delivery; failed: one failed or was canceled; pending: none failed and one is pending; else delivered.
    #[param(pattern = "^(unmatched|failed|pending|delivered)$")]
    result: Option<String>,
    /// The first moment of `acceptedAt`.
    #[param(format = DateTime)]
    from: Option<String>,
    /// The moment before which `acceptedAt` must be.
    #[param(format = DateTime)]
    to: Option<String>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// `next` of the page before.
    #[param(pattern = "cursor")]
    cursor: Option<String>,
}

/// The filter, the ID that the page begins before, and the number of its events.
pub(in crate::api) type RequestedEvents = (EventFilter, Option<EventId>, usize);

impl EventQuery {
    pub(in crate::api) const fn has_limit(&self) -> bool {
        self.limit.is_some()
    }

    pub(in crate::api) fn check(self) -> Result<RequestedEvents, ValidationErrors> {
        let Self { event_name, result, from, to, limit, cursor } = self;
        let mut errors = ValidationErrors::default();
        let filter = EventFilterInput { event_name, result, from, to }.check(&mut errors);
        let (before, limit) = page(&mut errors, cursor, limit);
        errors.ok_or_errors((filter, before.map(EventId::from_uuid), limit))
    }
}
