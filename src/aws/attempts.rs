//! The rows of a loan's history, and the story of a delivery.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use uuid::Uuid;

use super::failure::failed;
use super::item::{Item, get_number, live, missing, text};
use super::table::{self, BY_TRACE, EXPIRES, NEWEST_AUTO, NEWEST_MANUAL, PK, Place, RESENDS, SK, TRACE};
use super::unreadable::LeftOut;
use super::{Aws, back_off, delivery_item, item, row_item};
use crate::model::attempt::{Attempt, AttemptNumber};
use crate::model::delivery::Delivery;
use crate::model::id::{AttemptId, LoanId, TenantId, TraceId};
use crate::ports::{Attempts, Row, Span, StoreError, Stored};

/// The most items DynamoDB gives at once by their keys.
const AT_ONCE: usize = 100;
const TRIES: u32 = 6;

impl Attempts for Aws {
    async fn rows(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<AttemptId>,
        before: Option<AttemptId>,
        limit: usize,
    ) -> Stored<Vec<Attempt>> {
        // Both ends are in the range: the newest is the ID before `before`.
        let newest = match before.map(|id| id.uuid().as_u128().checked_sub(1)) {
            None => Uuid::max(),
            Some(Some(id)) => Uuid::from_u128(id),
            Some(None) => return Ok(Vec::new()),
        };
        let oldest = oldest.map_or(Uuid::nil(), AttemptId::uuid);
        if oldest > newest {
            return Ok(Vec::new());
        }
        self.query_rows(&table::loan_pk(tenant, loan), oldest, newest, limit).await
    }

    async fn counted(&self, tenant: &TenantId, attempts: Vec<Attempt>) -> Stored<Vec<Row>> {
        let resends = self.resends_of(tenant, attempts.iter().map(|attempt| attempt.trace_id)).await?;
        let row = |attempt: Attempt| {
            let resends = resends.get(&attempt.trace_id).copied().unwrap_or(0);
            Row { attempt, resends }
        };
        Ok(attempts.into_iter().map(row).collect())
    }

    async fn row(&self, tenant: &TenantId, loan: &LoanId, id: AttemptId) -> Stored<Option<Row>> {
        let Some(item) = self.get(table::row(tenant, loan, id)).await? else { return Ok(None) };
        let attempt = row_item::read(&item)?;
        let resends = self.resends_of(tenant, [attempt.trace_id]).await?.into_values().next();
        Ok(Some(Row { attempt, resends: resends.unwrap_or(0) }))
    }

    async fn delivery(&self, tenant: &TenantId, trace: TraceId) -> Stored<Option<Delivery>> {
        self.delivery_item(tenant, trace).await?.as_ref().map(delivery_item::read).transpose()
    }

    async fn story(
        &self,
        tenant: &TenantId,
        trace: TraceId,
        span: Span,
        limit: usize,
    ) -> Stored<Option<(Delivery, Vec<Attempt>)>> {
        let Some(item) = self.delivery_item(tenant, trace).await? else { return Ok(None) };
        let mut delivery = delivery_item::read(&item)?;
        let mut attempts = self.attempts_of(&item, &delivery, span, limit).await?;
        as_of_one_moment(&mut delivery, &mut attempts, span);
        Ok(Some((delivery, attempts)))
    }
}

/// The rows were read after the delivery, so they may be ahead of it: what began since is left out, and an
/// attempt that has ended moves the delivery on. Resends are told by their count, which is known of those from the
/// oldest on.
fn as_of_one_moment(delivery: &mut Delivery, attempts: &mut Vec<Attempt>, span: Span) {
    let progress = &delivery.progress;
    let begun = match (&progress.in_flight, progress.next) {
        (Some(flight), _) => flight.number,
        (None, Some(next)) => next.number.saturating_sub(1),
        (None, None) => u32::MAX,
    };
    let mut resends = 0;
    attempts.retain(|attempt| match attempt.number {
        AttemptNumber::Auto(number) => number <= begun,
        AttemptNumber::Manual => {
            resends += 1;
            span != Span::OLDEST_FIRST || resends <= progress.resends
        }
    });
    let Some(flight) = progress.in_flight.clone() else { return };
    let row = attempts.iter().find(|attempt| attempt.number == AttemptNumber::Auto(flight.number));
    if let Some(completion) = row.and_then(Attempt::completion) {
        // The row that its sender completed; another's token moves nothing.
        delivery.settle(flight.token, completion);
    }
}

impl Aws {
    /// Rows of a partition, the newest first, none of which is over: fewer than `limit` only at the end.
    async fn query_rows(&self, pk: &str, oldest: Uuid, newest: Uuid, limit: usize) -> Stored<Vec<Attempt>> {
        let (mut rows, mut left_out) = (Vec::new(), LeftOut::default());
        let mut from = None;
        loop {
            let left = i32::try_from(limit - rows.len()).unwrap_or(i32::MAX);
            let page = self
                .dynamodb()
                .query()
                .table_name(self.table())
                .consistent_read(true)
                .scan_index_forward(false)
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :oldest AND :newest")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":pk", text(pk))
                .expression_attribute_values(":oldest", text(oldest.to_string()))
                .expression_attribute_values(":newest", text(newest.to_string()))
                .set_exclusive_start_key(from)
                .limit(left)
                .send()
                .await
                .map_err(failed)?;
            let items = page.items.unwrap_or_default().into_iter().filter_map(live);
            rows.extend(items.filter_map(|item| left_out.unless_read(&item, row_item::read(&item))));
            from = page.last_evaluated_key;
            if from.is_none() || rows.len() == limit {
                return Ok(rows);
            }
        }
    }

    /// Attempts of a delivery, none of which is over: fewer than `limit` only at the end.
    async fn attempts_of(
        &self,
        item: &Item,
        delivery: &Delivery,
        span: Span,
        limit: usize,
    ) -> Stored<Vec<Attempt>> {
        let frozen = &delivery.frozen;
        let pk = table::trace_pk(&frozen.tenant, frozen.trace_id);
        // The index may not show the newest ones yet.
        let newest = [NEWEST_AUTO, NEWEST_MANUAL].into_iter().filter(|name| item.contains_key(*name));
        let newest: Vec<AttemptId> = newest.map(|name| item::parse(item, name)).collect::<Stored<_>>()?;
        let newest = newest.into_iter().filter(|id| span.contains(*id));
        let newest: Vec<_> = newest.map(|id| table::row(&frozen.tenant, &frozen.loan_id, id)).collect();
        let (mut attempts, mut left_out) = (Vec::new(), LeftOut::default());
        let mut read: Vec<Place> = Vec::new();
        let mut from = None;
        loop {
            let (indexed, next) = self.indexed(&pk, span, from, limit - attempts.len()).await?;
            let at_newest = match span {
                Span::OldestFirst { .. } => next.is_none(),
                Span::NewestFirst { .. } => read.is_empty(),
            };
            let mut places: Vec<Place> = Vec::new();
            for place in indexed.into_iter().chain(newest.iter().filter(|_| at_newest).cloned()) {
                if !read.contains(&place) && !places.contains(&place) {
                    places.push(place);
                }
            }
            let items = self.get_all(places.clone(), None).await?;
            read.extend(places);
            attempts.extend(items.iter().filter_map(|item| left_out.unless_read(item, row_item::read(item))));
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
        span: Span,
        from: Option<Item>,
        limit: usize,
    ) -> Stored<(Vec<Place>, Option<Item>)> {
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
            Span::OldestFirst { after } => (false, after.map(|id| ("#trace = :trace AND #sk > :edge", id))),
            Span::NewestFirst { before } => (true, before.map(|id| ("#trace = :trace AND #sk < :edge", id))),
        };
        let query = match edge {
            None => query.key_condition_expression("#trace = :trace"),
            Some((condition, edge)) => query
                .key_condition_expression(condition)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":edge", text(edge.to_string())),
        };
        let page = query.scan_index_forward(!newest_first).send().await.map_err(failed)?;
        let items = page.items.unwrap_or_default();
        let places =
            items.iter().map(|item| Ok(Place { pk: item::parse(item, PK)?, sk: item::parse(item, SK)? }));
        Ok((places.collect::<Stored<_>>()?, page.last_evaluated_key))
    }

    /// How often each of these deliveries was resent.
    async fn resends_of(
        &self,
        tenant: &TenantId,
        traces: impl IntoIterator<Item = TraceId>,
    ) -> Stored<HashMap<TraceId, u32>> {
        let traces: HashSet<TraceId> = traces.into_iter().collect();
        let by_pk: HashMap<_, _> =
            traces.into_iter().map(|trace| (table::trace_pk(tenant, trace), trace)).collect();
        let places = by_pk.values().map(|trace| table::delivery(tenant, *trace)).collect();
        let items = self.get_all(places, Some(&[PK, RESENDS, EXPIRES])).await?;
        let resends = items.iter().filter_map(|item| {
            let trace = by_pk.get(item::get_text(item, PK)?)?;
            Some((*trace, get_number(item, RESENDS).unwrap_or(0)))
        });
        Ok(resends.collect())
    }

    /// The items at these places, as they are now, those that there are; in no order.
    async fn get_all(&self, places: Vec<Place>, only: Option<&[&str]>) -> Stored<Vec<Item>> {
        let mut items = Vec::with_capacity(places.len());
        for places in places.chunks(AT_ONCE) {
            let mut request = KeysAndAttributes::builder().consistent_read(true);
            for place in places {
                request = request.keys(place.clone().key());
            }
            for (i, name) in only.unwrap_or_default().iter().enumerate() {
                request = request.expression_attribute_names(format!("#a{i}"), *name);
            }
            if let Some(only) = only {
                let names: Vec<_> = (0..only.len()).map(|i| format!("#a{i}")).collect();
                request = request.projection_expression(names.join(", "));
            }
            let request = request.build().map_err(|error| StoreError::Failed(error.to_string().into()))?;
            self.get_batch(request, &mut items).await?;
        }
        Ok(items)
    }

    /// What one call leaves is asked for again.
    async fn get_batch(&self, request: KeysAndAttributes, items: &mut Vec<Item>) -> Stored<()> {
        let mut left = Some(request);
        for tries in 0..TRIES {
            let Some(request) = left.take() else { return Ok(()) };
            let call = self.dynamodb().batch_get_item().request_items(self.table(), request);
            let got = call.send().await.map_err(failed)?;
            let found = got.responses.ok_or_else(|| missing("responses"))?.remove(self.table());
            items.extend(found.unwrap_or_default().into_iter().filter_map(live));
            left = got.unprocessed_keys.and_then(|mut keys| keys.remove(self.table()));
            if left.is_some() {
                back_off(tries).await;
            }
        }
        if left.is_some() { Err(StoreError::Busy) } else { Ok(()) }
    }
}
