//! Step of a job: what whoever runs it does again and again until it is over.
//!
//! 1. While the list is incomplete, a step reads the next part of it, and nothing else.
//! 2. It reads the rows of resends that are on their way; those that ended get their outcome.
//! 3. It takes as many items as the pace allows: from the end of the list, which is the oldest, and one of a loan at a time.
//!    What succeeded by itself since it was listed is skipped. Of a subscription whose resends wait to be sent it takes none.
//! 4. It stores that they are taken. Who loses here, since another step or a stop came first, has sent nothing.
//! 5. It resends them, under a key that each has for itself, and stores their attempts. Where it dies in between, the next step
//!    finds them taken and resends them again under the same keys, which gives the same attempts.

mod outcomes;
mod taking;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::acting::act;
use super::listing::{SeenLoans, list_on, missing_part};
use crate::log;
use crate::model::id::{JobId, SubscriptionId, TenantId};
use crate::model::job::{
    ITEMS_PER_CHUNK, ItemOutcome, ItemState, Job, JobChunk, JobItem, JobKind, JobProgress, SkipReason,
};
use crate::model::time::Timestamp;
use crate::ports::{
    Deliveries, DeliveryList, FlowControl, Jobs, MAX_CHANGED_CHUNKS, StoreError, StoreResult,
};
use crate::resend::ResendStore;

/// The time between two steps that wait for the pace or for the ends of resends.
const INTERVAL: Duration = Duration::from_millis(200);
/// How many items are on their way at once.
const MAX_OPEN: usize = 500;
/// Where a resend of a subscription waits for longer before it is sent, no more of them are taken: they would wait behind it, and
/// what waits for too long is not sent at all.
const MAX_QUEUED_TIME: Duration = Duration::from_secs(10);
/// How many resends of a subscription may wait to be sent, beside twice as many as ended since the last step: one after the
/// other, each until its timeout, they are sent before they are too old ([`MAX_RESEND_WAIT`]).
///
/// [`MAX_RESEND_WAIT`]: crate::model::attempt::MAX_RESEND_WAIT
const MAX_QUEUED: usize = 20;
/// How many items wait for another of their loan.
const MAX_PUT_OFF: usize = 1000;
/// How many rows are read, and how many items are resent, at once.
const CONCURRENCY: usize = 32;

/// Makes one step of a job, and says when the next one is wanted; none where the job is over, or there is no such job. A step
/// that loses against another changes nothing. `seen` is kept from step to step of a job.
///
/// # Errors
///
/// When the store fails; the job goes on with another step.
pub async fn advance<S>(
    store: &S,
    tenant: &TenantId,
    id: JobId,
    seen: &mut SeenLoans,
    now: Timestamp,
) -> StoreResult<Option<Timestamp>>
where
    S: Jobs + DeliveryList + FlowControl + ResendStore + Deliveries + Sync,
{
    let Some(mut job) = store.job(tenant, id).await?.filter(|job| !job.is_over()) else { return Ok(None) };
    if let (Some(before), None) = (job.progress.listing, job.stopped) {
        let chunks = list_on(store, &mut job, before, seen, now).await?;
        job.end_if_over(now);
        job.version += 1;
        if !store.save_job(job.clone(), chunks).await? {
            *seen = SeenLoans::default();
            return Ok(Some(now));
        }
        return Ok(next_unless_over(&job, now));
    }
    let mut step = Step::begin(store, job, now).await?;
    let left = step.left_taken();
    let failure = step.act_on(left).await.err();
    if step.job.stopped.is_some() && failure.as_ref().is_some_and(|failure| !is_transient(failure)) {
        // They may never be readable, and nobody waits for them any more.
        step.give_up_taken();
    }
    step.read_outcomes().await?;
    let taken = step.take().await?;
    if !step.save().await? {
        return Ok(Some(now));
    }
    if !taken.is_empty() {
        let acted = step.act_on(taken).await;
        if !step.save().await? {
            return Ok(Some(now));
        }
        acted?;
    }
    match failure {
        // What could be done is stored.
        Some(failure) if step.job.stopped.is_none() || is_transient(&failure) => Err(failure),
        _ => Ok(step.next()),
    }
}

/// Whether another try may well succeed.
const fn is_transient(failure: &StoreError) -> bool {
    matches!(failure, StoreError::Busy)
}

/// The next step is wanted at `at`, where one is.
fn next_unless_over(job: &Job, at: Timestamp) -> Option<Timestamp> {
    if job.is_over() {
        log::job("job.ended", job);
        return None;
    }
    Some(at)
}

/// A step of a job whose list is complete.
struct Step<'a, S> {
    store: &'a S,
    job: Job,
    /// The chunks of the list that were read, by their numbers.
    chunks: BTreeMap<u32, JobChunk>,
    changed_chunks: BTreeSet<u32>,
    /// How many more resends of a subscription may be taken; of others [`MAX_QUEUED`].
    queue_room: HashMap<SubscriptionId, usize>,
    /// Something is to be stored.
    changed: bool,
    /// It ended before the pace did: there is more to do at once.
    has_more: bool,
    now: Timestamp,
}

impl<'a, S> Step<'a, S>
where
    S: Jobs + DeliveryList + FlowControl + ResendStore + Deliveries + Sync,
{
    async fn begin(store: &'a S, job: Job, now: Timestamp) -> StoreResult<Self> {
        let mut step = Self {
            store,
            job,
            chunks: BTreeMap::new(),
            changed_chunks: BTreeSet::new(),
            queue_room: HashMap::new(),
            changed: false,
            has_more: false,
            now,
        };
        let progress = &step.job.progress;
        let known = progress.open.iter().chain(&progress.put_off);
        let chunks: BTreeSet<u32> = known.map(|number| number / ITEMS_PER_CHUNK).collect();
        step.load(&chunks.into_iter().collect::<Vec<_>>()).await?;
        Ok(step)
    }

    async fn load(&mut self, numbers: &[u32]) -> StoreResult<()> {
        let missing: Vec<u32> =
            numbers.iter().copied().filter(|number| !self.chunks.contains_key(number)).collect();
        if !missing.is_empty() {
            let chunks = self.store.job_chunks(&self.job.tenant, self.job.id, &missing).await?;
            self.chunks.extend(chunks.into_iter().map(|chunk| (chunk.number, chunk)));
        }
        Ok(())
    }

    fn item(&self, number: u32) -> StoreResult<&JobItem> {
        let chunk = self.chunks.get(&(number / ITEMS_PER_CHUNK));
        chunk.and_then(|chunk| chunk.items.get((number % ITEMS_PER_CHUNK) as usize)).ok_or_else(missing_part)
    }

    /// The items that a step took which did not come to its end.
    fn left_taken(&self) -> Vec<(u32, Timestamp)> {
        let is_taken = |number: &u32| self.item(*number).is_ok_and(|item| item.state == ItemState::Taken);
        let open = self.job.progress.open.iter().copied();
        open.filter(is_taken).map(|number| (number, self.now)).collect()
    }

    /// Skips items that were taken and could not be resent.
    fn give_up_taken(&mut self) {
        for (number, _) in self.left_taken() {
            self.record(number, ItemState::Skipped(SkipReason::Gone));
        }
    }

    /// Whether another resend of a subscription may be taken.
    fn has_queue_room(&self, subscription: SubscriptionId) -> bool {
        self.job.request.kind == JobKind::Cancel
            || self.queue_room.get(&subscription).is_none_or(|room| *room > 0)
    }

    /// An item of this subscription and chunk is taken or skipped in this step.
    fn reserve(&mut self, number: u32, subscription: SubscriptionId) {
        self.changed_chunks.insert(number / ITEMS_PER_CHUNK);
        let room = self.queue_room.entry(subscription).or_insert(MAX_QUEUED);
        *room = room.saturating_sub(1);
    }

    /// Whether the state of an item may be changed in this step.
    fn may_change(&self, number: u32) -> bool {
        self.changed_chunks.len() < MAX_CHANGED_CHUNKS
            || self.changed_chunks.contains(&(number / ITEMS_PER_CHUNK))
    }

    fn record(&mut self, number: u32, state: ItemState) {
        let chunk = self.chunks.get_mut(&(number / ITEMS_PER_CHUNK));
        let item = chunk.and_then(|chunk| chunk.items.get_mut((number % ITEMS_PER_CHUNK) as usize));
        let Some(item) = item else { return };
        item.state = state;
        self.changed = true;
        self.changed_chunks.insert(number / ITEMS_PER_CHUNK);
        if state.outcome() != ItemOutcome::Waiting {
            self.job.progress.open.retain(|open| *open != number);
            self.job.record_outcome(state);
        }
    }

    /// Resends or cancels items that are stored as taken, each as of its time. What could not be done stays taken.
    async fn act_on(&mut self, taken: Vec<(u32, Timestamp)>) -> StoreResult<()> {
        let items: Vec<(u32, JobItem, Timestamp)> = taken
            .into_iter()
            .map(|(number, at)| Ok((number, self.item(number)?.clone(), at)))
            .collect::<StoreResult<_>>()?;
        let (store, job) = (self.store, &self.job);
        let of = |(number, item, at): (u32, JobItem, Timestamp)| async move {
            (number, act(store, job, &item, at).await)
        };
        let acts: Vec<_> = items.into_iter().map(of).collect();
        let acted: Vec<_> = stream::iter(acts).buffered(CONCURRENCY).collect().await;
        let mut result = Ok(());
        for (number, state) in acted {
            match state {
                Ok(state) => self.record(number, state),
                Err(error) => result = Err(error),
            }
        }
        result
    }

    /// Stores what the step changed so far. False where another change came first.
    async fn save(&mut self) -> StoreResult<bool> {
        self.job.end_if_over(self.now);
        if !self.changed && !self.job.is_over() {
            return Ok(true);
        }
        self.job.version += 1;
        let changed = std::mem::take(&mut self.changed_chunks);
        let chunks = changed.iter().filter_map(|number| self.chunks.get(number)).cloned().collect();
        self.changed = false;
        self.store.save_job(self.job.clone(), chunks).await
    }

    fn next(&self) -> Option<Timestamp> {
        let later = self.now + INTERVAL;
        let JobProgress { next, put_off, open, pace, .. } = &self.job.progress;
        let takes_more = self.job.stopped.is_none() && *next > 0 && put_off.len() < MAX_PUT_OFF;
        let at = match () {
            () if self.has_more => self.now,
            () if open.is_empty() && takes_more => pace.due().max(later),
            () => later,
        };
        next_unless_over(&self.job, at)
    }
}
