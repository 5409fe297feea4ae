//! Report: the rows of counts of a tenant and the changes that are not folded yet, read and added up.

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::changes;
use super::rows::{counts_column, period_column};
use crate::SqliteEngine;
use crate::unreadable::read_all;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::report::{CountChange, CountGroup, Counting, ReportQuery, ReportRows};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Reports, StoreResult};

pub(super) const SPAN: &str = "SELECT start, subscription, event, doc FROM counts
     WHERE tenant = ?1 AND period = ?2 AND start >= ?3 AND start < ?4";

impl Reports for SqliteEngine {
    async fn report_rows(&self, tenant: &TenantId, query: ReportQuery) -> StoreResult<ReportRows> {
        let (tenant, counting) = (tenant.clone(), self.0.counts.counting());
        self.read(move |connection| read(connection, &tenant, query, counting)).await
    }
}

/// Reads a report.
pub(super) fn read(
    connection: &Connection,
    tenant: &TenantId,
    query: ReportQuery,
    counting: Counting,
) -> rusqlite::Result<ReportRows> {
    let mut report = ReportRows::new(query, counting.counted_since());
    // Both are read as they were at one moment: between two reads, changes might become part of rows.
    let snapshot = connection.unchecked_transaction()?;
    let mut statement = snapshot.prepare_cached(SPAN)?;
    let span = params![tenant.as_str(), period_column(query.by), query.from.millis(), query.to.millis()];
    let of = format_args!("counts of {tenant}").to_string();
    read_all(statement.query(span)?, &of, |row| {
        let start = Timestamp::from_millis(row.get(0)?);
        let subscription = Uuid::from_slice(row.get_ref(1)?.as_blob()?).ok();
        let subscription = subscription.map(SubscriptionId::from_uuid);
        report.add(start, subscription, row.get_ref(2)?.as_str()?, &counts_column(row, 3)?);
        Ok(())
    })?;
    changes::for_each(&snapshot, |CountChange { group, counts }| {
        let CountGroup { tenant: of, hour, subscription, event_name } = group;
        if of == *tenant {
            // At the beginning of its period, as rows are.
            report.add(query.by.beginning(hour), subscription, &event_name, &counts);
        }
    })?;
    Ok(report)
}
