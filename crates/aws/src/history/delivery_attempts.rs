//! The attempts of a delivery, read with their delivery, a range of them at a time.
//!
//! They are found by the index [`BY_TRACE`], which lags behind its table by milliseconds, and by their keys where the
//! delivery's item names them: the first automatic attempt, which the index does not have, and the newest automatic and the
//! newest manual one, which it may not show yet. Another row that the index does not show yet is found by the next read.

use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{self, Item, text};
use crate::items::key_schema::{
    self, BY_TRACE, FIRST_AUTO, ItemKey, NEWEST_AUTO, NEWEST_MANUAL, PK, SK, TRACE,
};
use crate::items::row_item;
use crate::items::unreadable::UnreadableItems;
use loanhook_core::model::attempt::{Attempt, AttemptNumber};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::progress::Progress;
use loanhook_core::ports::{AttemptRange, StoreResult};

/// What tells attempts that a delivery had when it was read from those that it has got since.
///
/// An automatic attempt that was claimed since is left out, and so is a resend beyond the delivery's count of them, where
/// the rows begin with the oldest.
struct AttemptsThen {
    /// The number of the newest automatic attempt.
    newest_number: u32,
    /// How many more resends there may be.
    resends_left: u32,
}

impl AttemptsThen {
    fn new(delivery: &Delivery, range: AttemptRange) -> Self {
        let newest_number = match &delivery.progress {
            Progress::Sending { claim, .. } | Progress::Canceling(claim) => claim.number,
            Progress::Waiting(next) => next.number.saturating_sub(1),
            Progress::Succeeded | Progress::Failed | Progress::Canceled => u32::MAX,
        };
        let from_the_oldest = range == AttemptRange::OLDEST_FIRST;
        let resends_left = if from_the_oldest { delivery.history.resends } else { u32::MAX };
        Self { newest_number, resends_left }
    }

    /// Whether this attempt was there; to be asked in their order, once for each.
    fn include(&mut self, attempt: &Attempt) -> bool {
        match attempt.number {
            AttemptNumber::Auto(number) => number <= self.newest_number,
            AttemptNumber::Manual => {
                let included = self.resends_left > 0;
                self.resends_left = self.resends_left.saturating_sub(1);
                included
            }
        }
    }
}

/// Advances a delivery whose attempt in flight is complete in its row, as if both were read at once.
pub(super) fn advance_by_rows(delivery: &mut Delivery, attempts: &[Attempt]) {
    let Some(claim) = delivery.progress.in_flight().copied() else { return };
    let row = attempts.iter().find(|attempt| attempt.number == AttemptNumber::Auto(claim.number));
    if let Some(completion) = row.and_then(Attempt::completion) {
        // Nothing changes where the claim is not under this token any more.
        let _ = delivery.complete(claim.token, completion);
    }
}

/// The keys of the rows in this range that the delivery's item names.
fn named_rows(item: &Item, delivery: &Delivery, range: AttemptRange) -> StoreResult<Vec<ItemKey>> {
    let snapshot = &delivery.snapshot;
    let names = [FIRST_AUTO, NEWEST_AUTO, NEWEST_MANUAL].into_iter().filter(|name| item.contains_key(*name));
    let ids: Vec<AttemptId> = names.map(|name| item::parse(item, name)).collect::<StoreResult<_>>()?;
    let ids = ids.into_iter().filter(|id| range.contains(*id));
    Ok(ids.map(|id| key_schema::row(&snapshot.tenant, &snapshot.loan_id, id)).collect())
}

impl Aws {
    /// The attempts of a delivery in this range that there were when it was read, as far as they have not expired: fewer
    /// than `limit` only where there are no more.
    pub(super) async fn attempts_of(
        &self,
        item: &Item,
        delivery: &Delivery,
        range: AttemptRange,
        limit: usize,
    ) -> StoreResult<Vec<Attempt>> {
        let snapshot = &delivery.snapshot;
        let pk = key_schema::trace_pk(&snapshot.tenant, snapshot.trace_id);
        let mut named = named_rows(item, delivery, range)?;
        let mut then = AttemptsThen::new(delivery, range);
        let (mut attempts, mut left_out) = (Vec::new(), UnreadableItems::default());
        let mut from = None;
        loop {
            let (mut keys, next) = self.indexed_rows(&pk, range, from, limit - attempts.len()).await?;
            let end = next.as_ref().map(|last| item::parse::<String>(last, SK)).transpose()?;
            let is_within = |key: &ItemKey| match (&end, range) {
                (None, _) => true,
                (Some(end), AttemptRange::OldestFirst { .. }) => key.sk <= *end,
                (Some(end), AttemptRange::NewestFirst { .. }) => key.sk >= *end,
            };
            let (within, beyond) = named.into_iter().partition::<Vec<_>, _>(is_within);
            named = beyond;
            for key in within {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            let items = self.get_all(keys, None).await?;
            let rows = items.iter().filter_map(|item| left_out.readable(item, row_item::read(item)));
            let mut rows: Vec<_> = rows.collect();
            range.sort(&mut rows);
            // What is left out takes no place: more is read until there are enough.
            attempts.extend(rows.into_iter().filter(|row| then.include(row)));
            if next.is_none() || attempts.len() >= limit {
                break;
            }
            from = next;
        }
        attempts.truncate(limit);
        Ok(attempts)
    }

    /// The keys of a delivery's rows that the index shows: at most `limit`, and where the next read begins.
    async fn indexed_rows(
        &self,
        pk: &str,
        range: AttemptRange,
        from: Option<Item>,
        limit: usize,
    ) -> StoreResult<(Vec<ItemKey>, Option<Item>)> {
        let query = self
            .dynamodb()
            .query()
            .table_name(self.table())
            .index_name(BY_TRACE)
            .expression_attribute_names("#trace", TRACE)
            .expression_attribute_values(":trace", text(pk))
            .set_exclusive_start_key(from)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let (newest_first, edge) = match range {
            AttemptRange::OldestFirst { after } => {
                (false, after.map(|id| ("#trace = :trace AND #sk > :edge", id)))
            }
            AttemptRange::NewestFirst { before } => {
                (true, before.map(|id| ("#trace = :trace AND #sk < :edge", id)))
            }
        };
        let query = match edge {
            None => query.key_condition_expression("#trace = :trace"),
            Some((condition, edge)) => query
                .key_condition_expression(condition)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":edge", text(edge.to_string())),
        };
        let page = query.scan_index_forward(!newest_first).send().await.map_err(store_error)?;
        let items = page.items.unwrap_or_default();
        let keys =
            items.iter().map(|item| Ok(ItemKey { pk: item::parse(item, PK)?, sk: item::parse(item, SK)? }));
        Ok((keys.collect::<StoreResult<_>>()?, page.last_evaluated_key))
    }
}
