//! Attempts: the rows of a loan's history, and those of a delivery.

use rusqlite::params;

use super::SqliteEngine;
use super::rows::{find_attempt, find_delivery, find_progress, find_snapshot, from_json};
use super::unreadable::read_up_to;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{AttemptId, LoanId, TenantId, TraceId};
use loanhook_core::ports::{AttemptRange, Attempts, HistoryRow, StoreResult};

const ATTEMPTS: &str = "SELECT id, doc FROM attempts
     WHERE tenant = ?1 AND loan = ?2 AND id >= ?3 AND id < ?4 ORDER BY id DESC";

/// The first attempt of a delivery: the index of attempts by delivery has only later ones.
const FIRST: &str = "SELECT attempts.id, doc FROM deliveries JOIN attempts
     ON attempts.tenant = ?2 AND loan = ?3 AND attempts.id = first
     WHERE deliveries.trace = ?1 AND deliveries.tenant = ?2";
pub(super) const LATER_OLDEST_FIRST: &str = "SELECT id, doc FROM attempts
     WHERE trace = ?1 AND later = 1 AND tenant = ?2 AND id > ?3 ORDER BY id";
pub(super) const LATER_NEWEST_FIRST: &str = "SELECT id, doc FROM attempts
     WHERE trace = ?1 AND later = 1 AND tenant = ?2 AND id < ?3 ORDER BY id DESC";

impl Attempts for SqliteEngine {
    async fn rows(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<AttemptId>,
        before: Option<AttemptId>,
        limit: usize,
    ) -> StoreResult<Vec<Attempt>> {
        let range = (oldest.map(AttemptId::uuid), before.map(AttemptId::uuid));
        self.newest_first((ATTEMPTS, "attempts"), (tenant, loan), range, limit).await
    }

    async fn history_rows(&self, tenant: &TenantId, attempts: Vec<Attempt>) -> StoreResult<Vec<HistoryRow>> {
        let tenant = tenant.clone();
        self.read(move |connection| {
            let row = |attempt: Attempt| {
                let progress = find_progress(connection, &tenant, attempt.trace_id)?;
                let resends = progress.map_or(0, |progress| progress.resends);
                let snapshot = find_snapshot(connection, &tenant, attempt.trace_id)?;
                let subscription_version = snapshot.map(|snapshot| snapshot.subscription_version);
                Ok(HistoryRow { attempt, resends, subscription_version })
            };
            attempts.into_iter().map(row).collect()
        })
        .await
    }

    async fn row(&self, tenant: &TenantId, loan: &LoanId, id: AttemptId) -> StoreResult<Option<HistoryRow>> {
        let (of, loan) = (tenant.clone(), loan.clone());
        let found = self.read(move |connection| find_attempt(connection, &of, &loan, id)).await?;
        Ok(self.history_rows(tenant, found.into_iter().collect()).await?.pop())
    }

    async fn delivery(&self, tenant: &TenantId, trace: TraceId) -> StoreResult<Option<Delivery>> {
        let tenant = tenant.clone();
        self.read(move |connection| find_delivery(connection, &tenant, trace)).await
    }

    async fn delivery_with_attempts(
        &self,
        tenant: &TenantId,
        trace: TraceId,
        span: AttemptRange,
        limit: usize,
    ) -> StoreResult<Option<(Delivery, Vec<Attempt>)>> {
        let tenant = tenant.clone();
        self.read(move |connection| {
            // One transaction, so that both are read as they were at one moment.
            let snapshot = connection.unchecked_transaction()?;
            let Some(delivery) = find_delivery(&snapshot, &tenant, trace)? else { return Ok(None) };
            let of = format_args!("attempts of delivery {trace} of {tenant}").to_string();
            let (uuid, loan) = (trace.uuid(), delivery.snapshot.loan_id.as_str());
            let mut statement = snapshot.prepare_cached(FIRST)?;
            let first = statement.query(params![uuid.as_bytes(), tenant.as_str(), loan])?;
            let first: Vec<Attempt> = read_up_to(first, 1, &of, |row| from_json(row, 1))?;
            let (sql, from) = match span {
                AttemptRange::OldestFirst { after } => {
                    (LATER_OLDEST_FIRST, after.map_or([0; 16], |id| id.uuid().into_bytes()))
                }
                AttemptRange::NewestFirst { before } => {
                    (LATER_NEWEST_FIRST, before.map_or([0xff; 16], |id| id.uuid().into_bytes()))
                }
            };
            let mut statement = snapshot.prepare_cached(sql)?;
            let later = statement.query(params![uuid.as_bytes(), tenant.as_str(), from])?;
            let mut attempts: Vec<Attempt> = read_up_to(later, limit, &of, |row| from_json(row, 1))?;
            attempts.extend(first.into_iter().filter(|first| span.contains(first.id)));
            span.sort(&mut attempts);
            attempts.truncate(limit);
            Ok(Some((delivery, attempts)))
        })
        .await
    }
}
