//! Data folder: its lock and its database, which only their owner may read and write.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::errors::OpenError;

/// Longer than a look whether a folder is free has it locked.
const LOOK: Duration = Duration::from_millis(20);

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
        match lock_file(folder)?.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(OpenError::Folder(folder.into(), error)),
        }
    }
}

/// The database of a folder.
pub(super) fn database(folder: &Path) -> PathBuf {
    folder.join("loanhook.db")
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let lock = lock_file(folder)?;
    let mut locked = lock.try_lock();
    if matches!(locked, Err(TryLockError::WouldBlock)) {
        std::thread::sleep(LOOK);
        locked = lock.try_lock();
    }
    match locked {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.into())),
        Err(TryLockError::Error(error)) => Err(OpenError::Folder(folder.into(), error)),
    }
}

fn lock_file(folder: &Path) -> Result<File, OpenError> {
    private_file(&folder.join("loanhook.lock")).map_err(|error| OpenError::Folder(folder.into(), error))
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
