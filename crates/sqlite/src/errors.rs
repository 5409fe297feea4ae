//! Errors: why a data folder cannot be used, and why the store failed.

use std::io;
use std::path::PathBuf;

use super::sealing::MasterKeyError;
use super::unreadable::describe;
use loanhook_core::ports::StoreError;

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0} is in use by another loanhook: stop that one, or use another folder with --data")]
    InUse(PathBuf),
    #[error("{0} cannot be used as a data folder: {1}")]
    Folder(PathBuf, io::Error),
    #[error("{0} cannot be opened: {1}")]
    Database(PathBuf, rusqlite::Error),
    #[error("{0} is not a database of loanhook's: use another folder with --data")]
    Foreign(PathBuf),
    #[error("{0} was written by a newer loanhook (its schema is {1}): use that one")]
    Newer(PathBuf, i64),
    #[error("{0} has a webhook that this loanhook cannot read ({1}): use the newer one")]
    NewerWebhook(PathBuf, String),
    #[error("{0}")]
    MasterKey(MasterKeyError),
}

/// An error of SQLite as the ports have it: a sentence without what is stored.
pub(super) fn store_error(error: &rusqlite::Error) -> StoreError {
    StoreError::Failed(describe(error).into())
}
