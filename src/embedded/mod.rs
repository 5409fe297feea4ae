//! The engine for one process: everything in one SQLite file.
//!
//! One thread writes and commits together whatever waits (`writer`); reads have connections of their
//! own. The queue is a table with due times, and `worker` hands what is due to its handler. As all of an
//! operation is one transaction, a crash leaves nothing half done: what was in flight is found at the
//! next start and recorded as interrupted, and everything else that is unfinished waits in the queue.

mod attempts;
mod cache;
mod claims;
mod commits;
mod deliveries;
mod grants;
mod health;
mod idempotency;
mod keys;
mod lanes;
mod payloads;
mod places;
mod readers;
mod recovery;
mod resends;
mod schema;
mod settling;
mod starts;
mod subscriptions;
mod tables;
mod triggers;
mod worker;
mod writer;

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use crate::model::time::Timestamp;
use crate::ports::{StoreError, Stored};
use cache::Cache;
use lanes::Lanes;
use readers::Readers;
use starts::{Door, Starts};
use writer::Writer;

pub use worker::{Limits, Worker};

/// The pages that the writer works on: the ends of tables, and the indexes that it looks things up in.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

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
}

/// A data folder that is in use: all of a loanhook's state. Clones share it.
#[derive(Clone)]
pub struct Embedded(Arc<Inner>);

struct Inner {
    writer: Writer,
    readers: Readers,
    cache: Arc<Cache>,
    lanes: Arc<Lanes>,
    starts: Arc<Starts>,
}

impl Embedded {
    /// Opens a data folder, making it if it is not there, and takes up what a crash left in flight.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let unusable = |error| OpenError::Folder(folder.into(), error);
        make_folder(folder).map_err(unusable)?;
        let lock = private_file(&folder.join("loanhook.lock")).map_err(unusable)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse(folder.into()),
            TryLockError::Error(error) => unusable(error),
        })?;
        let path = folder.join("loanhook.db");
        private_file(&path).map_err(unusable)?;
        let broken = |error| OpenError::Database(path.clone(), error);
        let connection = Connection::open(&path).map_err(broken)?;
        let taken = match schema::version(&connection).map_err(broken)? {
            schema::Version::Known(taken) => taken,
            schema::Version::Foreign => return Err(OpenError::Foreign(path)),
            schema::Version::Newer(version) => return Err(OpenError::Newer(path, version)),
        };
        schema::prepare(&connection, WRITER_CACHE_KIB).map_err(broken)?;
        schema::migrate(&connection, taken).map_err(broken)?;
        recovery::interrupt_all(&connection, Timestamp::now()).map_err(broken)?;
        let cache = Arc::new(Cache::load(&connection).map_err(broken)?);
        let lanes = Arc::new(Lanes::load(&connection).map_err(broken)?);
        let readers = Readers::open(&path)?;
        let writer = Writer::start(connection, lock).map_err(unusable)?;
        Ok(Self(Arc::new(Inner { writer, readers, cache, lanes, starts: Arc::default() })))
    }

    /// What decides whether an attempt may begin at once.
    fn door(&self) -> Door {
        (Arc::clone(&self.0.starts), Arc::clone(&self.0.lanes))
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Stored<T> {
        self.0.readers.run(work).await
    }
}

/// Opens a file, making one that only its owner may read if it is not there: signing secrets are in it.
/// SQLite gives the files beside its database the mode of that.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// As private as its files.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string().into())
    }
}
