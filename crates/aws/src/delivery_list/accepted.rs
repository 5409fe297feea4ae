//! All deliveries of a tenant, by the index of the events that they came with.
//!
//! The index has the events of a tenant by day. A day without events says nothing of the day before it, so the days are looked
//! into one after the other, down to the one in which the tenant's first subscription was created, or to the oldest that retention
//! allows; each of them is 16 queries, each of which counts as an item that was looked at.

use std::time::Duration;

use futures_util::future::try_join_all;

use super::shards::{self, Merged};
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::event_item;
use crate::items::item::{missing_attribute, parse, text};
use crate::items::key_schema::{
    ACCEPTANCE_SHARDS, ACCEPTED_DAY, AcceptanceDay, BY_ACCEPTANCE, ItemKey, PK, SK, VERSIONS_PREFIX,
    acceptance_day_pk, settings_pk, subscription_of_version,
};
use crate::items::unreadable::readable;
use loanhook_core::delivery_list::TracesOfEvents;
use loanhook_core::model::id::{EventId, TenantId};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeliveryList as _, DeliveryPart, DeliverySpan, StoreResult};

/// How far the clocks of two instances may differ.
const CLOCK_SKEW: Duration = Duration::from_secs(60);
/// How many days are looked into at once, after one that has not enough.
const DAYS_AT_ONCE: i64 = 8;
/// A part of the list ends after so many queries: those of a month.
const MAX_QUERIES: usize = 500;

/// The events that are asked for: from the first ID to before the second.
#[derive(Clone, Copy)]
struct EventRange {
    oldest: EventId,
    before: EventId,
}

/// Events of the index, the newest first.
struct IndexedEvents {
    keys: Vec<IndexedEvent>,
    /// Where there may be older ones: the time that was read to, whose millisecond may not be complete.
    read_to: Option<Timestamp>,
    queries: usize,
}

/// An event of the index: its ID, and the key of its item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct IndexedEvent {
    id: EventId,
    pk: String,
}

impl Aws {
    /// At most `limit` deliveries of a tenant, within a span.
    pub(super) async fn accepted(
        &self,
        tenant: &TenantId,
        span: &DeliverySpan,
        limit: usize,
    ) -> StoreResult<DeliveryPart> {
        let Some(created) = self.first_subscription_created_at(tenant).await? else {
            return Ok(DeliveryPart::default());
        };
        let now = (self.stack().clock)();
        let kept = EventId::first_at(created.minus(CLOCK_SKEW).max(now.minus(self.stack().retention)));
        let (oldest, before) = TracesOfEvents::bounds(span);
        let newest = EventId::first_at(now + CLOCK_SKEW);
        let range = EventRange {
            oldest: oldest.map_or(kept, |oldest| oldest.max(kept)),
            before: before.map_or(newest, |before| before.min(newest)),
        };
        if range.before <= range.oldest {
            return Ok(DeliveryPart::default());
        }
        let mut each = shards::keys_per_shard(limit, ACCEPTANCE_SHARDS);
        loop {
            let IndexedEvents { keys, read_to, queries } =
                self.events_within(tenant, range, limit, each).await?;
            let events = self.events_of_keys(&keys).await?;
            // None where all are of one millisecond: then more of them are read.
            if let Some(TracesOfEvents { traces, goes_on }) =
                TracesOfEvents::new(&events, read_to, span, limit)
            {
                let deliveries = self.deliveries_of_traces(tenant, &traces).await?;
                return Ok(DeliveryPart {
                    deliveries,
                    examined: keys.len().max(traces.len()) + queries,
                    goes_on,
                });
            }
            each *= 2;
        }
    }

    /// The newest events within a range, day by day, until there are `wanted` of them, or many days were looked into.
    async fn events_within(
        &self,
        tenant: &TenantId,
        range: EventRange,
        wanted: usize,
        each: usize,
    ) -> StoreResult<IndexedEvents> {
        let oldest_day = AcceptanceDay::of(range.oldest.time());
        let mut day = AcceptanceDay::of(range.before.time().plus_millis(-1));
        let mut found = IndexedEvents { keys: Vec::new(), read_to: None, queries: 0 };
        let mut days_at_once = 1;
        loop {
            let days: Vec<_> =
                (0..days_at_once).map(|back| day.minus(back)).take_while(|day| oldest_day <= *day).collect();
            let read = days.iter().map(|day| self.events_of_day(tenant, *day, range, each));
            let read = try_join_all(read).await?;
            found.queries += days.len() * usize::from(ACCEPTANCE_SHARDS);
            for (day, Merged { keys, read_to }) in days.iter().zip(read) {
                found.keys.extend(keys);
                // Of a day that was read to its beginning, its first millisecond is complete.
                let before_day = day.begins().plus_millis(-1);
                found.read_to =
                    read_to.map(|last| last.id.time()).or(Some(before_day).filter(|_| oldest_day < *day));
                if found.read_to != Some(before_day) || found.keys.len() >= wanted {
                    return Ok(found);
                }
            }
            if found.queries >= MAX_QUERIES {
                return Ok(found);
            }
            (day, days_at_once) = (day.minus(days_at_once), DAYS_AT_ONCE);
        }
    }

    /// When the oldest subscription was created of which a version is kept. Versions are kept as long as deliveries of them, so
    /// nothing was delivered before.
    async fn first_subscription_created_at(&self, tenant: &TenantId) -> StoreResult<Option<Timestamp>> {
        let query = self
            .query_partition(&settings_pk(tenant))
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :versions)")
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":versions", text(VERSIONS_PREFIX))
            .limit(1);
        let found = query.send().await.map_err(store_error)?.items.unwrap_or_default();
        let created = |item| {
            let sk: String = parse(item, SK)?;
            let id = subscription_of_version(&sk).ok_or_else(|| missing_attribute(SK))?;
            Ok(id.time())
        };
        found.first().map(created).transpose()
    }

    /// The newest events of a day within a range, at most so many of each shard.
    async fn events_of_day(
        &self,
        tenant: &TenantId,
        day: AcceptanceDay,
        range: EventRange,
        each: usize,
    ) -> StoreResult<Merged<IndexedEvent>> {
        // The range of a query includes both ends, and no event has the smallest ID of a time: it is of no version.
        let query = |shard| {
            self.dynamodb()
                .query()
                .table_name(self.table())
                .index_name(BY_ACCEPTANCE)
                .key_condition_expression("#day = :day AND #sk BETWEEN :oldest AND :before")
                .expression_attribute_names("#day", ACCEPTED_DAY)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":day", text(acceptance_day_pk(tenant, day, shard)))
                .expression_attribute_values(":oldest", text(range.oldest.to_string()))
                .expression_attribute_values(":before", text(range.before.to_string()))
        };
        shards::read((0..ACCEPTANCE_SHARDS).map(query), each, |item| {
            Ok(IndexedEvent { id: parse(item, SK)?, pk: parse(item, PK)? })
        })
        .await
    }

    /// Those of these events that are there and can be read.
    async fn events_of_keys(&self, keys: &[IndexedEvent]) -> StoreResult<Vec<LedgerEvent>> {
        let keys = keys.iter().map(|event| ItemKey { pk: event.pk.clone(), sk: event.id.to_string() });
        let items = self.get_all_eventually(keys.collect()).await?;
        Ok(readable(&items, event_item::read))
    }
}
