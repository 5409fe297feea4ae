//! History: rows, deliveries and payloads as they are read.

use bytes::Bytes;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::id::{AttemptId, LoanId, TenantId, TraceId};
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::ports::{AttemptRange, Attempts, HistoryRow, Payloads, StoreResult};

use super::step::{Operation, StepKind};
use super::{Memory, State};

impl State {
    /// The rows of a tenant that can be read, the oldest first.
    pub fn rows_of<'a>(
        &'a self,
        tenant: &'a TenantId,
    ) -> impl DoubleEndedIterator<Item = &'a Attempt> + use<'a> {
        self.rows.iter().filter(move |((of, _), _)| of == tenant).filter_map(|(_, row)| row.readable())
    }

    fn history_row(&self, attempt: Attempt) -> HistoryRow {
        let delivery = self.delivery(&attempt.tenant, attempt.trace_id);
        match delivery {
            Some(delivery) => HistoryRow::new(attempt, delivery),
            None => HistoryRow { attempt, resends: 0, subscription_version: None },
        }
    }
}

impl Memory {
    async fn read<T: Send>(&self, read: impl FnOnce(&mut State) -> StoreResult<T> + Send) -> StoreResult<T> {
        self.once(Operation::ReadHistory, StepKind::Read, read).await
    }
}

impl Attempts for Memory {
    async fn rows(
        &self,
        tenant: &TenantId,
        loan: &LoanId,
        oldest: Option<AttemptId>,
        before: Option<AttemptId>,
        limit: usize,
    ) -> StoreResult<Vec<Attempt>> {
        let asked = |row: &&Attempt| {
            row.loan_id == *loan
                && oldest.is_none_or(|oldest| oldest <= row.id)
                && before.is_none_or(|before| row.id < before)
        };
        self.read(|state| Ok(state.rows_of(tenant).rev().filter(asked).take(limit).cloned().collect())).await
    }

    async fn history_rows(&self, tenant: &TenantId, attempts: Vec<Attempt>) -> StoreResult<Vec<HistoryRow>> {
        let own = attempts.into_iter().filter(|attempt| attempt.tenant == *tenant);
        self.read(|state| Ok(own.map(|attempt| state.history_row(attempt)).collect())).await
    }

    async fn row(&self, tenant: &TenantId, loan: &LoanId, id: AttemptId) -> StoreResult<Option<HistoryRow>> {
        self.read(|state| {
            let row = state.row(tenant, loan, id).map(|row| row.read().cloned()).transpose()?;
            Ok(row.map(|row| state.history_row(row)))
        })
        .await
    }

    async fn delivery(&self, tenant: &TenantId, trace: TraceId) -> StoreResult<Option<Delivery>> {
        self.read(|state| Ok(state.delivery(tenant, trace).cloned())).await
    }

    async fn delivery_with_attempts(
        &self,
        tenant: &TenantId,
        trace: TraceId,
        span: AttemptRange,
        limit: usize,
    ) -> StoreResult<Option<(Delivery, Vec<Attempt>)>> {
        self.read(|state| {
            let Some(delivery) = state.delivery(tenant, trace).cloned() else { return Ok(None) };
            let asked = |row: &&Attempt| row.trace_id == trace && span.contains(row.id);
            let mut attempts: Vec<_> = state.rows_of(tenant).filter(asked).cloned().collect();
            span.sort(&mut attempts);
            attempts.truncate(limit);
            Ok(Some((delivery, attempts)))
        })
        .await
    }
}

impl Payloads for Memory {
    async fn payload(&self, tenant: &TenantId, key: PayloadKey) -> StoreResult<Option<Bytes>> {
        let key = (tenant.clone(), key);
        self.once(Operation::ReadPayload, StepKind::Read, |state| Ok(state.payloads.get(&key).cloned())).await
    }
}
