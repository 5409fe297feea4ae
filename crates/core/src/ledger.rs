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
use crate::ports::{Ledger, StoreResult};

/// A filtered page looks at this many events at most.
const MAX_EXAMINED_EVENTS: usize = 5000;
/// How many events a filtered page reads at once.
const FILTERED_READ_EVENTS: usize = 500;

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
    let mut before = [before, filter.to.map(EventId::first_at)].into_iter().flatten().min();
    let chunk = if *filter == EventFilter::default() { limit + 1 } else { FILTERED_READ_EVENTS };
    let mut page = EventPage::default();
    let mut examined = 0;
    while examined < MAX_EXAMINED_EVENTS {
        let wanted = chunk.min(MAX_EXAMINED_EVENTS - examined);
        let found = store.events(tenant, loan, oldest, before, wanted).await?;
        let ended = found.len() < wanted;
        examined += found.len();
        before = found.last().map(|event| event.id).or(before);
        let is_named =
            |event: &LedgerEvent| filter.event_name.as_ref().is_none_or(|name| *name == event.name);
        let named = found.into_iter().filter(is_named).collect();
        for event in with_statuses(store, tenant, named).await? {
            if filter.result.is_some_and(|wanted| wanted != event.result()) {
                continue;
            }
            if page.events.len() == limit {
                page.next = page.events.last().map(|last| last.event.id);
                return Ok(page);
            }
            page.events.push(event);
        }
        if ended {
            page.next = None;
            break;
        }
        // Where this was the last, the next page goes on here.
        page.next = before.filter(|_| examined == MAX_EXAMINED_EVENTS);
    }
    Ok(page)
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
