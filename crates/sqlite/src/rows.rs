//! Rows of deliveries and attempts as values of the model, and back; and what a column holds.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::SqliteEngine;
use super::stored_progress::StoredProgress;
use super::unreadable::{none_if_unreadable, read_up_to};
use loanhook_core::model::attempt::{Attempt, AttemptNumber, AttemptState};
use loanhook_core::model::delivery::{Delivery, DeliverySnapshot};
use loanhook_core::model::id::{AttemptId, LoanId, TenantId, TraceId};
use loanhook_core::model::progress::{Progress, Status};
use loanhook_core::ports::StoreResult;
use loanhook_stored::Document;

/// The number of the first attempt.
const FIRST_ATTEMPT_NUMBER: u32 = 1;

/// A document as JSON for a column.
pub(super) fn to_json(document: &impl Document) -> rusqlite::Result<String> {
    loanhook_stored::write(document).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// The document that a column has as JSON.
pub(super) fn from_json<T: Document>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    loanhook_stored::read(row.get_ref(column)?.as_str()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))
}

/// The UUID in a column.
pub(super) fn uuid_column(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    row.get(column).map(Uuid::from_bytes)
}

/// The value of a text in a column, of a type that checks it.
pub(super) fn text_column<T: TryFrom<String, Error = String>>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    T::try_from(row.get(column)?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))
}

/// The loan in a column, or what stands for that of operational events.
pub(super) fn loan_column(row: &Row<'_>, column: usize) -> rusqlite::Result<LoanId> {
    LoanId::stored(row.get(column)?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))
}

/// The delivery of a trace, if it is the tenant's.
pub(super) fn find_delivery(
    connection: &Connection,
    tenant: &TenantId,
    trace: TraceId,
) -> rusqlite::Result<Option<Delivery>> {
    connection
        .prepare_cached("SELECT frozen, progress FROM deliveries WHERE trace = ?1 AND tenant = ?2")?
        .query_row(params![trace.uuid().as_bytes(), tenant.as_str()], |row| delivery_columns(row, 0, 1))
        .optional()
}

/// A delivery by the columns that have `frozen` and `progress`.
pub(super) fn delivery_columns(row: &Row<'_>, frozen: usize, progress: usize) -> rusqlite::Result<Delivery> {
    let stored: StoredProgress = from_json(row, progress)?;
    let (progress, history) = stored
        .read()
        .map_err(|fault| rusqlite::Error::FromSqlConversionFailure(progress, Type::Text, fault.into()))?;
    Ok(Delivery { snapshot: from_json(row, frozen)?, progress, history })
}

impl SqliteEngine {
    /// The documents of a loan with IDs from `oldest` to before `before`, the newest first, as far as they can be read: at most
    /// `limit`, and fewer only where there are no more. `sql` selects ID and document by tenant, loan and both ends, without a
    /// LIMIT: rows are read one by one until enough of them could be read. `what` names them, for the log.
    pub(super) async fn newest_first<T: Document + Send>(
        &self,
        (sql, what): (&'static str, &'static str),
        (tenant, loan): (&TenantId, &LoanId),
        (oldest, before): (Option<Uuid>, Option<Uuid>),
        limit: usize,
    ) -> StoreResult<Vec<T>> {
        let (tenant, loan) = (tenant.clone(), loan.clone());
        let oldest = oldest.map_or([0; 16], Uuid::into_bytes);
        let before = before.map_or([0xff; 16], Uuid::into_bytes);
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query(params![tenant.as_str(), loan.as_str(), oldest, before])?;
            let of = format_args!("{what} of loan {loan} of {tenant}").to_string();
            read_up_to(rows, limit, &of, |row| from_json(row, 1))
        })
        .await
    }
}

/// What changes of a delivery, if it is the tenant's and can be read.
pub(super) fn find_progress(
    connection: &Connection,
    tenant: &TenantId,
    trace: TraceId,
) -> rusqlite::Result<Option<StoredProgress>> {
    let found = connection
        .prepare_cached("SELECT progress FROM deliveries WHERE trace = ?1 AND tenant = ?2")?
        .query_row(params![trace.uuid().as_bytes(), tenant.as_str()], |row| from_json(row, 0))
        .optional();
    none_if_unreadable(found, &format_args!("delivery {trace} of {tenant}"))
}

/// What never changes of a delivery, if it is the tenant's and can be read.
pub(super) fn find_snapshot(
    connection: &Connection,
    tenant: &TenantId,
    trace: TraceId,
) -> rusqlite::Result<Option<DeliverySnapshot>> {
    let found = connection
        .prepare_cached("SELECT frozen FROM deliveries WHERE trace = ?1 AND tenant = ?2")?
        .query_row(params![trace.uuid().as_bytes(), tenant.as_str()], |row| from_json(row, 0))
        .optional();
    none_if_unreadable(found, &format_args!("snapshot of delivery {trace} of {tenant}"))
}

/// The column `progress` of a delivery: all that changes of it.
pub(super) fn progress_json(delivery: &Delivery) -> rusqlite::Result<String> {
    to_json(&StoredProgress::new(&delivery.progress, &delivery.history))
}

/// Stores what changes of a delivery.
pub(super) fn put_progress(connection: &Connection, delivery: &Delivery) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE deliveries SET progress = ?3, failed = ?4, first = coalesce(?5, first)
             WHERE tenant = ?1 AND trace = ?2",
        )?
        .execute(params![
            delivery.snapshot.tenant.as_str(),
            delivery.snapshot.trace_id.uuid().as_bytes(),
            progress_json(delivery)?,
            failed_accepted(delivery),
            first_attempt_id(&delivery.progress),
        ])
        .map(|_| ())
}

/// Ends the automatic attempts of a delivery whose snapshot cannot be read, if it is pending, the attempt of this number is its next
/// and nothing is in flight. Nothing of it is counted: its group is not known.
pub(super) fn cancel_unreadable(
    connection: &Connection,
    (tenant, trace): (&TenantId, TraceId),
    number: u32,
) -> rusqlite::Result<()> {
    let Some(stored) = find_progress(connection, tenant, trace)? else { return Ok(()) };
    let Ok((progress, history)) = stored.read() else { return Ok(()) };
    if progress.waiting().is_none_or(|next| next.number != number) {
        return Ok(());
    }
    let canceled = StoredProgress::new(&Progress::Canceled, &history);
    connection
        .prepare_cached(
            "UPDATE deliveries SET progress = ?3, failed = NULL WHERE tenant = ?1 AND trace = ?2",
        )?
        .execute(params![tenant.as_str(), trace.uuid().as_bytes(), to_json(&canceled)?])
        .map(|_| ())
}

/// Stores a snapshot in the place of the one that an earlier version of loanhook stored with credentials.
pub(super) fn replace_snapshot(connection: &Connection, snapshot: &DeliverySnapshot) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE deliveries SET frozen = ?3 WHERE tenant = ?1 AND trace = ?2")?
        .execute(params![snapshot.tenant.as_str(), snapshot.trace_id.uuid().as_bytes(), to_json(snapshot)?,])
        .map(|_| ())
}

/// The column `failed` of a delivery: when it was accepted, in milliseconds, while its status is failed.
pub(super) fn failed_accepted(delivery: &Delivery) -> Option<i64> {
    (delivery.progress.status() == Status::Failed).then(|| delivery.snapshot.accepted_at.millis())
}

/// The column `accepted` of a delivery: when it was accepted, in milliseconds, where its trace does not begin with that.
pub(super) fn accepted(delivery: &Delivery) -> Option<i64> {
    let accepted_at = delivery.snapshot.accepted_at;
    (!delivery.snapshot.trace_id.begins_with(accepted_at)).then(|| accepted_at.millis())
}

/// The column `first` of a delivery: the ID of its first attempt, while that is in flight.
pub(super) fn first_attempt_id(progress: &Progress) -> Option<[u8; 16]> {
    let claim = progress.in_flight().filter(|claim| claim.number == FIRST_ATTEMPT_NUMBER)?;
    Some(claim.attempt_id.uuid().into_bytes())
}

/// The row of an attempt.
pub(super) fn find_attempt(
    connection: &Connection,
    tenant: &TenantId,
    loan: &LoanId,
    id: AttemptId,
) -> rusqlite::Result<Option<Attempt>> {
    connection
        .prepare_cached("SELECT doc FROM attempts WHERE tenant = ?1 AND loan = ?2 AND id = ?3")?
        .query_row(params![tenant.as_str(), loan.as_str(), id.uuid().as_bytes()], |row| from_json(row, 0))
        .optional()
}

/// Whether the row of an attempt is stored.
pub(super) fn attempt_exists(
    connection: &Connection,
    tenant: &TenantId,
    loan: &LoanId,
    id: AttemptId,
) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM attempts WHERE tenant = ?1 AND loan = ?2 AND id = ?3")?
        .exists(params![tenant.as_str(), loan.as_str(), id.uuid().as_bytes()])
}

/// Stores the row of an attempt, in the place of the one with its ID.
pub(super) fn put_attempt(connection: &Connection, attempt: &Attempt) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO attempts (tenant, loan, id, trace, later, sending, doc)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET sending = excluded.sending, doc = excluded.doc",
        )?
        .execute(params![
            attempt.tenant.as_str(),
            attempt.loan_id.as_str(),
            attempt.id.uuid().as_bytes(),
            attempt.trace_id.uuid().as_bytes(),
            attempt.number != AttemptNumber::Auto(FIRST_ATTEMPT_NUMBER),
            matches!(attempt.state, AttemptState::Sending { .. }),
            to_json(attempt)?,
        ])
        .map(|_| ())
}
