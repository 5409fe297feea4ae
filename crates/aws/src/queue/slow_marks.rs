//! Slow marks: the receivers whose latest requests took long or failed, as all functions know them.
//!
//! A mark is an item with the time when its receiver was last seen to be slow; it holds for five minutes after that. All
//! marks are one partition, which each execution environment that chooses a queue reads at most every five seconds, with
//! eventual consistency: a stack whose receivers are healthy writes nothing and reads half a unit. What sets and removes a
//! mark is in [`super::receiver_record`].
//!
//! A mark only chooses a queue. Where marks cannot be read, the ones that were read last hold as long as they would have;
//! where one cannot be written, its receiver stays in the queue where it is.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout;
use tracing::warn;

use super::instances::Instances;
use super::receiver_record::{MarkChange, Observation, ReceiverRecord};
use super::route::{QueueKind, Receiver, queue_for};
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, get_number, get_text, number, unexpired};
use crate::items::key_schema::{self, EXPIRES, INSTANCE_SK, SEEN, SK, SLOW_MARKS_PK};
use crate::items::write_outcome::write_outcome;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage, StoreError, StoreResult};

/// How long a mark holds after its receiver was last seen to be slow.
const MARK_VALIDITY: Duration = Duration::from_secs(300);
/// How long marks that were read count as current.
const READ_VALIDITY: Duration = Duration::from_secs(5);
/// A read that takes longer is given up: no webhook waits for it.
const READ_TIMEOUT: Duration = Duration::from_secs(1);
/// A read may not yet show a mark that was written from here so short a time ago.
const READ_LAG: Duration = Duration::from_secs(10);
/// Records of receivers at most; they are forgotten all at once beyond that.
const MAX_RECORDS: usize = 10_000;

/// What an execution environment knows of receivers.
#[derive(Default)]
pub(crate) struct SlowMarks(Mutex<Known>);

#[derive(Default)]
struct Known {
    read_at: Option<Instant>,
    /// When each receiver was last seen to be slow, by its mark.
    marks: HashMap<Receiver, Timestamp>,
    /// Of receivers with a mark, and of those whose last request from here did not succeed soon.
    records: HashMap<Receiver, ReceiverRecord>,
    instances: Instances,
}

/// What is in the partition of the marks.
struct ReadMarks {
    marks: HashMap<Receiver, Timestamp>,
    announced_instances: usize,
}

impl Known {
    fn mark_in_force(&self, receiver: &Receiver, now: Timestamp) -> Option<Timestamp> {
        self.marks.get(receiver).copied().filter(|seen| now < *seen + MARK_VALIDITY)
    }
}

impl SlowMarks {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a receiver has a mark in force, as it was read last.
    pub(super) fn contains(&self, receiver: &Receiver, now: Timestamp) -> bool {
        self.known().mark_in_force(receiver, now).is_some()
    }

    /// How many receivers other than this one have a mark in force, as they were read last.
    pub(super) fn count_others(&self, receiver: &Receiver, now: Timestamp) -> usize {
        let known = self.known();
        known.marks.iter().filter(|(other, seen)| *other != receiver && now < **seen + MARK_VALIDITY).count()
    }

    /// Whether instances of the delivery function are closed to receivers, by the announcements that were read last.
    pub(super) fn has_closed_instances(&self) -> bool {
        self.known().instances.are_closed_to_some()
    }

    pub(super) fn with_instances<T>(&self, act: impl FnOnce(&mut Instances) -> T) -> T {
        act(&mut self.known().instances)
    }

    /// Whether they are to be read. Who is told so reads them: until then the ones that are known count as current.
    fn start_read(&self) -> bool {
        let mut known = self.known();
        let is_current = known.read_at.is_some_and(|read_at| read_at.elapsed() < READ_VALIDITY);
        if !is_current {
            known.read_at = Some(Instant::now());
        }
        !is_current
    }

    fn replace(&self, read: ReadMarks, now: Timestamp) {
        let mut known = self.known();
        known.instances.replace(read.announced_instances);
        let before = std::mem::replace(&mut known.marks, read.marks);
        let recent = before.into_iter().filter(|(_, seen)| now.since(*seen) < READ_LAG);
        for (receiver, seen) in recent {
            known.marks.entry(receiver).or_insert(seen);
        }
    }

    /// Adds what a request said of its receiver; gives what is to be written, and the mark that it is for.
    fn observe(
        &self,
        receiver: &Receiver,
        observation: Observation,
        now: Timestamp,
    ) -> Option<(MarkChange, Timestamp)> {
        let mut known = self.known();
        let mark = known.mark_in_force(receiver, now);
        if observation == Observation::Quick && mark.is_none() {
            known.records.remove(receiver);
            return None;
        }
        if known.records.len() >= MAX_RECORDS {
            known.records.clear();
        }
        let record = known.records.entry(receiver.clone()).or_default();
        match record.add(observation, mark, now)? {
            MarkChange::Set => {
                known.marks.insert(receiver.clone(), now);
                Some((MarkChange::Set, now))
            }
            MarkChange::Remove => known.marks.remove(receiver).map(|seen| (MarkChange::Remove, seen)),
        }
    }
}

impl Aws {
    /// The queue that a message is for. First attempts alone ask for marks: a retry is for the slow queue in any case, and a
    /// resend is passed on by the instance that receives it.
    pub(super) async fn queue_for(&self, message: &QueueMessage) -> QueueKind {
        let is_slow = if matches!(message.work, DueWork::Attempt(..=1)) {
            self.refresh_slow_marks().await;
            self.slow_marks().contains(&Receiver::of(message), (self.stack().clock)())
        } else {
            false
        };
        queue_for(&message.work, is_slow)
    }

    /// Whether the receiver of a delivery has a mark in force, as it was read last.
    pub(crate) fn has_slow_mark(&self, delivery: &Delivery, now: Timestamp) -> bool {
        let snapshot = &delivery.snapshot;
        let (tenant, subscription_id) = (snapshot.tenant.clone(), snapshot.subscription_id);
        self.slow_marks().contains(&Receiver { tenant, subscription_id }, now)
    }

    /// Reads the marks, where those that are known are not current.
    pub(crate) async fn refresh_slow_marks(&self) {
        if !self.slow_marks().start_read() {
            return;
        }
        let read = timeout(READ_TIMEOUT, self.read_slow_marks()).await;
        match read.unwrap_or(Err(StoreError::Busy)) {
            Ok(marks) => self.slow_marks().replace(marks, (self.stack().clock)()),
            Err(failure) => warn!(%failure, "slow_marks.unread"),
        }
    }

    async fn read_slow_marks(&self) -> StoreResult<ReadMarks> {
        let query = self.query_partition(SLOW_MARKS_PK).consistent_read(false);
        let items = query.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let items = items.map_err(store_error)?.into_iter().filter_map(unexpired);
        let is_instance = |item: &Item| get_text(item, SK).is_some_and(|sk| sk.starts_with(INSTANCE_SK));
        let (instances, marks): (Vec<_>, Vec<_>) = items.partition(is_instance);
        Ok(ReadMarks {
            marks: marks.iter().filter_map(read_mark).collect(),
            announced_instances: instances.len(),
        })
    }

    /// Adds what a request said of its receiver; a mark is written in the background.
    pub(super) fn observe_receiver(&self, receiver: &Receiver, observation: Observation) {
        let now = (self.stack().clock)();
        let Some((change, seen)) = self.slow_marks().observe(receiver, observation, now) else { return };
        let (engine, receiver) = (self.clone(), receiver.clone());
        self.spawn_background(async move {
            let written = match change {
                MarkChange::Set => engine.set_slow_mark(&receiver, seen).await,
                MarkChange::Remove => engine.remove_slow_mark(&receiver, seen).await,
            };
            if let Err(failure) = written {
                let Receiver { tenant, subscription_id } = receiver;
                warn!(tenant = tenant.as_str(), %subscription_id, %failure, "slow_mark.unwritten");
            }
        });
    }

    async fn set_slow_mark(&self, receiver: &Receiver, seen: Timestamp) -> StoreResult<()> {
        let mut item = key_schema::slow_mark(&receiver.tenant, receiver.subscription_id).attributes();
        item.insert(SEEN.into(), number(seen.millis()));
        item.insert(EXPIRES.into(), number((seen + MARK_VALIDITY).seconds() + 1));
        let put = self.dynamodb().put_item().table_name(self.table()).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(store_error)
    }

    /// Removes a mark, unless its receiver was seen to be slow again since `seen`.
    async fn remove_slow_mark(&self, receiver: &Receiver, seen: Timestamp) -> StoreResult<()> {
        let key = key_schema::slow_mark(&receiver.tenant, receiver.subscription_id);
        let delete = self
            .dynamodb()
            .delete_item()
            .table_name(self.table())
            .set_key(Some(key.attributes()))
            .condition_expression("#seen <= :seen")
            .expression_attribute_names("#seen", SEEN)
            .expression_attribute_values(":seen", number(seen.millis()));
        write_outcome(delete.send().await).map(|_| ())
    }
}

/// The receiver of a mark, and when it was last seen to be slow; none where the item is none of ours.
fn read_mark(item: &Item) -> Option<(Receiver, Timestamp)> {
    let (tenant, id) = get_text(item, SK)?.split_once('#')?;
    let receiver =
        Receiver { tenant: TenantId::try_from(tenant.to_owned()).ok()?, subscription_id: id.parse().ok()? };
    Some((receiver, Timestamp::from_millis(get_number(item, SEEN)?)))
}
