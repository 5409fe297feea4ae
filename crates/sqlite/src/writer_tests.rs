use std::sync::mpsc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};

use super::*;

/// A writer of a file in memory with one table, `kept`.
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
    Writer::start(connection, (), || None).expect("a thread")
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

type Operation<'a> = BoxFuture<'a, StoreResult<()>>;

fn operation<'a>(
    writer: &'a Writer,
    work: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
) -> Operation<'a> {
    writer.run(Priority::ExistingWork, work, |()| ()).boxed()
}

/// Runs operations in one commit: they are submitted while the writer is held at another.
async fn together(writer: &Writer, operations: Vec<Operation<'_>>) -> Vec<StoreResult<()>> {
    let (let_go, held) = mpsc::channel::<()>();
    let (begun, begins) = oneshot::channel();
    let hold = operation(writer, move |_| {
        begun.send(()).expect("the test waits");
        // Ends with an error when it is let go.
        held.recv().unwrap_or_default();
        Ok(())
    });
    let submitted = async {
        begins.await.expect("the writer is at it");
        let mut all = Box::pin(join_all(operations));
        // The first poll submits each, in order.
        assert!(all.as_mut().now_or_never().is_none(), "the writer is held");
        drop(let_go);
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

#[tokio::test]
async fn an_operation_that_fails_takes_no_other_of_its_commit_down() {
    let writer = writer();
    let fails = |connection: &Connection| {
        keep(connection, "b")?;
        connection.execute_batch("INSERT INTO nowhere VALUES (1)")
    };
    let results = together(
        &writer,
        vec![
            operation(&writer, |connection| keep(connection, "a")),
            operation(&writer, fails),
            operation(&writer, |connection| keep(connection, "c")),
        ],
    )
    .await;
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert!(failure(&results[1]).contains("nowhere"), "{:?}", results[1]);
    assert_eq!(kept(&writer).await, ["a", "c"]);
}

#[tokio::test]
async fn an_operation_that_panics_is_answered_and_the_thread_lives() {
    let writer = writer();
    let panics = |connection: &Connection| {
        keep(connection, "b")?;
        panic!("as the test says")
    };
    let results = together(
        &writer,
        vec![
            operation(&writer, |connection| keep(connection, "a")),
            operation(&writer, panics),
            operation(&writer, |connection| keep(connection, "c")),
        ],
    )
    .await;
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert!(failure(&results[1]).contains("panicked"), "{:?}", results[1]);
    operation(&writer, |connection| keep(connection, "d")).await.expect("the thread lives");
    assert_eq!(kept(&writer).await, ["a", "c", "d"]);
}

/// Nothing of a commit that failed stays, each of its operations hears so, and later ones go on.
async fn fails_together(writer: &Writer, spoils: Operation<'_>) {
    let results = together(
        writer,
        vec![
            operation(writer, |connection| keep(connection, "a")),
            spoils,
            operation(writer, |connection| keep(connection, "c")),
        ],
    )
    .await;
    for result in &results {
        assert!(!failure(result).is_empty());
    }
    assert_eq!(kept(writer).await, [""; 0]);
    operation(writer, |connection| keep(connection, "d")).await.expect("it goes on");
    assert_eq!(kept(writer).await, ["d"]);
}

#[tokio::test]
async fn a_transaction_that_is_lost_fails_all_of_its_commit() {
    let writer = writer();
    let loses = |connection: &Connection| {
        keep(connection, "b")?;
        connection.execute_batch("ROLLBACK")
    };
    fails_together(&writer, operation(&writer, loses)).await;
}

#[tokio::test]
async fn a_commit_that_is_refused_fails_all_of_its_operations() {
    let writer = writer();
    let refused =
        |connection: &Connection| connection.execute_batch("INSERT INTO kept (name, parent) VALUES ('b', 7)");
    fails_together(&writer, operation(&writer, refused)).await;
}

#[tokio::test]
async fn on_a_full_disk_what_stays_is_what_was_answered() {
    let writer = writer();
    let full = |connection: &Connection| {
        let pages: u32 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        connection.pragma_update_and_check(None, "max_page_count", pages + 8, |_| Ok(()))
    };
    operation(&writer, full).await.expect("full");
    let names = ["a", "b", "c", "d"];
    let put = |name: &'static str| {
        // More than there is room for, but for the first and the last.
        let size = if name == "b" || name == "c" { 1 << 20 } else { 1 };
        operation(&writer, move |connection| {
            let bytes = vec![0_u8; size];
            connection
                .execute("INSERT INTO kept (name, bytes) VALUES (?1, ?2)", rusqlite::params![name, bytes])
                .map(|_| ())
        })
    };
    let results = together(&writer, names.map(put).into()).await;
    assert!(failure(&results[1]).contains("full"), "{:?}", results[1]);
    let answered: Vec<_> =
        names.into_iter().zip(&results).filter(|(_, result)| result.is_ok()).map(|(name, _)| name).collect();
    assert_eq!(kept(&writer).await, answered);

    let room = |connection: &Connection| {
        connection.pragma_update_and_check(None, "max_page_count", 1 << 20, |_| Ok(()))
    };
    operation(&writer, room).await.expect("room");
    put("b").await.expect("there is room again");
}

#[tokio::test]
async fn new_work_is_refused_where_too_much_of_it_waits() {
    let writer = writer();
    let intake = |bytes| writer.run(Priority::NewWork { bytes }, |_| Ok(()), |()| ()).boxed();
    let busy = |result: &StoreResult<()>| matches!(result, Err(StoreError::Busy));

    // By bytes; one that is larger than all that may wait goes if it waits alone.
    let mut operations = vec![intake(MAX_WAITING_NEW_WORK_BYTES + 1), intake(1)];
    operations.push(operation(&writer, |connection| keep(connection, "progress")));
    let results = together(&writer, operations).await;
    assert_eq!(results.iter().map(busy).collect::<Vec<_>>(), [false, true, false]);

    // By count.
    let results = together(&writer, (0..MAX_WAITING_NEW_WORK + 2).map(|_| intake(0)).collect()).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), MAX_WAITING_NEW_WORK);
    assert!(results[MAX_WAITING_NEW_WORK..].iter().all(busy));

    intake(1).await.expect("nothing waits any more");
    assert_eq!(kept(&writer).await, ["progress"]);
}

#[tokio::test]
async fn then_runs_in_the_order_of_the_commit_before_the_answer() {
    let writer = writer();
    let order = Arc::new(Mutex::new(Vec::new()));
    let run = |class, name: &'static str, fails: bool| {
        let (then, seen) = (Arc::clone(&order), Arc::clone(&order));
        let work = move |connection: &Connection| {
            keep(connection, name)?;
            if fails { Err(rusqlite::Error::InvalidQuery) } else { Ok(()) }
        };
        let answer = writer.run(class, work, move |()| then.lock().expect("unharmed").push(name));
        async move {
            let result = answer.await;
            assert_eq!(seen.lock().expect("unharmed").contains(&name), result.is_ok(), "{name}");
            result
        }
        .boxed()
    };
    // What goes on with work that is there goes before what brings new work in.
    together(
        &writer,
        vec![
            run(Priority::NewWork { bytes: 1 }, "intake 1", false),
            run(Priority::ExistingWork, "progress 1", false),
            run(Priority::ExistingWork, "fails", true),
            run(Priority::NewWork { bytes: 1 }, "intake 2", false),
            run(Priority::ExistingWork, "progress 2", false),
        ],
    )
    .await;
    let order = order.lock().expect("unharmed").clone();
    assert_eq!(order, ["progress 1", "progress 2", "intake 1", "intake 2"]);
}

#[tokio::test]
async fn what_must_not_be_lost_is_tried_until_it_is_committed() {
    let writer = writer();
    let tries = Arc::new(Mutex::new(0));
    let work = {
        let tries = Arc::clone(&tries);
        move |connection: &Connection| {
            let mut tries = tries.lock().expect("unharmed");
            *tries += 1;
            keep(connection, &format!("try {tries}"))?;
            if *tries < 3 { Err(rusqlite::Error::InvalidQuery) } else { Ok(*tries) }
        }
    };
    let thens = Arc::new(Mutex::new(Vec::new()));
    let then = {
        let thens = Arc::clone(&thens);
        move |tried: &mut i32| thens.lock().expect("unharmed").push(*tried)
    };
    assert_eq!(writer.run_until_committed(work, then).await.expect("done"), 3);
    assert_eq!(*thens.lock().expect("unharmed"), [3]);
    assert_eq!(kept(&writer).await, ["try 3"]);
}
