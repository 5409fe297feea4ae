//! Rules of the writer, on a file in memory.

mod failures;
mod order;

use std::sync::{Mutex, mpsc};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};

use super::*;
use crate::counts::CountLog;
use crate::schema::migrate;
use loanhook_core::model::report::Counting;

/// A writer of a file in memory, with a table `kept`.
fn writer() -> Writer {
    let connection = Connection::open_in_memory().expect("a file in memory");
    let tables = "CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TABLE kept (
             name TEXT NOT NULL,
             bytes BLOB,
             parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED
         );
         PRAGMA foreign_keys = ON;";
    connection.execute_batch(tables).expect("tables");
    migrate(&connection, 0).expect("the tables of counts");
    let counts = CountWriter::new(Arc::new(CountLog::new(Counting::ALL)));
    Writer::start(connection, counts, (), || None, |_| ()).expect("a thread")
}

fn keep(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO kept (name) VALUES (?1)", [name]).map(|_| ())
}

async fn kept(writer: &Writer) -> Vec<String> {
    let read = |connection: &Connection| {
        connection
            .prepare("SELECT name FROM kept ORDER BY name")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()
    };
    writer.run(Priority::ExistingWork, read, |_| ()).await.expect("read")
}

type Run<'a> = BoxFuture<'a, StoreResult<()>>;

fn operation<'a>(
    writer: &'a Writer,
    work: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
) -> Run<'a> {
    writer.run(Priority::ExistingWork, work, |()| ()).boxed()
}

fn operation_without_savepoint<'a>(
    writer: &'a Writer,
    work: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
) -> Run<'a> {
    writer.run_without_savepoint(Priority::ExistingWork, work, |()| ()).boxed()
}

/// Runs operations in one commit: they are submitted while the writer runs another one, which waits for that.
async fn together(writer: &Writer, operations: Vec<Run<'_>>) -> Vec<StoreResult<()>> {
    let (release, held) = mpsc::channel::<()>();
    let (begun, begins) = oneshot::channel();
    let hold = operation(writer, move |_| {
        begun.send(()).expect("the test waits");
        // An error, when it is released.
        held.recv().unwrap_or_default();
        Ok(())
    });
    let submitted = async {
        begins.await.expect("the writer runs it");
        let mut all = Box::pin(join_all(operations));
        // The first poll submits each, in order.
        assert!(all.as_mut().now_or_never().is_none(), "the writer is held");
        drop(release);
        all.await
    };
    let (held, results) = tokio::join!(hold, submitted);
    held.expect("held");
    results
}

fn failure(result: &StoreResult<()>) -> &str {
    match result {
        Err(StoreError::Failed(what)) => what,
        other => panic!("{other:?}"),
    }
}
