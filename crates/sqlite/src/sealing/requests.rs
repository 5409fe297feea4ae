//! Requests for a rotation: rows that `loanhook master-key rotate` puts into the database, also of a loanhook that runs. Whoever
//! has the data folder locked carries them out.

use rusqlite::{Connection, OptionalExtension, params};

/// A request that is not carried out yet.
pub(super) struct Request {
    pub(super) id: i64,
    /// The file that has the new key; none where the folder's own is to be replaced.
    pub(super) file: Option<String>,
}

/// What became of a request.
pub(super) enum RequestState {
    Waiting,
    /// It was carried out.
    Done,
    Refused(String),
}

/// Puts a request; gives its ID. One rotation ends all that ask for the same.
pub(super) fn put(connection: &Connection, file: Option<&str>) -> rusqlite::Result<i64> {
    connection.execute("INSERT INTO rotation_requests (file) VALUES (?1)", [file])?;
    Ok(connection.last_insert_rowid())
}

/// The oldest that waits.
pub(super) fn next(connection: &Connection) -> rusqlite::Result<Option<Request>> {
    connection
        .prepare_cached(
            "SELECT id, file FROM rotation_requests WHERE ended = 0 AND refused IS NULL ORDER BY id LIMIT 1",
        )?
        .query_row([], |row| Ok(Request { id: row.get(0)?, file: row.get(1)? }))
        .optional()
}

/// What became of one.
pub(super) fn state_of(connection: &Connection, id: i64) -> rusqlite::Result<RequestState> {
    let refused: Option<Option<String>> = connection
        .query_row("SELECT refused FROM rotation_requests WHERE id = ?1", [id], |row| row.get(0))
        .optional()?;
    Ok(match refused {
        None => RequestState::Done,
        Some(None) => RequestState::Waiting,
        Some(Some(why)) => RequestState::Refused(why),
    })
}

/// Whether some were carried out whose rows are to be deleted.
pub(super) fn have_ended(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM rotation_requests WHERE ended = 1")?.exists([])
}

pub(super) fn refuse(connection: &Connection, id: i64, why: &str) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE rotation_requests SET refused = ?2 WHERE id = ?1", params![id, why])
        .map(|_| ())
}

/// Refuses all that wait.
pub(super) fn refuse_all(connection: &Connection, why: &str) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE rotation_requests SET refused = ?1 WHERE ended = 0 AND refused IS NULL", [why])
        .map(|_| ())
}

pub(super) fn end(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    connection.execute("UPDATE rotation_requests SET ended = 1 WHERE id = ?1", [id]).map(|_| ())
}

/// Ends those that a rotation to the key in this file carries out.
pub(super) fn end_all_of(connection: &Connection, file: &str) -> rusqlite::Result<()> {
    let file = Some(file).filter(|file| *file != super::key_file::NEXT_OWN);
    connection
        .execute("UPDATE rotation_requests SET ended = 1 WHERE file IS ?1 AND refused IS NULL", [file])
        .map(|_| ())
}

pub(super) fn delete_ended(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM rotation_requests WHERE ended = 1", []).map(|_| ())
}

pub(super) fn delete(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM rotation_requests WHERE id = ?1", [id]).map(|_| ())
}
