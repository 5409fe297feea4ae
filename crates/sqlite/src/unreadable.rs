//! Unreadable rows: a row whose content cannot be read is left out and logged, so that it hides no other.
//!
//! What the file itself refuses (a damaged page, a disk that fails) stays an error. A queue message that cannot be read
//! is quarantined instead: see `queue::messages`.

use rusqlite::types::ValueRef;
use rusqlite::{Error, Row, Rows};
use tracing::error;

use loanhook_seal::OpenError;
use loanhook_stored::ReadError;

/// Reads at most `limit` rows that can be read. The first column of each is its ID. `of` names what is read, for the
/// log.
pub(super) fn read_up_to<T>(
    mut rows: Rows<'_>,
    limit: usize,
    of: &dyn std::fmt::Display,
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut found = Vec::new();
    let (mut left_out, mut first) = (0_u32, None);
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        match read(row) {
            Ok(value) => found.push(value),
            Err(fault) if is_content_error(&fault) => {
                left_out += 1;
                first.get_or_insert_with(|| (first_column_id(row), describe(&fault)));
            }
            Err(fault) => return Err(fault),
        }
    }
    if let Some((id, why)) = first {
        error!(%of, left_out, first = id, why, "store.unreadable_left_out");
    }
    Ok(found)
}

/// Reads all rows that can be read.
pub(super) fn read_all<T>(
    rows: Rows<'_>,
    of: &dyn std::fmt::Display,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    read_up_to(rows, usize::MAX, of, read)
}

/// The value that was read; none, which is logged, where it cannot be read. `of` names it, for the log.
pub(super) fn none_if_unreadable<T>(
    read: rusqlite::Result<Option<T>>,
    of: &dyn std::fmt::Display,
) -> rusqlite::Result<Option<T>> {
    match read {
        Err(fault) if is_content_error(&fault) => {
            error!(%of, why = describe(&fault), "store.unreadable_left_out");
            Ok(None)
        }
        read => read,
    }
}

/// Whether an error is about what a row holds, and not about reading the file.
pub(super) fn is_content_error(fault: &Error) -> bool {
    matches!(
        fault,
        Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..)
    )
}

/// Whether a newer loanhook wrote what a row holds: it is not damaged, and this one cannot read it.
pub(super) fn is_newer(fault: &Error) -> bool {
    let Error::FromSqlConversionFailure(_, _, cause) = fault else { return false };
    matches!(cause.downcast_ref(), Some(ReadError::Newer { .. }))
}

/// A sentence about an error that says nothing of what the row holds.
pub(super) fn describe(fault: &Error) -> String {
    match fault {
        Error::FromSqlConversionFailure(column, _, cause) => {
            let unreadable = cause.downcast_ref::<ReadError>().map(ToString::to_string);
            let sealed =
                || Some(format!("a secret in it cannot be opened: {}", cause.downcast_ref::<OpenError>()?));
            unreadable
                .or_else(sealed)
                .unwrap_or_else(|| format!("column {column} has a value of another kind"))
        }
        Error::InvalidColumnType(column, ..) | Error::IntegralValueOutOfRange(column, _) => {
            format!("column {column} has a value of another kind")
        }
        Error::Utf8Error(..) => "a text is not UTF-8".to_owned(),
        fault => fault.to_string(),
    }
}

/// The ID in the first column of a row, for the log.
fn first_column_id(row: &Row<'_>) -> String {
    match row.get_ref(0) {
        Ok(ValueRef::Integer(number)) => number.to_string(),
        Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
        Ok(ValueRef::Blob(bytes)) => match uuid::Uuid::from_slice(bytes) {
            Ok(id) => id.to_string(),
            Err(_) => format!("{} bytes", bytes.len()),
        },
        Ok(ValueRef::Null | ValueRef::Real(_)) | Err(_) => "none".to_owned(),
    }
}
