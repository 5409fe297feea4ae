//! The rows of a loan's history.

use rusqlite::{OptionalExtension as _, params};

use super::Embedded;
use super::tables::{delivery, from_json};
use crate::model::attempt::Attempt;
use crate::model::delivery::Delivery;
use crate::model::id::{AttemptId, LoanId, TenantId, TraceId};
use crate::model::progress::Progress;
use crate::ports::{Attempts, Row, Stored};

const ATTEMPTS: &str = "SELECT doc FROM attempts
     WHERE tenant = ?1 AND loan = ?2 AND id >= ?3 AND id < ?4 ORDER BY id DESC LIMIT ?5";
const PROGRESS: &str = "SELECT progress FROM deliveries WHERE trace = ?1 AND tenant = ?2";

impl Attempts for Embedded {
    async fn rows(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<AttemptId>,
        before: Option<AttemptId>,
        limit: usize,
    ) -> Stored<Vec<Attempt>> {
        let (tenant, loan) = (tenant.clone(), loan.clone());
        let oldest = oldest.map_or([0; 16], |id| id.uuid().into_bytes());
        let before = before.map_or([0xff; 16], |id| id.uuid().into_bytes());
        self.read(move |connection| {
            connection
                .prepare_cached(ATTEMPTS)?
                .query_map(params![tenant.as_str(), loan.as_str(), oldest, before, limit], |row| {
                    from_json(row, 0)
                })?
                .collect()
        })
        .await
    }

    async fn counted(&self, tenant: &TenantId, attempts: Vec<Attempt>) -> Stored<Vec<Row>> {
        let tenant = tenant.clone();
        self.read(move |connection| {
            let mut progress = connection.prepare_cached(PROGRESS)?;
            let row = |attempt: Attempt| {
                let trace = attempt.trace_id.uuid();
                let of = params![trace.as_bytes(), tenant.as_str()];
                let progress: Option<Progress> =
                    progress.query_row(of, |row| from_json(row, 0)).optional()?;
                Ok(Row { attempt, resends: progress.map_or(0, |progress| progress.resends) })
            };
            attempts.into_iter().map(row).collect()
        })
        .await
    }

    async fn row(&self, tenant: &TenantId, loan: &LoanId, id: AttemptId) -> Stored<Option<Row>> {
        let after = AttemptId::from_uuid(uuid::Uuid::from_u128(id.uuid().as_u128().saturating_add(1)));
        let found = self.rows(tenant, loan, Some(id), Some(after), 1).await?;
        Ok(self.counted(tenant, found).await?.pop())
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
