//! Intake of a delivery whose subscription keeps an order: its number, and whether it waits.
//!
//! One transaction moves the counter of the loan on, on condition that it is as it was read, writes the delivery with the number, and
//! puts it among the open ones. So there is no number without a delivery, and a call that is repeated finds its delivery as it is.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::TransactWriteItem;

use super::turn::{Before, Turn};
use crate::due_index::{Bucket, bucket_of_waiting_loan};
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, get_number, get_text, number, text};
use crate::items::key_schema::{self, DUE_BUCKET, LAST, NEWEST_AUTO, ONLY_SK, OrderedLoan, PK, SEQUENCE, SK};
use crate::items::open_delivery_item::{self, OpenDelivery};
use crate::items::transaction::{Refusal, TransactionOutcome, TransactionPart as _};
use loanhook_core::model::id::TraceId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{QueueMessage, StoreError, StoreResult};

/// How often a delivery is given a number because another one of its loan took it: each time one more is numbered.
const MAX_TRIES: u32 = 64;

/// What became of a delivery that was to be numbered.
pub(crate) enum Numbering {
    /// It has a number. With the message of its first attempt, where its turn is known.
    Numbered(Option<QueueMessage>),
    /// It was there already, or is not there; as it is.
    Refused(Option<Item>),
}

/// What was read of a loan before a number is given.
struct Counted {
    counter: Option<Item>,
    /// Whether a delivery of it may be open.
    has_open: bool,
}

impl Counted {
    fn last(&self) -> u64 {
        self.counter.as_ref().and_then(|counter| get_number(counter, LAST)).unwrap_or(0)
    }
}

impl Aws {
    /// Numbers a delivery that is not there yet: `item` is put, with its number and, where its first attempt may begin, its bucket.
    pub(crate) async fn put_numbered(
        &self,
        loan: &OrderedLoan,
        first: &QueueMessage,
        item: &Item,
    ) -> StoreResult<Numbering> {
        self.number(loan, first, |sequence, bucket| {
            let mut item = item.clone();
            item.insert(SEQUENCE.into(), number(sequence));
            if let Some(bucket) = bucket {
                item.insert(DUE_BUCKET.into(), text(bucket.to_string()));
            }
            self.put_if_absent(item).part()
        })
        .await
    }

    /// Numbers a delivery that was put without a number, as it was not decided yet whether it is sent.
    pub(crate) async fn number_stored(
        &self,
        loan: &OrderedLoan,
        first: &QueueMessage,
    ) -> StoreResult<Numbering> {
        self.number(loan, first, |sequence, bucket| {
            let set = match bucket {
                Some(_) => "SET #sequence = :sequence, #bucket = :bucket",
                None => "SET #sequence = :sequence",
            };
            let update = self
                .update_part(key_schema::delivery(&first.tenant, first.trace_id))
                .update_expression(set)
                .condition_expression(
                    "attribute_exists(#pk) AND attribute_not_exists(#sequence) AND attribute_not_exists(#bucket) \
                     AND attribute_not_exists(#newest)",
                )
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#sequence", SEQUENCE)
                .expression_attribute_names("#bucket", DUE_BUCKET)
                .expression_attribute_names("#newest", NEWEST_AUTO)
                .expression_attribute_values(":sequence", number(sequence))
                .return_values_on_condition_check_failure(AllOld);
            match bucket {
                Some(bucket) => {
                    update.expression_attribute_values(":bucket", text(bucket.to_string())).part()
                }
                None => update.part(),
            }
        })
        .await
    }

    /// Gives the next number to a delivery, which `write` writes with it, and with its bucket where nothing is before it.
    async fn number(
        &self,
        loan: &OrderedLoan,
        first: &QueueMessage,
        write: impl Fn(u64, Option<Bucket>) -> StoreResult<TransactWriteItem>,
    ) -> StoreResult<Numbering> {
        let now = (self.stack().clock)();
        let mut counted = self.counted(loan).await?;
        for _ in 0..MAX_TRIES {
            let sequence = counted.last() + 1;
            let bucket = (!counted.has_open).then(|| Bucket::of(first.due, now, first.trace_id));
            let expires = Timestamp::now() + self.stack().retention;
            let (trace, due) = (first.trace_id, first.due);
            let open = OpenDelivery { sequence, trace, due, failed: None, expires };
            let parts = vec![
                self.move_counter(loan, &counted, trace, now)?,
                write(sequence, bucket)?,
                self.put_if_absent(open_delivery_item::new(loan, open)).part()?,
            ];
            let mut refusals = match self.transact(parts).await? {
                TransactionOutcome::Done if counted.has_open => {
                    return self.message_in_turn(loan, sequence, first).await.map(Numbering::Numbered);
                }
                // None can come before it any more.
                TransactionOutcome::Done => return Ok(Numbering::Numbered(Some(first.clone()))),
                TransactionOutcome::Refused(refusals) => refusals.into_iter(),
            };
            let (counter, delivery) = (refusals.next(), refusals.next());
            if let Some(Refusal::Condition(item)) = delivery {
                return Ok(Numbering::Refused(item));
            }
            counted = match counter {
                Some(Refusal::Condition(Some(counter))) => Counted { counter: Some(counter), has_open: true },
                _ => self.counted(loan).await?,
            };
        }
        Err(StoreError::Busy)
    }

    /// The message of the first attempt of a delivery that has a number, for when it may begin; none where that is not known. An order
    /// is kept, as intake knows.
    pub(crate) async fn message_in_turn(
        &self,
        loan: &OrderedLoan,
        sequence: u64,
        first: &QueueMessage,
    ) -> StoreResult<Option<QueueMessage>> {
        let before = self.open_before(loan, sequence).await?;
        let turn = match before {
            Before::Nothing => Turn::Now,
            Before::Unfailed => Turn::Unknown,
            Before::Failed(_) => before.turn(self.newest_flow(&loan.tenant, loan.subscription).await?),
        };
        Ok(match turn {
            Turn::Now => Some(first.clone()),
            Turn::At(time) => Some(QueueMessage { due: first.due.max(time), ..first.clone() }),
            Turn::Unknown => None,
        })
    }

    async fn counted(&self, loan: &OrderedLoan) -> StoreResult<Counted> {
        // The counter and the first open delivery.
        let read = self.query_partition(&loan.pk()).limit(2).send().await.map_err(store_error)?;
        let items = read.items.unwrap_or_default();
        let (counters, open): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| get_text(item, SK) == Some(ONLY_SK));
        Ok(Counted { counter: counters.into_iter().next(), has_open: !open.is_empty() })
    }

    /// The update that moves the counter to its next number. Where the delivery of that may have to wait, the loan is looked at from
    /// then on.
    fn move_counter(
        &self,
        loan: &OrderedLoan,
        counted: &Counted,
        trace: TraceId,
        now: Timestamp,
    ) -> StoreResult<TransactWriteItem> {
        let last = counted.last();
        let waits = counted.has_open.then(|| bucket_of_waiting_loan(counted.counter.as_ref(), trace, now));
        let update = self
            .update_part(loan.counter())
            .expression_attribute_names("#last", LAST)
            .expression_attribute_values(":last", number(last))
            .expression_attribute_values(":next", number(last + 1))
            .return_values_on_condition_check_failure(AllOld)
            .condition_expression(match last {
                0 => "attribute_not_exists(#last) OR #last = :last",
                _ => "#last = :last",
            });
        match waits.flatten() {
            Some(bucket) => update
                .update_expression("SET #last = :next, #bucket = :bucket")
                .expression_attribute_names("#bucket", DUE_BUCKET)
                .expression_attribute_values(":bucket", text(bucket.to_string())),
            None => update.update_expression("SET #last = :next"),
        }
        .part()
    }

    /// Deletes a delivery of an event that is not accepted. One with a number is deleted with it, if that is the last one still: else
    /// there would be a gap.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] where it stays, and is sent.
    pub(crate) async fn take_back(&self, loan: &OrderedLoan, trace: TraceId) -> StoreResult<()> {
        let Some(item) = self.delivery_item(&loan.tenant, trace).await? else { return Ok(()) };
        let delivery = self
            .delete_part(key_schema::delivery(&loan.tenant, trace))
            .condition_expression("attribute_not_exists(#newest)")
            .expression_attribute_names("#newest", NEWEST_AUTO);
        let mut parts = vec![delivery.part()?];
        if let Some(sequence) = get_number::<u64>(&item, SEQUENCE) {
            let counter = self
                .update_part(loan.counter())
                .update_expression("SET #last = :before")
                .condition_expression("#last = :last")
                .expression_attribute_names("#last", LAST)
                .expression_attribute_values(":last", number(sequence))
                .expression_attribute_values(":before", number(sequence.saturating_sub(1)));
            parts.push(counter.part()?);
            parts.push(self.delete_part(loan.open_delivery(sequence)).part()?);
        }
        match self.transact(parts).await?.is_done() {
            true => Ok(()),
            false => Err(StoreError::Busy),
        }
    }
}
