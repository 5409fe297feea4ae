//! The engine for one process: everything in one SQLite file.
//!
//! One thread writes and commits together whatever waits (`writer`); reads have connections of their
//! own. The queue is a table with due times, and `worker` hands what is due to its handler. As all of an
//! operation is one transaction, a crash leaves nothing half done: what was in flight is found at the
//! next start and recorded as interrupted, and everything else that is unfinished waits in the queue.

mod attempts;
mod cache;
mod claims;
mod clock;
mod commits;
mod deliveries;
mod egress;
mod formula_errors;
mod grants;
mod health;
mod idempotency;
mod intake;
mod keys;
mod lane;
mod lanes;
mod payloads;
mod places;
mod readers;
mod recovery;
mod releases;
mod resends;
mod schema;
mod settling;
mod starts;
mod stored_progress;
mod subscriptions;
mod tables;
mod turns;
mod unreadable;
mod worker;
mod writer;

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use cache::Cache;
use clock::ClockWatch;
use lanes::Lanes;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreError, StoreResult};
use readers::Readers;
use starts::{Door, Starts};
use writer::{Class, Job, Writer};

pub use worker::{Limits, Task, WirePermit, Worker};

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
    clock: Arc<ClockWatch>,
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
        let clock = Arc::new(ClockWatch::new());
        let first = first_of_a_commit(Arc::clone(&clock), Arc::clone(&lanes));
        let writer = Writer::start(connection, lock, first).map_err(unusable)?;
        Ok(Self(Arc::new(Inner { writer, readers, cache, lanes, starts: Arc::default(), clock })))
    }

    /// What decides whether an attempt may begin at once.
    fn door(&self) -> Door {
        (Arc::clone(&self.0.starts), Arc::clone(&self.0.lanes))
    }

    /// Sees to it that a clock that was set is noticed, although nothing is being written.
    async fn notice_clock(&self) {
        if self.0.clock.was_set().is_some() {
            // What is to be done about it comes before this in the commit.
            let _ = self.0.writer.run(Class::Progress, |_| Ok(()), |()| ()).await;
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.0.readers.run(work).await
    }
}

/// What comes before all else in a commit: where the clock was set, what is queued is moved with it.
fn first_of_a_commit(clock: Arc<ClockWatch>, lanes: Arc<Lanes>) -> impl FnMut() -> Option<Job> {
    move || {
        let millis = clock.was_set()?;
        let (clock, lanes) = (Arc::clone(&clock), Arc::clone(&lanes));
        let work = move |connection: &Connection| {
            connection
                .prepare_cached("UPDATE queue SET due = due + ?1 WHERE due < ?2")?
                .execute([millis, tables::ASIDE])
                .map(|_| ())
        };
        let then = move |(): &mut ()| {
            tracing::warn!(by_seconds = millis / 1000, "clock.set");
            clock.applied(millis);
            lanes.shift(millis);
        };
        Some(Job::unasked(work, then))
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

/// An error of SQLite, as the ports tell it: a sentence without what is stored.
fn store_error(error: &rusqlite::Error) -> StoreError {
    StoreError::Failed(unreadable::sentence(error).into())
}
