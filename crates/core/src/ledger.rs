//! Events of a loan: pages of the ledger, each event with what became of its deliveries.
//!
//! Used by the API, the page and the command line.

use std::collections::BTreeMap;

use crate::model::filter_input::{checked, checked_time};
use crate::model::id::{EventId, LoanId, TenantId, TraceId};
use crate::model::ledger::{EventResult, LedgerEvent};
use crate::model::progress::Status;
use crate::model::time::Timestamp;
use crate::model::validation::ValidationErrors;
use crate::paging::{Paging, goes_on};
use crate::ports::{Ledger, StoreResult};

/// The filters of a list of events, all of which an event must pass. The default lets every event pass.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventFilter {
    pub event_name: Option<String>,
    pub result: Option<EventResult>,
    /// The first moment an event may be accepted at.
    pub from: Option<Timestamp>,
    /// The moment before which an event must be accepted.
    pub to: Option<Timestamp>,
}

/// The filters as text, by their names in a query.
#[derive(Debug, Clone, Default)]
pub struct EventFilterInput {
    pub event_name: Option<String>,
    /// unmatched, failed, pending or delivered.
    pub result: Option<String>,
    /// RFC 3339.
    pub from: Option<String>,
    /// RFC 3339.
    pub to: Option<String>,
}

impl EventFilterInput {
    /// The filter; what is wrong is added to the errors, and its field left out.
    pub fn check(self, errors: &mut ValidationErrors) -> EventFilter {
        EventFilter {
            event_name: self.event_name,
            result: checked(
                errors,
                "result",
                self.result,
                |text| text.parse().ok(),
                "must be unmatched, failed, pending or delivered",
            ),
            from: checked_time(errors, "from", self.from),
            to: checked_time(errors, "to", self.to),
        }
    }
}

/// An event, with the statuses that its deliveries have now. A delivery that a crash left out has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventWithStatuses {
    pub event: LedgerEvent,
    pub statuses: BTreeMap<TraceId, Status>,
}

impl EventWithStatuses {
    pub fn result(&self) -> EventResult {
        EventResult::of(self.statuses.values().copied())
    }
}

/// A part of a ledger, the newest first.
#[derive(Debug, Default)]
pub struct EventPage {
    pub events: Vec<EventWithStatuses>,
    /// Where the next page begins: before the event with this ID.
    pub next: Option<EventId>,
}

/// A page of a loan's events: at most `limit` that pass the filter, from before `before`. It is full unless the ledger ends or
/// 5,000 events were looked at.
///
/// # Errors
///
/// When the store fails.
pub async fn page<S: Ledger>(
    store: &S,
    (tenant, loan): (&TenantId, &LoanId),
    filter: &EventFilter,
    before: Option<EventId>,
    limit: usize,
) -> StoreResult<EventPage> {
    // The time of an ID is that of acceptance.
    let oldest = filter.from.map(EventId::first_at);
    let before = [before, filter.to.map(EventId::first_at)].into_iter().flatten().min();
    let mut paging = Paging::new(limit, *filter != EventFilter::default(), before);
    while let Some(wanted) = paging.wanted() {
        let found = store.events(tenant, loan, oldest, paging.before(), wanted).await?;
        let (examined, goes_on) = (found.len(), goes_on(&found, wanted, |event| event.id));
        let is_named =
            |event: &LedgerEvent| filter.event_name.as_ref().is_none_or(|name| *name == event.name);
        let named = found.into_iter().filter(is_named).collect();
        let events = with_statuses(store, tenant, named).await?.into_iter();
        let passing = events.filter(|event| filter.result.is_none_or(|wanted| wanted == event.result()));
        paging.add(passing.map(|event| (event.event.id, event)), examined, goes_on);
    }
    let (events, next) = paging.end();
    Ok(EventPage { events, next })
}

/// One event, whichever loan it is of.
///
/// # Errors
///
/// When the store fails.
pub async fn event<S: Ledger>(
    store: &S,
    tenant: &TenantId,
    id: EventId,
) -> StoreResult<Option<EventWithStatuses>> {
    let Some(event) = store.event(tenant, id).await? else { return Ok(None) };
    Ok(with_statuses(store, tenant, vec![event]).await?.pop())
}

async fn with_statuses<S: Ledger>(
    store: &S,
    tenant: &TenantId,
    events: Vec<LedgerEvent>,
) -> StoreResult<Vec<EventWithStatuses>> {
    let traces: Vec<_> = events.iter().flat_map(LedgerEvent::traces).collect();
    let statuses = match traces.is_empty() {
        true => Vec::new(),
        false => store.delivery_statuses(tenant, &traces).await?,
    };
    let all: BTreeMap<_, _> =
        traces.into_iter().zip(statuses).filter_map(|(trace, status)| Some((trace, status?))).collect();
    let of = |event: &LedgerEvent| {
        event.traces().filter_map(|trace| Some((trace, *all.get(&trace)?))).collect::<BTreeMap<_, _>>()
    };
    Ok(events.into_iter().map(|event| EventWithStatuses { statuses: of(&event), event }).collect())
}
