//! Rows of operational states.

use rusqlite::{Connection, OptionalExtension, params};

use crate::rows::{from_json, text_column, to_json, uuid_column};
use crate::unreadable::{none_if_unreadable, read_all};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::operational::OperationalState;

/// Whose state it is.
pub(super) type Of<'a> = (&'a TenantId, SubscriptionId);

/// Changes a state and gives what the change gives, with whether it has failures then. Nothing is written where it stays as it is.
pub(super) fn change<T>(
    connection: &Connection,
    of: Of<'_>,
    change: impl FnOnce(&mut OperationalState) -> T,
) -> rusqlite::Result<(T, bool)> {
    let before = find(connection, of)?;
    let mut after = before.clone();
    let given = change(&mut after);
    if after != before {
        put(connection, of, &after)?;
    }
    Ok((given, after.failing.is_some()))
}

fn find(connection: &Connection, (tenant, id): Of<'_>) -> rusqlite::Result<OperationalState> {
    let found = connection
        .prepare_cached("SELECT doc FROM operational_states WHERE tenant = ?1 AND subscription = ?2")?
        .query_row(params![tenant.as_str(), id.uuid().as_bytes()], |row| from_json(row, 0))
        .optional();
    // One that cannot be read is as that of a subscription of which there is nothing to tell.
    let found =
        none_if_unreadable(found, &format_args!("operational state of subscription {id} of {tenant}"))?;
    Ok(found.unwrap_or_default())
}

fn put(connection: &Connection, (tenant, id): Of<'_>, state: &OperationalState) -> rusqlite::Result<()> {
    if state.is_default() {
        return delete(connection, (tenant, id));
    }
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO operational_states (tenant, subscription, doc) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![tenant.as_str(), id.uuid().as_bytes(), to_json(state)?])
        .map(|_| ())
}

pub(super) fn delete(connection: &Connection, (tenant, id): Of<'_>) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM operational_states WHERE tenant = ?1 AND subscription = ?2")?
        .execute(params![tenant.as_str(), id.uuid().as_bytes()])
        .map(|_| ())
}

/// All that are stored.
pub(super) fn states(
    connection: &Connection,
) -> rusqlite::Result<Vec<(TenantId, SubscriptionId, OperationalState)>> {
    let mut statement =
        connection.prepare_cached("SELECT subscription, tenant, doc FROM operational_states")?;
    read_all(statement.query([])?, &"operational states", |row| {
        Ok((text_column(row, 1)?, SubscriptionId::from_uuid(uuid_column(row, 0)?), from_json(row, 2)?))
    })
}

/// Moves what the states say of time by so many milliseconds.
pub(crate) fn shift(connection: &Connection, millis: i64) -> rusqlite::Result<()> {
    for (tenant, id, state) in states(connection)? {
        put(connection, (&tenant, id), &state.shifted(millis))?;
    }
    Ok(())
}
