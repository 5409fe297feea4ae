//! The rows of a loan's history.

use rusqlite::params;

use super::Embedded;
use super::tables::{delivery, from_json};
use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;
use crate::model::id::{AttemptId, LoanId, TenantId, TraceId};
use crate::model::progress::Progress;
use crate::ports::{Attempts, Row, Stored};

/// Rows of a loan with what their deliveries say now.
const ROWS: &str = "SELECT attempts.doc, deliveries.progress FROM attempts
     JOIN deliveries ON deliveries.trace = attempts.trace
     WHERE attempts.tenant = ?1 AND attempts.loan = ?2 AND attempts.id >= ?3 AND attempts.id < ?4
     ORDER BY attempts.id DESC LIMIT ?5";

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let progress: Progress = from_json(row, 1)?;
    Ok(Row { attempt: from_json(row, 0)?, resends: progress.resends })
}

impl Attempts for Embedded {
    async fn rows(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<AttemptId>,
        before: Option<AttemptId>,
        limit: usize,
    ) -> Stored<Vec<Row>> {
        let (tenant, loan) = (tenant.clone(), loan.clone());
        let oldest = oldest.map_or([0; 16], |id| id.uuid().into_bytes());
        let before = before.map_or([0xff; 16], |id| id.uuid().into_bytes());
        self.read(move |connection| {
            connection
                .prepare_cached(ROWS)?
                .query_map(params![tenant.as_str(), loan.as_str(), oldest, before, limit], row)?
                .collect()
        })
        .await
    }

    async fn row(&self, tenant: &TenantId, loan: &LoanId, id: AttemptId) -> Stored<Option<Row>> {
        let after = AttemptId::from_uuid(uuid::Uuid::from_u128(id.uuid().as_u128().saturating_add(1)));
        Ok(self.rows(tenant, loan, Some(id), Some(after), 1).await?.pop())
    }

    async fn delivery(&self, tenant: &TenantId, trace: TraceId) -> Stored<Option<Delivery>> {
        let tenant = tenant.clone();
        self.read(move |connection| delivery(connection, &tenant, trace)).await
    }

    async fn story(&self, tenant: &TenantId, trace: TraceId) -> Stored<Option<(Delivery, Vec<Attempt>)>> {
        let tenant = tenant.clone();
        self.read(move |connection| {
            // One transaction, so that both are read as they were at one moment.
            let moment = connection.unchecked_transaction()?;
            let Some(delivery) = delivery(&moment, &tenant, trace)? else { return Ok(None) };
            let attempts = moment
                .prepare_cached("SELECT doc FROM attempts WHERE trace = ?1 AND tenant = ?2 ORDER BY id")?
                .query_map(params![trace.uuid().as_bytes(), tenant.as_str()], |row| from_json(row, 0))?
                .collect::<Result<_, _>>()?;
            Ok(Some((delivery, attempts)))
        })
        .await
    }
}
