//! Readers: connections that only read, each on a thread of its own.
//!
//! They share no threads with anything else, so that nothing slow elsewhere (a name that does not resolve) holds up the
//! history. A read that has begun ends on its thread, even if its caller went away.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use super::errors::{OpenError, store_error};
use super::schema;
use loanhook_core::ports::{StoreError, StoreResult};

/// How many reads run at once.
const READER_COUNT: usize = 4;
/// How much each keeps in memory.
pub(super) const READER_CACHE_KIB: i64 = 2048;

type Read = Box<dyn FnOnce(&Connection) + Send>;

pub(super) struct Readers {
    reads: Sender<Read>,
}

impl Readers {
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let (reads, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..READER_COUNT {
            let connection = connect(path).map_err(|error| OpenError::Database(path.into(), error))?;
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new()
                .name("reader".into())
                .spawn(move || run_reads(&connection, &waiting))
                .map_err(|error| OpenError::Folder(path.into(), error))?;
        }
        Ok(Self { reads })
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        let (sender, receiver) = oneshot::channel();
        let read: Read = Box::new(move |connection| {
            // A caller that went away does not want to know.
            let _ = sender.send(read(connection));
        });
        let failed = |what: &str| StoreError::Failed(what.into());
        self.reads.send(read).map_err(|_| failed("the readers are closed"))?;
        let read = receiver.await.map_err(|_| failed("a read panicked"))?;
        read.map_err(|error| store_error(&error))
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // A reader of a WAL file writes to its index, so the connection is not opened read-only.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    schema::configure(&connection, READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Runs reads until nobody can send any more.
fn run_reads(connection: &Connection, waiting: &Mutex<Receiver<Read>>) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(read) = next else { return };
        // A panic drops the sender of the result, which its caller notices.
        let _ = catch_unwind(AssertUnwindSafe(|| read(connection)));
    }
}
