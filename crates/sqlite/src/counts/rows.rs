//! Rows of counts, as the writer changes them: the newest are kept in memory, so that a commit reads none.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::log::CountLog;
use crate::unreadable::none_if_unreadable;
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::report::{CountChange, CountGroup, Counts, Period};

/// How many rows are kept in memory at most, each of a few KiB.
const MAX_KEPT_ROWS: usize = 2048;

const FIND: &str = "SELECT id, doc FROM counts
     WHERE tenant = ?1 AND period = ?2 AND start = ?3 AND subscription = ?4 AND event = ?5";
const INSERT: &str =
    "INSERT INTO counts (tenant, period, start, subscription, event, doc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const UPDATE: &str = "UPDATE counts SET doc = ?2 WHERE id = ?1";

/// Writes what the log of a commit adds, on the writer's thread.
pub(crate) struct CountWriter {
    log: Arc<CountLog>,
    kept: HashMap<RowKey, KeptRow>,
}

/// The row of a group in a period; `hour` of the group is the beginning of that period.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct RowKey(u8, CountGroup);

/// A row as it stands in the file.
struct KeptRow {
    id: i64,
    counts: Counts,
}

impl CountWriter {
    pub(crate) fn new(log: Arc<CountLog>) -> Self {
        Self { log, kept: HashMap::new() }
    }

    /// How many changes the operations of the commit have added so far.
    pub(crate) fn mark(&self) -> usize {
        self.log.mark()
    }

    /// Drops what was added after a mark: its operation is rolled back.
    pub(crate) fn roll_back_to(&self, mark: usize) {
        self.log.roll_back_to(mark);
    }

    /// Writes what was added, in the transaction that is about to be committed.
    pub(crate) fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let changes = self.log.take();
        if changes.is_empty() {
            return Ok(());
        }
        if self.kept.len() > MAX_KEPT_ROWS {
            self.kept.clear();
        }
        let mut sums: HashMap<RowKey, Counts> = HashMap::new();
        for CountChange { group, counts } in changes {
            let day = CountGroup { hour: Period::Day.beginning(group.hour), ..group.clone() };
            for key in [RowKey(period_column(Period::Hour), group), RowKey(period_column(Period::Day), day)] {
                sums.entry(key).or_default().add(&counts);
            }
        }
        for (key, sum) in sums {
            self.write(connection, key, &sum)?;
        }
        Ok(())
    }

    /// Forgets what belongs to a commit that failed.
    pub(crate) fn discard(&mut self) {
        self.log.roll_back_to(0);
        // They may show what was not committed.
        self.kept.clear();
    }

    fn write(&mut self, connection: &Connection, key: RowKey, sum: &Counts) -> rusqlite::Result<()> {
        if let Some(row) = self.kept.get_mut(&key) {
            row.counts.add(sum);
            return update(connection, row);
        }
        let row = match find(connection, &key)? {
            Some(mut row) => {
                row.counts.add(sum);
                update(connection, &row)?;
                row
            }
            None => insert(connection, &key, sum.clone())?,
        };
        self.kept.insert(key, row);
        Ok(())
    }
}

/// The column `period`.
pub(super) const fn period_column(period: Period) -> u8 {
    match period {
        Period::Hour => 0,
        Period::Day => 1,
    }
}

/// The column `subscription`: empty for what belongs to none.
fn subscription_column(subscription: Option<SubscriptionId>) -> Vec<u8> {
    subscription.map_or_else(Vec::new, |id| id.uuid().into_bytes().into())
}

/// The counts in a column.
pub(super) fn counts_column(row: &Row<'_>, column: usize) -> rusqlite::Result<Counts> {
    loanhook_stored::read_counts(row.get_ref(column)?.as_blob()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, error.into()))
}

fn find(connection: &Connection, RowKey(period, group): &RowKey) -> rusqlite::Result<Option<KeptRow>> {
    let subscription = subscription_column(group.subscription);
    let key = params![group.tenant.as_str(), period, group.hour.millis(), subscription, group.event_name];
    let found = connection
        .prepare_cached(FIND)?
        .query_row(key, |row| Ok((row.get(0)?, counts_column(row, 1))))
        .optional()?;
    let Some((id, counts)) = found else { return Ok(None) };
    // Counts that cannot be read are lost: without them everything else goes on.
    let of = format_args!("counts of {}", group.tenant);
    Ok(Some(KeptRow { id, counts: none_if_unreadable(counts.map(Some), &of)?.unwrap_or_default() }))
}

fn insert(
    connection: &Connection,
    RowKey(period, group): &RowKey,
    counts: Counts,
) -> rusqlite::Result<KeptRow> {
    connection.prepare_cached(INSERT)?.execute(params![
        group.tenant.as_str(),
        period,
        group.hour.millis(),
        subscription_column(group.subscription),
        group.event_name,
        loanhook_stored::write_counts(&counts),
    ])?;
    Ok(KeptRow { id: connection.last_insert_rowid(), counts })
}

fn update(connection: &Connection, row: &KeptRow) -> rusqlite::Result<()> {
    let doc = loanhook_stored::write_counts(&row.counts);
    connection.prepare_cached(UPDATE)?.execute(params![row.id, doc]).map(|_| ())
}
