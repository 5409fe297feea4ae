//! Which items a step takes: as many as the pace allows, from the end of the list, and of a loan one after the other.

use std::collections::{HashMap, HashSet};

use super::{MAX_OPEN, MAX_PUT_OFF, Step};
use crate::model::delivery::Delivery;
use crate::model::id::{LoanId, TraceId};
use crate::model::job::{ITEMS_PER_CHUNK, ItemState, JobKind, JobProgress};
use crate::model::time::Timestamp;
use crate::ports::{Deliveries, DeliveryList, FlowControl, Jobs, StoreResult};
use crate::recovery::acting::skip_reason;
use crate::resend::ResendStore;

/// How many items of the list a step looks at.
const MAX_LOOKED_AT: u32 = 1000;

impl<S> Step<'_, S>
where
    S: Jobs + DeliveryList + FlowControl + ResendStore + Deliveries + Sync,
{
    /// Takes the next items, as many as the pace allows; gives those that are to be resent or canceled, each with the time at
    /// which the pace allowed it: what is sent next is the oldest, however many are resent at once.
    pub(super) async fn take(&mut self) -> StoreResult<Vec<(u32, Timestamp)>> {
        let mut taken = Vec::new();
        if self.job.stopped.is_some() {
            return Ok(Vec::new());
        }
        let room = u32::try_from(self.most_open().saturating_sub(self.job.progress.open.len())).unwrap_or(0);
        let may_take = self.job.progress.pace.allowed(self.job.request.per_second, self.now).min(room);
        let mut busy = HashSet::new();
        for number in &self.job.progress.open {
            let loan = &self.item(*number)?.loan;
            if !loan.is_operational() {
                busy.insert(loan.clone());
            }
        }
        let batch = self.put_off_items(may_take, &mut busy)?;
        self.decide(batch, &mut taken).await?;
        let mut looked_at = 0;
        while taken.len() < may_take as usize {
            let count = may_take - taken.len() as u32;
            let batch = self.next_items(count, &mut looked_at, &mut busy).await?;
            if batch.is_empty() {
                break;
            }
            self.decide(batch, &mut taken).await?;
        }
        let JobProgress { next, put_off, pace, .. } = &mut self.job.progress;
        self.has_more |= taken.len() < may_take as usize && *next > 0 && put_off.len() < MAX_PUT_OFF;
        let mut timed = Vec::with_capacity(taken.len());
        for number in taken {
            let before = pace.after(0, self.job.request.per_second, self.now);
            timed.push((number, before.due().min(self.now)));
            *pace = before.after(1, self.job.request.per_second, self.now);
        }
        Ok(timed)
    }

    /// How many items may be on their way: where failures in a row stop the job, no more than may fail before it stops.
    fn most_open(&self) -> usize {
        let most = self.job.request.stop_after_failures.map(|most| {
            let before_stop = most.saturating_sub(self.job.progress.failures_in_a_row).max(1);
            usize::try_from(before_stop).unwrap_or(MAX_OPEN)
        });
        most.map_or(MAX_OPEN, |most| most.min(MAX_OPEN))
    }

    /// Items that were put off, and whose reason has ended.
    fn put_off_items(&mut self, count: u32, busy: &mut HashSet<LoanId>) -> StoreResult<Vec<u32>> {
        let (mut batch, mut kept) = (Vec::new(), Vec::new());
        for number in self.job.progress.put_off.clone() {
            let item = self.item(number)?;
            let (loan, subscription) = (item.loan.clone(), item.subscription);
            let is_free = !busy.contains(&loan) && self.has_queue_room(subscription);
            // A younger one of the loan waits for this one. Operational events are of no loan.
            if !loan.is_operational() {
                busy.insert(loan);
            }
            if is_free && batch.len() < count as usize && self.may_change(number) {
                self.reserve(number, subscription);
                batch.push(number);
            } else {
                kept.push(number);
            }
        }
        self.changed |= !batch.is_empty();
        self.job.progress.put_off = kept;
        Ok(batch)
    }

    /// The next items of the list. What must wait, for another of its loan or for its subscription, is put off.
    async fn next_items(
        &mut self,
        count: u32,
        looked_at: &mut u32,
        busy: &mut HashSet<LoanId>,
    ) -> StoreResult<Vec<u32>> {
        let mut batch = Vec::new();
        while batch.len() < count as usize
            && *looked_at < MAX_LOOKED_AT
            && self.job.progress.put_off.len() < MAX_PUT_OFF
            && let Some(number) = self.job.progress.next.checked_sub(1)
            && self.may_change(number)
        {
            self.load(&[number / ITEMS_PER_CHUNK]).await?;
            let item = self.item(number)?;
            let (state, loan, subscription) = (item.state, item.loan.clone(), item.subscription);
            self.job.progress.next = number;
            self.changed = true;
            *looked_at += 1;
            if state == ItemState::Superseded {
                continue;
            }
            let is_first = loan.is_operational() || busy.insert(loan);
            let is_free = is_first && self.has_queue_room(subscription);
            if self.job.request.kind == JobKind::Cancel || is_free {
                self.reserve(number, subscription);
                batch.push(number);
            } else {
                self.job.progress.put_off.push(number);
            }
        }
        Ok(batch)
    }

    /// Takes a batch of items but for those that are skipped.
    async fn decide(&mut self, batch: Vec<u32>, taken: &mut Vec<u32>) -> StoreResult<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let traces: Vec<TraceId> = batch
            .iter()
            .map(|number| self.item(*number).map(|item| item.trace))
            .collect::<StoreResult<_>>()?;
        let deliveries = self.store.deliveries_of_traces(&self.job.tenant, &traces).await?;
        let deliveries: HashMap<TraceId, Delivery> =
            deliveries.into_iter().map(|delivery| (delivery.snapshot.trace_id, delivery)).collect();
        for number in batch {
            let item = self.item(number)?;
            match skip_reason(&self.job, item, deliveries.get(&item.trace)) {
                Some(reason) => {
                    // Those that were put off for it can go on at once.
                    self.has_more |= !self.job.progress.put_off.is_empty();
                    self.record(number, ItemState::Skipped(reason));
                }
                None => {
                    self.record(number, ItemState::Taken);
                    self.job.progress.open.push(number);
                    taken.push(number);
                }
            }
        }
        Ok(())
    }
}
