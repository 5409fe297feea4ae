//! Deliveries that wait for a limit or a hold: an item each, in a partition of their subscription, the earliest due time first. Unlike the
//! indexes of the table it is read as it is at this moment.
//!
//! Who removes an item has the delivery to wake: one of several that try does. The delivery itself stays in the index of what is
//! due, by which the sweep heals what was lost between the two.

use std::future::ready;

use aws_sdk_dynamodb::types::{AttributeValue, Select};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::WaitingTurn;
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::delivery_item::NUMBER;
use crate::items::item::{Item, get_text, missing_attribute, number, parse_number};
use crate::items::key_schema::{self, EXPIRES, ItemKey, PK, SK};
use crate::items::unreadable::readable;
use crate::items::write_outcome::write_outcome;
use crate::queue::Receiver;
use crate::sdk::MAX_CONCURRENT_CALLS;
use loanhook_core::model::id::TraceId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage, StoreResult};

/// How much of a subscription is counted each minute for metrics: a page is some 8,000 deliveries.
const MAX_PAGES_FOR_METRICS: u32 = 12;

/// A delivery that waits: its next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Waiting {
    pub(super) due: Timestamp,
    pub(super) trace: TraceId,
    pub(super) number: u32,
}

impl Waiting {
    fn key(&self, of: &Receiver) -> ItemKey {
        key_schema::waiting(&of.tenant, of.subscription_id, self.due, self.trace)
    }

    /// The message that wakes it.
    pub(super) fn message(&self, of: &Receiver) -> QueueMessage {
        QueueMessage {
            tenant: of.tenant.clone(),
            trace_id: self.trace,
            subscription_id: of.subscription_id,
            due: self.due,
            work: DueWork::Attempt(self.number),
        }
    }

    fn read(item: &Item) -> StoreResult<Self> {
        let key = get_text(item, SK).and_then(key_schema::read_waiting_sk);
        let (due, trace) = key.ok_or_else(|| missing_attribute(SK))?;
        Ok(Self { due, trace, number: parse_number(item, NUMBER)? })
    }
}

impl Aws {
    /// Notes that a delivery waits; one that is noted stays so.
    pub(super) async fn put_waiting(&self, of: &Receiver, waiting: &Waiting) -> StoreResult<()> {
        let mut item = waiting.key(of).attributes();
        item.insert(NUMBER.into(), number(waiting.number));
        let expires = Timestamp::now() + self.stack().retention;
        item.insert(EXPIRES.into(), number(expires.seconds()));
        let put = self.dynamodb().put_item().table_name(self.table()).set_item(Some(item));
        put.send().await.map(drop).map_err(store_error)
    }

    /// Removes a delivery that waits. False where somebody else did.
    pub(super) async fn remove_waiting(&self, of: &Receiver, waiting: &Waiting) -> StoreResult<bool> {
        let delete = self
            .dynamodb()
            .delete_item()
            .table_name(self.table())
            .set_key(Some(waiting.key(of).attributes()))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK);
        write_outcome(delete.send().await).map(|outcome| outcome.is_done())
    }

    /// The deliveries that wait, the oldest first: so many at most.
    pub(super) async fn oldest_waiting(&self, of: &Receiver, limit: u32) -> StoreResult<Vec<Waiting>> {
        let pk = key_schema::waiting_pk(&of.tenant, of.subscription_id);
        let query = self.query_partition(&pk).limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let page = query.send().await.map_err(store_error)?;
        Ok(readable(&page.items.unwrap_or_default(), Waiting::read))
    }

    /// How many deliveries wait that are due by then; as far as so many pages of the partition show.
    pub(super) async fn count_all_waiting(
        &self,
        of: &Receiver,
        now: Timestamp,
        pages: u32,
    ) -> StoreResult<u64> {
        let pk = key_schema::waiting_pk(&of.tenant, of.subscription_id);
        let query = self
            .query_partition(&pk)
            .consistent_read(false)
            .select(Select::Count)
            .key_condition_expression("#pk = :pk AND #sk < :after")
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":after", AttributeValue::S(format!("{:015}", now.millis() + 1)));
        let (mut count, mut from) = (0, None);
        for _ in 0..pages {
            let page = query.clone().set_exclusive_start_key(from).send().await.map_err(store_error)?;
            count += u64::try_from(page.count).unwrap_or(0);
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        Ok(count)
    }

    /// How many deliveries wait for a limit, and how many for a hold, of all subscriptions. What was canceled while it waited is
    /// among them until it is woken.
    pub(crate) async fn count_waiting_for_flow(&self, now: Timestamp) -> StoreResult<(u64, u64)> {
        let turns = self.turns::<WaitingTurn>().await?;
        let counts: Vec<_> = turns.iter().map(|(turn, _)| self.count_waiting_of(turn.of(), now)).collect();
        let counts = stream::iter(counts).buffer_unordered(MAX_CONCURRENT_CALLS);
        counts
            .try_fold((0, 0), |(limit, hold), (count, is_held)| {
                ready(Ok(if is_held { (limit, hold + count) } else { (limit + count, hold) }))
            })
            .await
    }

    /// How many deliveries wait of a subscription, and whether for a hold.
    async fn count_waiting_of(&self, of: Receiver, now: Timestamp) -> StoreResult<(u64, bool)> {
        let count = self.count_all_waiting(&of, now, MAX_PAGES_FOR_METRICS).await?;
        let keeps_state = count > 0 && self.read_flow(&of).await?.keeps_state();
        let is_held = keeps_state && self.flow_state(&of).await?.state.waits_since(now).is_some();
        Ok((count, is_held))
    }

    /// Which of these deliveries are noted to wait, each by its subscription and its next attempt.
    pub(crate) async fn noted_waiting(
        &self,
        of: &[(Receiver, Timestamp, TraceId)],
    ) -> StoreResult<Vec<bool>> {
        let key = |(of, due, trace): &(Receiver, Timestamp, TraceId)| {
            key_schema::waiting(&of.tenant, of.subscription_id, *due, *trace)
        };
        let items = self.get_all(of.iter().map(key).collect(), Some(&[PK, SK])).await?;
        let is_there = |key: ItemKey| {
            items
                .iter()
                .any(|item| get_text(item, PK) == Some(&key.pk) && get_text(item, SK) == Some(&key.sk))
        };
        Ok(of.iter().map(|of| is_there(key(of))).collect())
    }
}
