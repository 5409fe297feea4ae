//! Data folder: its lock and its database, which only their owner may read, since signing secrets are in them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::errors::OpenError;

/// A data folder of this process, and no other, for as long as `lock` is open.
pub(super) struct DataFolder {
    pub(super) database: PathBuf,
    pub(super) lock: File,
}

impl DataFolder {
    /// Locks a folder, making it and its files if they are not there.
    ///
    /// # Errors
    ///
    /// Where another process holds the lock, or the files cannot be made or opened.
    pub(super) fn lock(folder: &Path) -> Result<Self, OpenError> {
        let unusable = |error| OpenError::Folder(folder.into(), error);
        make_folder(folder).map_err(unusable)?;
        let lock = lock(folder)?;
        let database = database(folder);
        // SQLite gives the files beside its database the mode of that.
        private_file(&database).map_err(unusable)?;
        Ok(Self { database, lock })
    }

    /// Whether no process uses a folder.
    ///
    /// # Errors
    ///
    /// Where its lock cannot be opened.
    pub(super) fn is_free(folder: &Path) -> Result<bool, OpenError> {
        match lock(folder) {
            Ok(_) => Ok(true),
            Err(OpenError::InUse(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The database of a folder.
pub(super) fn database(folder: &Path) -> PathBuf {
    folder.join("loanhook.db")
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let unusable = |error| OpenError::Folder(folder.into(), error);
    let lock = private_file(&folder.join("loanhook.lock")).map_err(unusable)?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => OpenError::InUse(folder.into()),
        TryLockError::Error(error) => unusable(error),
    })?;
    Ok(lock)
}

/// Opens a file, making one with mode 0600 if it is not there.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder with mode 0700 if it is not there.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
