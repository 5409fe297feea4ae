//! Outcomes of resends that are on their way, by their rows.

use std::cmp::Reverse;
use std::collections::HashMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{CONCURRENCY, MAX_QUEUED, MAX_QUEUED_TIME, Step};
use crate::model::attempt::{Attempt, AttemptState};
use crate::model::id::{AttemptId, LoanId, SubscriptionId};
use crate::model::job::ItemState;
use crate::model::time::Timestamp;
use crate::ports::{Deliveries, DeliveryList, FlowControl, Jobs, StoreError, StoreResult};
use crate::resend::ResendStore;

impl<S> Step<'_, S>
where
    S: Jobs + DeliveryList + FlowControl + ResendStore + Deliveries + Sync,
{
    /// Gives resends that have ended their outcome, in the order of their ends.
    pub(super) async fn read_outcomes(&mut self) -> StoreResult<()> {
        let mut sent = Vec::new();
        for number in &self.job.progress.open {
            let item = self.item(*number)?;
            if let ItemState::Sent(id) = item.state {
                sent.push((*number, item.loan.clone(), id));
            }
        }
        let (store, tenant, now) = (self.store, &self.job.tenant, self.now);
        let read = |(number, loan, id): (u32, LoanId, AttemptId)| async move {
            // A list leaves out a row that cannot be read.
            let row = store.rows(tenant, &loan, Some(id), Some(id.next()), 1).await?.pop();
            Ok::<_, StoreError>((number, id, row.map(|row| row.as_of(now))))
        };
        let reads: Vec<_> = sent.into_iter().map(read).collect();
        let rows: Vec<(u32, AttemptId, Option<Attempt>)> =
            stream::iter(reads).buffered(CONCURRENCY).try_collect().await?;
        self.queue_room = queue_room(rows.iter().filter_map(|(.., row)| row.as_ref()), self.now);
        let mut ended: Vec<_> = rows
            .into_iter()
            .filter_map(|(number, id, row)| {
                let (at, state) = outcome(id, row, self.now)?;
                Some((at, number, state))
            })
            .collect();
        // Of those that ended at once, the oldest delivery first.
        ended.sort_unstable_by_key(|(at, number, _)| (*at, Reverse(*number)));
        for (_, number, state) in ended {
            if !self.may_change(number) {
                self.has_more = true;
                break;
            }
            self.record(number, state);
        }
        Ok(())
    }
}

/// How many more resends of each subscription may be taken, by the rows of those that are on their way.
fn queue_room<'a>(rows: impl Iterator<Item = &'a Attempt>, now: Timestamp) -> HashMap<SubscriptionId, usize> {
    let mut of_subscriptions: HashMap<SubscriptionId, (usize, usize, bool)> = HashMap::new();
    for row in rows {
        let (queued, ended, waits_long) = of_subscriptions.entry(row.subscription_id).or_default();
        *ended += usize::from(row.completion().is_some());
        if row.state == AttemptState::Queued {
            *queued += 1;
            *waits_long |= now.since(row.sent_at) > MAX_QUEUED_TIME;
        }
    }
    let room = |(queued, ended, waits_long): (usize, usize, bool)| match waits_long {
        true => 0,
        false => (MAX_QUEUED + 2 * ended).saturating_sub(queued),
    };
    of_subscriptions.into_iter().map(|(id, counts)| (id, room(counts))).collect()
}

/// What became of a resend by its row, and when; none while it goes on. A row that cannot be read is taken for a failure.
fn outcome(id: AttemptId, row: Option<Attempt>, now: Timestamp) -> Option<(Timestamp, ItemState)> {
    let Some(row) = row else { return Some((now, ItemState::Failed(id))) };
    let completion = row.completion()?;
    let state = if completion.succeeded() { ItemState::Succeeded(Some(id)) } else { ItemState::Failed(id) };
    Some((completion.ended_at, state))
}
