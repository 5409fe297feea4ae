//! Rows of the tables that cannot be read: each is left out and said in the log, so that one hides no other. What
//! the file itself refuses (a damaged page, a disk that fails) stays an error.

use rusqlite::types::ValueRef;
use rusqlite::{Error, Row, Rows};
use tracing::error;

use loanhook_stored::ReadError;

/// Reads rows until `most` were read or there are no more. The first column of each is its ID. `of` names what
/// they are of, for the log.
pub(super) fn read_some<T>(
    mut rows: Rows<'_>,
    most: usize,
    of: &dyn std::fmt::Display,
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut found = Vec::new();
    let (mut left_out, mut first) = (0_u32, None);
    while found.len() < most
        && let Some(row) = rows.next()?
    {
        match read(row) {
            Ok(value) => found.push(value),
            Err(fault) if is_of_content(&fault) => {
                left_out += 1;
                first.get_or_insert_with(|| (id(row), sentence(&fault)));
            }
            Err(fault) => return Err(fault),
        }
    }
    if let Some((id, why)) = first {
        error!(%of, left_out, first = id, why, "store.unreadable_left_out");
    }
    Ok(found)
}

/// Reads all rows.
pub(super) fn read_all<T>(
    rows: Rows<'_>,
    of: &dyn std::fmt::Display,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    read_some(rows, usize::MAX, of, read)
}

/// The value that was read; none, said in the log, where it cannot be read.
pub(super) fn or_none<T>(
    read: rusqlite::Result<Option<T>>,
    of: &dyn std::fmt::Display,
) -> rusqlite::Result<Option<T>> {
    match read {
        Err(fault) if is_of_content(&fault) => {
            error!(%of, why = sentence(&fault), "store.unreadable_left_out");
            Ok(None)
        }
        read => read,
    }
}

/// Whether a fault is about what a row holds, and not about reading the file.
pub(super) fn is_of_content(fault: &Error) -> bool {
    matches!(
        fault,
        Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..)
    )
}

/// What is wrong, without a word of what the row holds.
pub(super) fn sentence(fault: &Error) -> String {
    match fault {
        Error::FromSqlConversionFailure(column, _, cause) => match cause.downcast_ref::<ReadError>() {
            Some(error) => error.to_string(),
            None => format!("column {column} has a value of another kind"),
        },
        Error::InvalidColumnType(column, ..) | Error::IntegralValueOutOfRange(column, _) => {
            format!("column {column} has a value of another kind")
        }
        Error::Utf8Error(..) => "a text is not UTF-8".to_owned(),
        fault => fault.to_string(),
    }
}

/// The ID in a row's first column.
fn id(row: &Row<'_>) -> String {
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
