//! The outbox: operational events that are to be taken in, in the order in which they were put.

use rusqlite::{Connection, Row, params};

use crate::SqliteEngine;
use crate::rows::{from_json, to_json};
use crate::unreadable::read_up_to;
use crate::writer::Priority;
use loanhook_core::model::operational::OperationalEvent;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{OperationalEvents, OutboxPage, OutboxPosition, StatesAdvanced, StoreResult};

const OLDEST_FIRST: &str = "SELECT number, doc FROM outbox WHERE number > ?1 ORDER BY number";

/// Puts events; one that is there stays.
pub(super) fn put(connection: &Connection, events: &[OperationalEvent]) -> rusqlite::Result<()> {
    for event in events {
        connection
            .prepare_cached("INSERT OR IGNORE INTO outbox (id, tenant, doc) VALUES (?1, ?2, ?3)")?
            .execute(params![event.id.uuid().as_bytes(), event.tenant.as_str(), to_json(event)?])?;
    }
    Ok(())
}

impl OperationalEvents for SqliteEngine {
    async fn advance_operational_states(&self, now: Timestamp) -> StoreResult<StatesAdvanced> {
        let next_due = self.advance_states(now).await?;
        Ok(StatesAdvanced { next_due, failed: None })
    }

    async fn outbox(&self, limit: usize, after: Option<&OutboxPosition>) -> StoreResult<OutboxPage> {
        // Numbers begin with 1.
        let after: i64 = after.and_then(|OutboxPosition(number)| number.parse().ok()).unwrap_or(0);
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(OLDEST_FIRST)?;
            let numbered = |row: &Row<'_>| Ok((row.get(0)?, from_json(row, 1)?));
            let read: Vec<(i64, _)> =
                read_up_to(statement.query([after])?, limit, &"operational events", numbered)?;
            let last = read.last().filter(|_| read.len() == limit);
            let next = last.map(|(number, _)| OutboxPosition(number.to_string()));
            Ok(OutboxPage { events: read.into_iter().map(|(_, event)| event).collect(), next })
        })
        .await
    }

    async fn delete_from_outbox(&self, event: &OperationalEvent) -> StoreResult<()> {
        let (tenant, id) = (event.tenant.clone(), event.id);
        let work = move |connection: &Connection| {
            connection
                .prepare_cached("DELETE FROM outbox WHERE id = ?1 AND tenant = ?2")?
                .execute(params![id.uuid().as_bytes(), tenant.as_str()])
                .map(|_| ())
        };
        self.0.writer.run(Priority::ExistingWork, work, |()| ()).await
    }
}

impl SqliteEngine {
    /// Waits until there is something to do for operational events: what came since this was last ready counts.
    pub async fn operational_changed(&self) {
        self.0.operational.changed().await;
    }
}
