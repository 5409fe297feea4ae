//! Rows of counts: one for each group in each hour, and one for its day.

use std::collections::BTreeMap;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::unreadable::none_if_unreadable;
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::report::{CountChange, CountGroup, Counts, Period};

const FIND: &str = "SELECT id, doc FROM counts
     WHERE tenant = ?1 AND period = ?2 AND start = ?3 AND subscription = ?4 AND event = ?5";
const INSERT: &str =
    "INSERT INTO counts (tenant, period, start, subscription, event, doc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const UPDATE: &str = "UPDATE counts SET doc = ?2 WHERE id = ?1";

/// What is to be added to each row.
#[derive(Default)]
pub(super) struct RowSums(BTreeMap<RowKey, Counts>);

/// The row of a group in a period; `hour` of the group is the beginning of that period.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RowKey(u8, CountGroup);

impl RowSums {
    pub(super) fn add(&mut self, CountChange { group, counts }: CountChange) {
        let day = CountGroup { hour: Period::Day.beginning(group.hour), ..group.clone() };
        for key in [RowKey(period_column(Period::Hour), group), RowKey(period_column(Period::Day), day)] {
            self.0.entry(key).or_default().add(&counts);
        }
    }
}

/// Adds sums to the rows, and gives how many rows that were.
pub(super) fn add(connection: &Connection, sums: RowSums) -> rusqlite::Result<usize> {
    let rows = sums.0.len();
    for (key, sum) in sums.0 {
        match find(connection, &key)? {
            Some((id, mut counts)) => {
                counts.add(&sum);
                update(connection, id, &counts)?;
            }
            None => insert(connection, &key, &sum)?,
        }
    }
    Ok(rows)
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

/// The ID and the counts of a row.
fn find(connection: &Connection, RowKey(period, group): &RowKey) -> rusqlite::Result<Option<(i64, Counts)>> {
    let subscription = subscription_column(group.subscription);
    let key = params![group.tenant.as_str(), period, group.hour.millis(), subscription, group.event_name];
    let found = connection
        .prepare_cached(FIND)?
        .query_row(key, |row| Ok((row.get(0)?, counts_column(row, 1))))
        .optional()?;
    let Some((id, counts)) = found else { return Ok(None) };
    // Counts that cannot be read are lost: without them everything else goes on.
    let of = format_args!("counts of {}", group.tenant);
    Ok(Some((id, none_if_unreadable(counts.map(Some), &of)?.unwrap_or_default())))
}

fn insert(connection: &Connection, RowKey(period, group): &RowKey, counts: &Counts) -> rusqlite::Result<()> {
    connection
        .prepare_cached(INSERT)?
        .execute(params![
            group.tenant.as_str(),
            period,
            group.hour.millis(),
            subscription_column(group.subscription),
            group.event_name,
            loanhook_stored::write_counts(counts),
        ])
        .map(|_| ())
}

fn update(connection: &Connection, id: i64, counts: &Counts) -> rusqlite::Result<()> {
    connection.prepare_cached(UPDATE)?.execute(params![id, loanhook_stored::write_counts(counts)]).map(|_| ())
}
