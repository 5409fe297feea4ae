//! Attempts of a delivery, a part of them at a time. They are found by the index [`BY_TRACE`], which lags by
//! milliseconds: the newest ones are also known by their delivery's item, and are read though the index does not
//! show them yet. One between those that the index does not show is found by the next read.

use super::call_errors::store_error;
use super::item::{self, Item, text};
use super::key_schema::{self, BY_TRACE, ItemKey, NEWEST_AUTO, NEWEST_MANUAL, PK, SK, TRACE};
use super::unreadable::UnreadableItems;
use super::{Aws, row_item};
use loanhook_core::model::attempt::{Attempt, AttemptNumber};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::progress::Progress;
use loanhook_core::ports::{AttemptRange, StoreResult};

/// The rows were read after the delivery, so they may be ahead of it: what began since is left out, and an
/// attempt that has ended moves the delivery on. Resends are told by their count, which is known of those from the
/// oldest on.
pub(super) fn as_of_one_moment(delivery: &mut Delivery, attempts: &mut Vec<Attempt>, span: AttemptRange) {
    let progress = &delivery.progress;
    let begun = match progress {
        Progress::Sending { claim, .. } | Progress::Canceling(claim) => claim.number,
        Progress::Waiting(next) => next.number.saturating_sub(1),
        Progress::Succeeded | Progress::Failed | Progress::Canceled => u32::MAX,
    };
    let mut resends = 0;
    attempts.retain(|attempt| match attempt.number {
        AttemptNumber::Auto(number) => number <= begun,
        AttemptNumber::Manual => {
            resends += 1;
            span != AttemptRange::OLDEST_FIRST || resends <= delivery.history.resends
        }
    });
    let Some(claim) = progress.in_flight().copied() else { return };
    let row = attempts.iter().find(|attempt| attempt.number == AttemptNumber::Auto(claim.number));
    if let Some(completion) = row.and_then(Attempt::completion) {
        // The row that its sender completed; another's token moves nothing.
        let _ = delivery.complete(claim.token, completion);
    }
}

impl Aws {
    /// Attempts of a delivery, none of which is over: fewer than `limit` only at the end.
    pub(super) async fn attempts_of(
        &self,
        item: &Item,
        delivery: &Delivery,
        span: AttemptRange,
        limit: usize,
    ) -> StoreResult<Vec<Attempt>> {
        let snapshot = &delivery.snapshot;
        let pk = key_schema::trace_pk(&snapshot.tenant, snapshot.trace_id);
        // The index may not show the newest ones yet.
        let newest = [NEWEST_AUTO, NEWEST_MANUAL].into_iter().filter(|name| item.contains_key(*name));
        let newest: Vec<AttemptId> =
            newest.map(|name| item::parse(item, name)).collect::<StoreResult<_>>()?;
        let newest = newest.into_iter().filter(|id| span.contains(*id));
        let newest: Vec<_> =
            newest.map(|id| key_schema::row(&snapshot.tenant, &snapshot.loan_id, id)).collect();
        let (mut attempts, mut left_out) = (Vec::new(), UnreadableItems::default());
        let mut read: Vec<ItemKey> = Vec::new();
        let mut from = None;
        loop {
            let (indexed, next) = self.indexed(&pk, span, from, limit - attempts.len()).await?;
            let at_newest = match span {
                AttemptRange::OldestFirst { .. } => next.is_none(),
                AttemptRange::NewestFirst { .. } => read.is_empty(),
            };
            let mut places: Vec<ItemKey> = Vec::new();
            for place in indexed.into_iter().chain(newest.iter().filter(|_| at_newest).cloned()) {
                if !read.contains(&place) && !places.contains(&place) {
                    places.push(place);
                }
            }
            let items = self.get_all(places.clone(), None).await?;
            read.extend(places);
            attempts.extend(items.iter().filter_map(|item| left_out.readable(item, row_item::read(item))));
            if next.is_none() || attempts.len() >= limit {
                break;
            }
            from = next;
        }
        span.sort(&mut attempts);
        attempts.truncate(limit);
        Ok(attempts)
    }

    /// Where rows of a delivery are, as far as the index shows: at most `limit`, and where it goes on.
    async fn indexed(
        &self,
        pk: &str,
        span: AttemptRange,
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
        let (newest_first, edge) = match span {
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
        let places =
            items.iter().map(|item| Ok(ItemKey { pk: item::parse(item, PK)?, sk: item::parse(item, SK)? }));
        Ok((places.collect::<StoreResult<_>>()?, page.last_evaluated_key))
    }
}
