//! List of a job: read newest first from the list across loans, and stored in chunks.
//!
//! It is read in parts by position, so that each delivery is on it once. What is read before the call that makes the job is
//! answered is bounded; the steps of the job read the rest before anything is sent, since the oldest is sent first.

use std::cmp::Reverse;
use std::collections::HashSet;

use uuid::Uuid;

use crate::delivery_list::{self, DeliveryFilter, DeliveryFilterInput, ListedDelivery};
use crate::holds;
use crate::model::delivery::{Delivery, DeliveryPosition};
use crate::model::id::{LoanId, SubscriptionId, TenantId, TraceId};
use crate::model::job::{
    ITEMS_PER_CHUNK, ItemState, Job, JobChunk, JobItem, JobKind, JobRequest, MAX_ITEMS, Selection, StopReason,
};
use crate::model::progress::Status;
use crate::model::time::Timestamp;
use crate::model::validation::ValidationErrors;
use crate::ports::{DeliveryList, FlowControl, Jobs, Ledger, StoreError, StoreResult};

/// How many deliveries are read at once.
const DELIVERIES_PER_PART: usize = 250;
/// How many parts are read before the call that makes a job is answered.
const PARTS_AT_CREATION: u32 = 12;
/// How many chunks are read at once to find the loans of a list.
const CHUNKS_PER_READ: u32 = 50;

/// The loans and subscriptions of the part of a job's list that is stored: what tells the newest delivery of each from older
/// ones. Whoever runs a job keeps it from step to step; one that is lost is made again from the list.
#[derive(Debug, Default)]
pub struct SeenLoans {
    /// Of so many items of the list.
    items: u32,
    seen: HashSet<Uuid>,
}

impl SeenLoans {
    /// False where it was there. Operational events are of no loan, so none of them is newer than another.
    fn insert(&mut self, loan: &LoanId, subscription: SubscriptionId) -> bool {
        self.items += 1;
        loan.is_operational()
            || self.seen.insert(Uuid::new_v5(&subscription.uuid(), loan.as_str().as_bytes()))
    }

    /// Reads what is missing of the list as it is stored.
    async fn complete<S: Jobs>(&mut self, store: &S, job: &Job) -> StoreResult<()> {
        if self.items > job.counts.total {
            *self = Self::default();
        }
        while self.items < job.counts.total {
            let first = self.items / ITEMS_PER_CHUNK;
            let numbers: Vec<u32> = (first..job.counts.total.div_ceil(ITEMS_PER_CHUNK)).collect();
            let numbers = &numbers[..numbers.len().min(CHUNKS_PER_READ as usize)];
            let before = self.items;
            for chunk in store.job_chunks(&job.tenant, job.id, numbers).await? {
                let known = before.saturating_sub(chunk.number * ITEMS_PER_CHUNK);
                for item in chunk.items.iter().skip(known as usize) {
                    self.insert(&item.loan, item.subscription);
                }
            }
            if self.items == before {
                return Err(missing_part());
            }
        }
        Ok(())
    }
}

pub(super) fn missing_part() -> StoreError {
    StoreError::Failed("a part of the list of a job is missing".into())
}

/// A part of the deliveries that a job is for, newest first, and the position before which they go on.
pub(super) struct Part {
    pub(super) deliveries: Vec<ListedDelivery>,
    pub(super) goes_on: Option<DeliveryPosition>,
}

impl Part {
    /// Deliveries that pass the filter of a request. Those that were never attempted cannot be resent, and are left out.
    pub(super) async fn of_filter<S: DeliveryList + FlowControl + Ledger>(
        store: &S,
        (tenant, request): (&TenantId, &JobRequest),
        before: DeliveryPosition,
        now: Timestamp,
    ) -> StoreResult<Self> {
        let filter = filter(request)?;
        let page =
            delivery_list::page(store, tenant, &filter, Some(before), DELIVERIES_PER_PART, now).await?;
        Ok(Self::new(request, page.deliveries, page.next))
    }

    /// The deliveries of these traces.
    pub(super) async fn of_traces<S: DeliveryList + FlowControl>(
        store: &S,
        (tenant, request): (&TenantId, &JobRequest),
        traces: &[TraceId],
        now: Timestamp,
    ) -> StoreResult<Self> {
        let mut deliveries = store.deliveries_of_traces(tenant, traces).await?;
        deliveries.sort_unstable_by_key(|delivery| Reverse(delivery.position()));
        let flows = store.flows(tenant, now).await?;
        let waiting = holds::waiting_of_all(store, tenant, &flows, &deliveries, now).await?;
        let deliveries = deliveries.into_iter().zip(waiting).collect();
        let deliveries = delivery_list::with_newest_attempts(store, tenant, deliveries, now).await?;
        Ok(Self::new(request, deliveries, None))
    }

    fn new(
        request: &JobRequest,
        mut deliveries: Vec<ListedDelivery>,
        goes_on: Option<DeliveryPosition>,
    ) -> Self {
        let attempted = |delivery: &Delivery| delivery.history.newest_attempt.is_some();
        deliveries.retain(|listed| request.kind == JobKind::Cancel || attempted(&listed.delivery));
        Self { deliveries, goes_on }
    }
}

/// The filter of a request, which was checked when its job was made.
fn filter(request: &JobRequest) -> StoreResult<DeliveryFilter> {
    let Selection::Filter(input) = &request.selection else { return Ok(DeliveryFilter::default()) };
    let mut errors = ValidationErrors::default();
    let filter = DeliveryFilterInput::clone(input).check(&mut errors);
    errors.ok_or_errors(filter).map_err(|_| StoreError::Failed("the filter of a job cannot be read".into()))
}

/// Lists the first parts for a new job; gives the chunks of its list so far.
pub(super) async fn begin<S: DeliveryList + FlowControl + Ledger + Jobs>(
    store: &S,
    job: &mut Job,
    traces: &[TraceId],
    now: Timestamp,
) -> StoreResult<Vec<JobChunk>> {
    let (mut end, mut seen) = (ListEnd::default(), SeenLoans::default());
    if job.request.selection == Selection::Traces {
        let part = Part::of_traces(store, (&job.tenant, &job.request), traces, now).await?;
        end.add(job, part, &mut seen);
    }
    for _ in 0..PARTS_AT_CREATION {
        let Some(before) = job.progress.listing else { break };
        let part = Part::of_filter(store, (&job.tenant, &job.request), before, now).await?;
        end.add(job, part, &mut seen);
    }
    Ok(end.into_chunks())
}

/// Lists the next part; gives the chunks that are new or grew.
pub(super) async fn list_on<S: DeliveryList + FlowControl + Ledger + Jobs>(
    store: &S,
    job: &mut Job,
    before: DeliveryPosition,
    seen: &mut SeenLoans,
    now: Timestamp,
) -> StoreResult<Vec<JobChunk>> {
    if job.request.newest_per_loan {
        seen.complete(store, job).await?;
    }
    let mut end = ListEnd { number: job.counts.total / ITEMS_PER_CHUNK, items: Vec::new() };
    if !job.counts.total.is_multiple_of(ITEMS_PER_CHUNK) {
        let last = store.job_chunks(&job.tenant, job.id, &[end.number]).await?.pop();
        end.items = last.ok_or_else(missing_part)?.items;
    }
    let part = Part::of_filter(store, (&job.tenant, &job.request), before, now).await?;
    end.add(job, part, seen);
    if job.stopped.is_some() {
        job.end_if_over(now);
    }
    Ok(end.into_chunks())
}

/// The end of a list, from a whole chunk on.
#[derive(Default)]
struct ListEnd {
    /// The chunk that it begins with.
    number: u32,
    items: Vec<JobItem>,
}

impl ListEnd {
    /// Adds a part. The list is complete where the part says so; beyond the largest list the job stops.
    fn add(&mut self, job: &mut Job, part: Part, seen: &mut SeenLoans) {
        for ListedDelivery { delivery, .. } in part.deliveries {
            if job.counts.total == MAX_ITEMS {
                job.stopped = Some(StopReason::TooManyDeliveries);
                job.end_listing();
                return;
            }
            let mut item = item(&delivery);
            if job.request.newest_per_loan && !seen.insert(&item.loan, item.subscription) {
                item.state = ItemState::Superseded;
            }
            job.counts.total += 1;
            job.record_outcome(item.state);
            self.items.push(item);
        }
        match part.goes_on {
            Some(before) => job.progress.listing = Some(before),
            None => job.end_listing(),
        }
    }

    fn into_chunks(self) -> Vec<JobChunk> {
        let chunks = self.items.chunks(ITEMS_PER_CHUNK as usize);
        let numbered = (self.number..).zip(chunks);
        numbered.map(|(number, items)| JobChunk { number, items: items.to_vec() }).collect()
    }
}

fn item(delivery: &Delivery) -> JobItem {
    JobItem {
        trace: delivery.snapshot.trace_id,
        subscription: delivery.snapshot.subscription_id,
        loan: delivery.snapshot.loan_id.clone(),
        had_succeeded: delivery.progress.status() == Status::Succeeded,
        state: ItemState::Waiting,
    }
}
