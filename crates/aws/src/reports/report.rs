//! Report: the counts of a tenant, read and added up.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::checkpoints::{counting, counting_key};
use super::count_item::{self, partition, sort_prefix};
use crate::engine::Aws;
use crate::items::call_errors::store_error;
use crate::items::item::{Item, text};
use crate::items::key_schema::{PK, SK};
use crate::items::unreadable::readable;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::ledger::LedgerScope;
use loanhook_core::model::report::{Counting, Period, ReportQuery, ReportRows};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Reports, StoreResult};

/// How many partitions are read at once.
const CONCURRENT_QUERIES: usize = 8;
const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

impl Reports for Aws {
    async fn report_rows(&self, tenant: &TenantId, query: ReportQuery) -> StoreResult<ReportRows> {
        let mut rows = ReportRows::new(query, self.counted_since().await?);
        rows.events_are_counted = self.stack().event_ledger == LedgerScope::All;
        let reads = partitions(tenant, &query).into_iter().map(|pk| self.counts_in(pk, query));
        let mut reads = stream::iter(reads.collect::<Vec<_>>()).buffered(CONCURRENT_QUERIES);
        while let Some(items) = reads.try_next().await? {
            for (start, subscription, event, counts) in readable(&items, count_item::read) {
                rows.add(start, subscription, &event, &counts);
            }
        }
        drop(reads);
        Ok(rows)
    }
}

/// The partitions that a report reads.
fn partitions(tenant: &TenantId, query: &ReportQuery) -> Vec<String> {
    let days = std::iter::successors(Some(Period::Day.beginning(query.from)), |day| Some(*day + DAY));
    let mut partitions: Vec<_> =
        days.take_while(|day| *day < query.to).map(|day| partition(tenant, query.by, day)).collect();
    partitions.dedup();
    partitions
}

impl Aws {
    /// Since when is counted: from now on at best before the first run; none where everything is.
    async fn counted_since(&self) -> StoreResult<Option<Timestamp>> {
        let get = self.dynamodb().get_item().table_name(&self.stack().reports);
        let got = get.set_key(Some(counting_key().attributes())).send().await.map_err(store_error)?;
        let before_first_run = || Counting::since((self.stack().clock)());
        Ok(got.item.as_ref().map_or_else(before_first_run, counting).counted_since())
    }

    /// The items of a partition that are of the report.
    async fn counts_in(&self, pk: String, query: ReportQuery) -> StoreResult<Vec<Item>> {
        // A range includes both ends; the sort keys of `to` are longer than their prefix, and so not in it.
        let query = self
            .dynamodb()
            .query()
            .table_name(&self.stack().reports)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", text(&pk))
            .expression_attribute_values(":from", text(sort_prefix(query.from)))
            .expression_attribute_values(":to", text(sort_prefix(query.to)));
        self.query_all(query).await
    }
}
