//! Changes of counts that are not folded yet: a row of the file for each commit that counted something.

use rusqlite::types::Type;
use rusqlite::{Connection, params};

use crate::unreadable::read_all;
use loanhook_core::model::report::CountChange;

/// Stores what a commit adds.
pub(super) fn store(connection: &Connection, changes: &[CountChange]) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO count_changes (doc) VALUES (?1)")?
        .execute(params![loanhook_stored::write_count_changes(changes)])
        .map(|_| ())
}

/// Calls `take` with every stored change that can be read; of a row that is damaged with none.
pub(super) fn for_each(connection: &Connection, mut take: impl FnMut(CountChange)) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("SELECT id, doc FROM count_changes")?;
    read_all(statement.query([])?, &"changes of counts", |row| {
        loanhook_stored::read_count_changes(row.get_ref(1)?.as_blob()?)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, Type::Blob, error.into()))?
            .into_iter()
            .for_each(&mut take);
        Ok(())
    })
    .map(drop)
}

/// Deletes all of them.
pub(super) fn delete_all(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM count_changes")?.execute([]).map(|_| ())
}
