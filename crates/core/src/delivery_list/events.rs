//! Deliveries by way of the events that they came with.
//!
//! Events stand in the order of their IDs, deliveries in that of their traces; both begin with the time of acceptance, to the
//! millisecond, and differ within it. So the events of one millisecond are taken together.

use std::cmp::Reverse;

use crate::model::delivery::DeliveryPosition;
use crate::model::id::{EventId, LoanId, TenantId, TraceId};
use crate::model::ledger::LedgerEvent;
use crate::model::time::Timestamp;
use crate::paging::goes_on;
use crate::ports::{DeliveryList, DeliveryPart, DeliverySpan, Ledger, StoreResult};

/// The traces of deliveries of events, the newest first.
#[derive(Debug, PartialEq, Eq)]
pub struct TracesOfEvents {
    pub traces: Vec<TraceId>,
    /// The position before which the list goes on; none at its end.
    pub goes_on: Option<DeliveryPosition>,
}

impl TracesOfEvents {
    /// The bounds of the events that a span of deliveries can be of: from the first to before the second.
    pub fn bounds(span: &DeliverySpan) -> (Option<EventId>, Option<EventId>) {
        let before = |position: DeliveryPosition| {
            let time = position.accepted_at;
            // Within its millisecond events are in another order than deliveries.
            let begins = position == DeliveryPosition::first_at(time);
            EventId::first_at(if begins { time } else { time.plus_millis(1) })
        };
        (span.from.map(EventId::first_at), span.before.map(before))
    }

    /// At most `limit` traces within a span, of events that were read within its bounds, the newest first. Where there are
    /// older events, `read_to` is the time of the oldest one that was read: others of its millisecond may not have been read,
    /// so that millisecond is left for the next part. None where nothing is left then: more events must be read.
    pub fn new(
        events: &[LedgerEvent],
        read_to: Option<Timestamp>,
        span: &DeliverySpan,
        limit: usize,
    ) -> Option<Self> {
        let end = read_to.map(|time| DeliveryPosition::first_at(time.plus_millis(1)));
        if end.is_some_and(|end| span.before.is_some_and(|before| before <= end)) {
            return None;
        }
        let positions = events.iter().flat_map(|event| {
            event.traces().map(|trace| DeliveryPosition { accepted_at: event.accepted_at, trace })
        });
        let is_complete = |position: &DeliveryPosition| end.is_none_or(|end| end <= *position);
        let mut positions: Vec<_> =
            positions.filter(|position| is_complete(position) && span.contains(*position)).collect();
        positions.sort_unstable_by_key(|position| Reverse(*position));
        let goes_on = match positions.get(limit.saturating_sub(1)) {
            Some(last) if positions.len() > limit => Some(*last),
            _ => end,
        };
        positions.truncate(limit);
        Some(Self { traces: positions.into_iter().map(|position| position.trace).collect(), goes_on })
    }
}

/// The deliveries of a loan that its ledger names.
pub(super) async fn deliveries_of_loan<S: DeliveryList + Ledger>(
    store: &S,
    tenant: &TenantId,
    loan: &LoanId,
    span: DeliverySpan,
    limit: usize,
) -> StoreResult<DeliveryPart> {
    let (oldest, before) = TracesOfEvents::bounds(&span);
    // One more, as the millisecond of the oldest one is left for the next part.
    let mut wanted = limit + 1;
    loop {
        let events = store.events(tenant, loan, oldest, before, wanted).await?;
        let read_to = goes_on(&events, wanted, |event| event.accepted_at);
        if let Some(found) = TracesOfEvents::new(&events, read_to, &span, limit) {
            let examined = events.len().max(found.traces.len());
            let deliveries = store.deliveries_of_traces(tenant, &found.traces).await?;
            return Ok(DeliveryPart { deliveries, examined, goes_on: found.goes_on });
        }
        wanted *= 2;
    }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
