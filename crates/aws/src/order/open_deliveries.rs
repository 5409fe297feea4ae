//! Reads of the open deliveries of a loan, strongly consistent, and the end of a place among them.

use std::time::Duration;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use tracing::error;

use super::FIRST_ATTEMPT;
use super::turn::Before;
use crate::due_index::Bucket;
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, get_text, is_newer, number, text, unexpired};
use crate::items::key_schema::{self, DUE_BUCKET, FAILED, FIRST_AUTO, OrderedLoan, PK, SK, open_delivery_sk};
use crate::items::open_delivery_item::{self, OpenDelivery};
use crate::items::unreadable::readable;
use crate::items::write_outcome::write_outcome;
use crate::items::{delivery_item, row_item};
use loanhook_core::model::delivery::{Delivery, DeliverySnapshot};
use loanhook_core::model::progress::Progress;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage, StoreResult};

/// How many open deliveries one read gives: up to 4 KiB, which is one read unit.
const READ_LIMIT: i32 = 20;

/// For so long the item of a delivery may be missing that is open: a transaction appears item by item.
const MAX_APPEARANCE: Duration = Duration::from_secs(60);

/// What an open delivery is doing, by its item.
pub(super) enum OpenState {
    /// It has ended, or cannot be read and never leaves.
    Over,
    /// Its first attempt is in flight. None where what it does is not known here: a newer loanhook wrote it, or it is just stored.
    UnderWay(Option<Box<Delivery>>),
    /// Its first attempt ended then without success, and another follows.
    Failed(Timestamp),
    /// Its first attempt waits, in this bucket of the index of what is due if in any.
    Waits { bucket: Option<Bucket> },
}

impl OrderedLoan {
    /// The message for the first attempt of an open delivery.
    pub(super) fn message(&self, open: &OpenDelivery) -> QueueMessage {
        QueueMessage {
            tenant: self.tenant.clone(),
            trace_id: open.trace,
            subscription_id: self.subscription,
            due: open.due,
            work: DueWork::Attempt(FIRST_ATTEMPT),
        }
    }
}

/// Whether a delivery has ended, and nothing is in flight.
pub(crate) const fn has_ended(progress: &Progress) -> bool {
    matches!(progress, Progress::Succeeded | Progress::Failed | Progress::Canceled)
}

impl Aws {
    /// A read of open deliveries whose sort keys are between these two.
    fn query_open(&self, loan: &OrderedLoan, first: &str, last: &str) -> QueryFluentBuilder {
        self.query_partition(&loan.pk())
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :first AND :last")
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":first", text(first))
            .expression_attribute_values(":last", text(last))
            .limit(READ_LIMIT)
    }

    /// The open deliveries of a loan, in their order.
    pub(super) async fn open_deliveries(&self, loan: &OrderedLoan) -> StoreResult<Vec<OpenDelivery>> {
        self.all_open(loan, true).await
    }

    /// The same as they were a short while ago, for half the price.
    pub(super) async fn open_deliveries_eventually(
        &self,
        loan: &OrderedLoan,
    ) -> StoreResult<Vec<OpenDelivery>> {
        self.all_open(loan, false).await
    }

    async fn all_open(&self, loan: &OrderedLoan, consistent: bool) -> StoreResult<Vec<OpenDelivery>> {
        let (first, last) = (open_delivery_sk(0), open_delivery_sk(u64::MAX));
        let query = self.query_open(loan, &first, &last).set_limit(None).consistent_read(consistent);
        let items: Vec<_> = self.query_all(query).await?.into_iter().filter_map(unexpired).collect();
        Ok(readable(&items, open_delivery_item::read))
    }

    /// The open deliveries before a number. The nearest are read first: nearly always the nearest has not failed.
    pub(super) async fn open_before(&self, loan: &OrderedLoan, sequence: u64) -> StoreResult<Before> {
        let (first, last) = (open_delivery_sk(0), open_delivery_sk(sequence.saturating_sub(1)));
        let query = self.query_open(loan, &first, &last).scan_index_forward(false);
        let (mut before, mut from) = (Before::Nothing, None);
        loop {
            let page = query.clone().set_exclusive_start_key(from).send().await.map_err(store_error)?;
            let items: Vec<_> = page.items.unwrap_or_default().into_iter().filter_map(unexpired).collect();
            for open in readable(&items, open_delivery_item::read) {
                match open.failed {
                    Some(failed) => before = before.and_failed(failed),
                    None => return Ok(Before::Unfailed),
                }
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(before);
            }
        }
    }

    /// The first open delivery whose first attempt has not failed, and those before it.
    pub(super) async fn first_unfailed(
        &self,
        loan: &OrderedLoan,
    ) -> StoreResult<(Vec<OpenDelivery>, Option<OpenDelivery>)> {
        let (first, last) = (open_delivery_sk(0), open_delivery_sk(u64::MAX));
        let query = self.query_open(loan, &first, &last);
        let (mut before, mut from) = (Vec::new(), None);
        loop {
            let page = query.clone().set_exclusive_start_key(from).send().await.map_err(store_error)?;
            let items: Vec<_> = page.items.unwrap_or_default().into_iter().filter_map(unexpired).collect();
            for open in readable(&items, open_delivery_item::read) {
                if open.failed.is_none() {
                    return Ok((before, Some(open)));
                }
                before.push(open);
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok((before, None));
            }
        }
    }

    /// What an open delivery is doing.
    pub(super) async fn state_of(&self, loan: &OrderedLoan, open: &OpenDelivery) -> StoreResult<OpenState> {
        let Some(item) = self.delivery_item(&loan.tenant, open.trace).await? else {
            let put_at = open.expires.minus(self.stack().retention);
            let is_new = Timestamp::now().since(put_at) < MAX_APPEARANCE;
            return Ok(if is_new { OpenState::UnderWay(None) } else { OpenState::Over });
        };
        let delivery = match delivery_item::read(&item) {
            Ok(delivery) => delivery,
            Err(_) if is_newer::<DeliverySnapshot>(&item) => return Ok(OpenState::UnderWay(None)),
            // It would block its loan for ever, and nobody could cancel it.
            Err(failure) => {
                error!(tenant = %loan.tenant, trace_id = %open.trace, %failure, "order.unreadable_left_out");
                return Ok(OpenState::Over);
            }
        };
        Ok(match &delivery.progress {
            progress if has_ended(progress) => OpenState::Over,
            Progress::Waiting(next) if next.number == FIRST_ATTEMPT => {
                OpenState::Waits { bucket: get_text(&item, DUE_BUCKET).and_then(Bucket::read) }
            }
            Progress::Waiting(_) => OpenState::Failed(self.first_failure(loan, &item).await?),
            _ => OpenState::UnderWay(Some(Box::new(delivery))),
        })
    }

    /// When the first attempt of a delivery ended that is over; now where its row does not say.
    pub(super) async fn first_failure(&self, loan: &OrderedLoan, delivery: &Item) -> StoreResult<Timestamp> {
        let first = get_text(delivery, FIRST_AUTO).and_then(|id| id.parse().ok());
        let row = match first {
            Some(id) => self.get(key_schema::row(&loan.tenant, &loan.loan, id)).await?,
            None => None,
        };
        let row = readable(row.as_slice(), row_item::read).pop();
        let ended = row.and_then(|row| row.completion().map(|completion| completion.ended_at));
        Ok(ended.unwrap_or_else(self.stack().clock))
    }

    /// Says of an open delivery that its first attempt failed then; what it says already stays.
    pub(super) async fn set_failed(
        &self,
        loan: &OrderedLoan,
        sequence: u64,
        failed: Timestamp,
    ) -> StoreResult<()> {
        let update = self
            .update(loan.open_delivery(sequence))
            .update_expression("SET #failed = if_not_exists(#failed, :failed)")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#failed", FAILED)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":failed", number(failed.millis()));
        write_outcome(update.send().await).map(drop)
    }

    /// Takes a delivery away from the open ones, if it is there.
    pub(super) async fn remove_open(&self, loan: &OrderedLoan, sequence: u64) -> StoreResult<()> {
        let key = loan.open_delivery(sequence).attributes();
        let delete = self.dynamodb().delete_item().table_name(self.table()).set_key(Some(key));
        delete.send().await.map(drop).map_err(store_error)
    }
}
