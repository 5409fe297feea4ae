//! List of deliveries across the loans of a tenant: pages, each delivery with its newest attempt.
//!
//! Used by the API and the command line. Three ways lead to the deliveries, and the filter says which one looks at the fewest:
//! those of a loan by the loan's events, those that failed by the set of those, else all of them.

mod events;
mod filter;

pub use self::events::TracesOfEvents;
pub use self::filter::{DeliveryFilter, DeliveryFilterInput};
use crate::holds;
use crate::model::attempt::Attempt;
use crate::model::delivery::{Delivery, DeliveryPosition};
use crate::model::flow::Waiting;
use crate::model::id::TenantId;
use crate::model::progress::Status;
use crate::model::time::Timestamp;
use crate::paging::Paging;
use crate::ports::{DeliveryList, DeliveryPart, DeliverySet, DeliverySpan, FlowControl, Ledger, StoreResult};

/// A delivery as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedDelivery {
    pub delivery: Delivery,
    /// None before the first attempt.
    pub newest_attempt: Option<Attempt>,
    /// Why it waits although its attempt is due.
    pub waiting: Option<Waiting>,
}

/// A part of the list, the newest first.
#[derive(Debug, Default)]
pub struct DeliveryPage {
    pub deliveries: Vec<ListedDelivery>,
    /// Where the next page begins: before this position.
    pub next: Option<DeliveryPosition>,
}

/// A page of a tenant's deliveries: at most `limit` that pass the filter, from before `before`. It is full unless the list ends
/// or 5,000 deliveries were looked at.
///
/// # Errors
///
/// When the store fails.
pub async fn page<S: DeliveryList + FlowControl + Ledger>(
    store: &S,
    tenant: &TenantId,
    filter: &DeliveryFilter,
    before: Option<DeliveryPosition>,
    limit: usize,
    now: Timestamp,
) -> StoreResult<DeliveryPage> {
    let flows = store.flows(tenant, now).await?;
    if filter.waiting.is_some() && flows.is_empty() {
        return Ok(DeliveryPage::default());
    }
    let before = [before, filter.to.map(DeliveryPosition::first_at)].into_iter().flatten().min();
    let mut paging = Paging::new(limit, *filter != DeliveryFilter::default(), before).few_first();
    while let Some(wanted) = paging.wanted() {
        let span = DeliverySpan { from: filter.from, before: paging.before() };
        let DeliveryPart { deliveries, examined, goes_on } =
            part(store, tenant, filter, span, wanted).await?;
        let passing: Vec<_> = deliveries.into_iter().filter(|delivery| filter.passes(delivery)).collect();
        let waiting = holds::waiting_of_all(store, tenant, &flows, &passing, now).await?;
        let passing = passing.into_iter().zip(waiting);
        let passing = passing.filter(|(_, waiting)| filter.passes_waiting(*waiting)).collect();
        let listed = with_newest_attempts(store, tenant, passing, now).await?;
        let passing = listed.into_iter().filter(|listed| filter.passes_attempt(listed));
        paging.add(passing.map(|listed| (listed.delivery.position(), listed)), examined, goes_on);
    }
    let (deliveries, next) = paging.end();
    Ok(DeliveryPage { deliveries, next })
}

/// Deliveries among which are all that pass the filter.
async fn part<S: DeliveryList + Ledger>(
    store: &S,
    tenant: &TenantId,
    filter: &DeliveryFilter,
    span: DeliverySpan,
    wanted: usize,
) -> StoreResult<DeliveryPart> {
    if let Some(loan) = &filter.loan_id {
        return events::deliveries_of_loan(store, tenant, loan, span, wanted).await;
    }
    let set = match filter.status {
        Some(Status::Failed) => DeliverySet::Failed,
        _ => DeliverySet::All,
    };
    store.deliveries(tenant, set, span, wanted).await
}

/// Deliveries, each with its newest attempt as it is now.
pub(crate) async fn with_newest_attempts<S: DeliveryList>(
    store: &S,
    tenant: &TenantId,
    deliveries: Vec<(Delivery, Option<Waiting>)>,
    now: Timestamp,
) -> StoreResult<Vec<ListedDelivery>> {
    if deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let (deliveries, waiting): (Vec<_>, Vec<_>) = deliveries.into_iter().unzip();
    let attempts = store.newest_attempts(tenant, &deliveries).await?;
    let listed = |((delivery, waiting), attempt): ((Delivery, _), Option<Attempt>)| ListedDelivery {
        delivery,
        newest_attempt: attempt.map(|attempt| attempt.as_of(now)),
        waiting,
    };
    Ok(deliveries.into_iter().zip(waiting).zip(attempts).map(listed).collect())
}
