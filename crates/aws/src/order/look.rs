//! A look at a loan of which something waits: what a crash or a lost message left is done, and settings that changed are followed.
//!
//! The first delivery that may begin is put into the index of what is due, where the sweep sees to it as to any delivery; those
//! behind it need nothing before its end.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::timeout;

use super::FIRST_ATTEMPT;
use super::end::{First, Next};
use super::open_deliveries::OpenState;
use crate::due_index::is_deferred;
use crate::engine::Aws;
use crate::items::key_schema::{OrderedLoan, ordered_loans_prefix};
use crate::items::open_delivery_item::OpenDelivery;
use crate::sdk::MAX_CONCURRENT_CALLS;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::flow::DeliveryOrder;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreError, StoreResult};

/// How long a change of settings is followed at once: its caller waits. What is left then is seen to by the sweep.
const MAX_FOLLOW_TIME: Duration = Duration::from_secs(10);

/// Which deliveries are let go, of those whose turn is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LetGo {
    /// Those that the sweep does not see to.
    Unwatched,
    /// All: their turn may have changed.
    All,
}

impl Aws {
    /// Looks at a loan; false where nothing waits of it any more, and nothing is in flight that waited.
    pub(crate) async fn look_at_loan(
        &self,
        loan: &OrderedLoan,
        lease: Duration,
        now: Timestamp,
    ) -> StoreResult<bool> {
        if !self.tidy(loan).await? {
            return Ok(false);
        }
        let lost: Vec<_> = self
            .let_go(loan, LetGo::Unwatched, now)
            .await?
            .iter()
            // Its sender died, and the message of its claim may be lost.
            .filter_map(|delivery| {
                let claim = delivery.progress.in_flight().filter(|claim| now >= claim.since + lease)?;
                Some(QueueMessage::for_attempt(delivery, claim.number, now))
            })
            .collect();
        self.enqueue_all(lost).await.map(|()| true)
    }

    /// Follows the settings of a subscription, which have changed, in all loans of which something waits, as far as there is time.
    pub(crate) async fn follow_order_settings(
        &self,
        tenant: &TenantId,
        subscription: SubscriptionId,
    ) -> StoreResult<()> {
        let now = (self.stack().clock)();
        let follow = async {
            let loans = self.loans_to_look_at(&ordered_loans_prefix(tenant, subscription), now).await?;
            let looks: Vec<_> = loans.iter().map(|loan| self.let_go(loan, LetGo::All, now)).collect();
            let looks = stream::iter(looks).buffer_unordered(MAX_CONCURRENT_CALLS);
            looks.try_for_each(|_| async { Ok(()) }).await
        };
        timeout(MAX_FOLLOW_TIME, follow).await.unwrap_or(Err(StoreError::Busy))
    }

    /// Takes away what is over of the first open deliveries, those whose first attempt has failed: a crash may have left it. False
    /// where there is no other.
    async fn tidy(&self, loan: &OrderedLoan) -> StoreResult<bool> {
        let (failed, other) = self.first_unfailed(loan).await?;
        let tidied: Vec<_> = failed.iter().map(|open| self.tidy_one(loan, open)).collect();
        let tidied = stream::iter(tidied).buffer_unordered(MAX_CONCURRENT_CALLS);
        tidied.try_for_each(|()| async { Ok(()) }).await.map(|()| other.is_some())
    }

    async fn tidy_one(&self, loan: &OrderedLoan, open: &OpenDelivery) -> StoreResult<()> {
        match self.state_of(loan, open).await? {
            OpenState::Over => self.remove_open(loan, open.sequence).await,
            OpenState::UnderWay(_) | OpenState::Failed(_) | OpenState::Waits { .. } => Ok(()),
        }
    }

    /// Lets the first delivery go whose turn is known; where no order is kept any more, all. Gives those of them that are in flight.
    async fn let_go(&self, loan: &OrderedLoan, which: LetGo, now: Timestamp) -> StoreResult<Vec<Delivery>> {
        if self.newest_flow(&loan.tenant, loan.subscription).await?.order == DeliveryOrder::None {
            let open = self.open_deliveries(loan).await?;
            let unfailed = open.iter().filter(|open| open.failed.is_none());
            let all: Vec<_> = unfailed.map(|open| self.let_one_go(loan, open, which, now)).collect();
            let all = stream::iter(all).buffer_unordered(MAX_CONCURRENT_CALLS);
            return all.try_filter_map(|in_flight| async { Ok(in_flight) }).try_collect().await;
        }
        match self.first_of(loan, 0).await? {
            First::Next(next) => self.watch_and_wake(&next, which, now).await.map(|()| Vec::new()),
            First::UnderWay(delivery) => Ok(delivery.map(|delivery| *delivery).into_iter().collect()),
            First::Nothing => Ok(Vec::new()),
        }
    }

    /// Lets a delivery go that waits; gives one that is in flight.
    async fn let_one_go(
        &self,
        loan: &OrderedLoan,
        open: &OpenDelivery,
        which: LetGo,
        now: Timestamp,
    ) -> StoreResult<Option<Delivery>> {
        match self.state_of(loan, open).await? {
            OpenState::Waits { bucket } => {
                let next = Next { message: loan.message(open), bucket };
                self.watch_and_wake(&next, which, now).await?;
            }
            OpenState::Over => self.remove_open(loan, open.sequence).await?,
            OpenState::Failed(failed) => self.set_failed(loan, open.sequence, failed).await?,
            OpenState::UnderWay(delivery) => return Ok(delivery.map(|delivery| *delivery)),
        }
        Ok(None)
    }

    /// Puts a delivery into the index of what is due, and queues its message if it is due soon.
    async fn watch_and_wake(&self, next: &Next, which: LetGo, now: Timestamp) -> StoreResult<()> {
        // One that was put there for a later turn than it has now is handed over too late.
        let is_watched = next.bucket.is_some_and(|bucket| bucket.is_in_time_for(next.message.due, now));
        if is_watched && which == LetGo::Unwatched {
            return Ok(());
        }
        let waits = self.put_in_due_index(&next.message, FIRST_ATTEMPT, now).await?;
        if waits && !is_deferred(next.message.due, now) {
            self.enqueue_woken(vec![next.message.clone()], None).await?;
        }
        Ok(())
    }
}
