//! What metrics say of the files: their size, and how much of the disk is free.

use std::io;
use std::path::{Path, PathBuf};

use loanhook_core::model::metrics::{Samples, names};

/// Writes what can be read of the files of the database at `database`.
pub(super) fn write(database: &Path, samples: &mut Samples) {
    // A file that is not there has no bytes.
    let size = |path: &Path| match std::fs::metadata(path) {
        Ok(metadata) => Some(metadata.len()),
        Err(error) => (error.kind() == io::ErrorKind::NotFound).then_some(0),
    };
    let mut set = |metric, bytes: Option<u64>| {
        if let Some(bytes) = bytes {
            samples.set(metric, &[], bytes as f64);
        }
    };
    set(&names::DATABASE_BYTES, size(database));
    set(&names::WAL_BYTES, size(&write_ahead_log(database)));
    set(
        &names::DISK_FREE_BYTES,
        rustix::fs::statvfs(database).ok().map(|disk| disk.f_bavail * disk.f_frsize),
    );
}

/// The file that SQLite keeps beside its database.
fn write_ahead_log(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}
