//! Report: the rows of counts of a tenant, read and added up.

use rusqlite::params;
use uuid::Uuid;

use super::rows::{counts_column, period_column};
use crate::SqliteEngine;
use crate::unreadable::read_all;
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::report::{ReportQuery, ReportRows};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Reports, StoreResult};

pub(super) const SPAN: &str = "SELECT start, subscription, event, doc FROM counts
     WHERE tenant = ?1 AND period = ?2 AND start >= ?3 AND start < ?4";

impl Reports for SqliteEngine {
    async fn report_rows(&self, tenant: &TenantId, query: ReportQuery) -> StoreResult<ReportRows> {
        let tenant = tenant.clone();
        let mut report = ReportRows::new(query, self.0.counts.counting().counted_since());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(SPAN)?;
            let span =
                params![tenant.as_str(), period_column(query.by), query.from.millis(), query.to.millis()];
            let of = format_args!("counts of {tenant}").to_string();
            read_all(statement.query(span)?, &of, |row| {
                let start = Timestamp::from_millis(row.get(0)?);
                let subscription = Uuid::from_slice(row.get_ref(1)?.as_blob()?).ok();
                let subscription = subscription.map(SubscriptionId::from_uuid);
                report.add(start, subscription, row.get_ref(2)?.as_str()?, &counts_column(row, 3)?);
                Ok(())
            })?;
            Ok(report)
        })
        .await
    }
}
