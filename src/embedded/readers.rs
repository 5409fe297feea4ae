//! Connections that only read.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::schema;
use crate::ports::{StoreError, Stored};

/// How many reads go on at once.
const READERS: usize = 4;

pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Semaphore,
}

impl Readers {
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let mut idle = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            // A reader of a WAL file writes to its index, so the connection is not opened read-only.
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            schema::prepare(&connection)?;
            connection.pragma_update(None, "query_only", true)?;
            idle.push(connection);
        }
        Ok(Self { idle: Arc::new(Mutex::new(idle)), free: Semaphore::new(READERS) })
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Stored<T> {
        let failed = |what: &str| StoreError::Failed(what.into());
        let _turn = self.free.acquire().await.map_err(|_| failed("the readers are closed"))?;
        let idle = Arc::clone(&self.idle);
        let read = tokio::task::spawn_blocking(move || {
            let connection = lock(&idle).pop().ok_or_else(|| failed("no reader is free"))?;
            let result = work(&connection);
            lock(&idle).push(connection);
            Ok(result?)
        });
        read.await.unwrap_or_else(|_| Err(StoreError::Failed("a read panicked".into())))
    }
}

fn lock(idle: &Mutex<Vec<Connection>>) -> MutexGuard<'_, Vec<Connection>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
