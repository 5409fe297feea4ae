//! Operations and commits that fail.

use super::*;

#[tokio::test]
async fn a_failed_operation_fails_no_other_of_its_commit() {
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
async fn an_operation_that_panics_fails_alone_and_the_thread_goes_on() {
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
    operation(&writer, |connection| keep(connection, "d")).await.expect("the thread goes on");
    assert_eq!(kept(&writer).await, ["a", "c", "d"]);
}

#[tokio::test]
async fn without_a_savepoint_what_fails_before_a_change_fails_alone() {
    let writer = writer();
    let fails = |connection: &Connection| connection.execute_batch("INSERT INTO nowhere VALUES (1)");
    let results = together(
        &writer,
        vec![
            operation_without_savepoint(&writer, |connection| keep(connection, "a")),
            operation_without_savepoint(&writer, fails),
            operation_without_savepoint(&writer, |_| panic!("as the test says")),
            operation_without_savepoint(&writer, |connection| keep(connection, "c")),
        ],
    )
    .await;
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, true]);
    assert_eq!(kept(&writer).await, ["a", "c"]);
}

#[tokio::test]
async fn without_a_savepoint_what_fails_after_a_change_fails_its_commit() {
    let writer = writer();
    let fails = |connection: &Connection| {
        keep(connection, "b")?;
        Err(rusqlite::Error::InvalidQuery)
    };
    assert_commit_fails(&writer, operation_without_savepoint(&writer, fails)).await;
}

#[tokio::test]
async fn without_a_savepoint_a_lost_transaction_fails_its_commit() {
    let writer = writer();
    let loses = |connection: &Connection| {
        keep(connection, "b")?;
        connection.execute_batch("ROLLBACK")
    };
    assert_commit_fails(&writer, operation_without_savepoint(&writer, loses)).await;
}

/// Nothing of a commit that fails is stored, each of its operations fails, and later ones succeed.
async fn assert_commit_fails(writer: &Writer, fails_commit: Run<'_>) {
    let results = together(
        writer,
        vec![
            operation(writer, |connection| keep(connection, "a")),
            fails_commit,
            operation_without_savepoint(writer, |connection| keep(connection, "c")),
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
async fn a_lost_transaction_fails_all_operations_of_its_commit() {
    let writer = writer();
    let loses = |connection: &Connection| {
        keep(connection, "b")?;
        connection.execute_batch("ROLLBACK")
    };
    assert_commit_fails(&writer, operation(&writer, loses)).await;
}

#[tokio::test]
async fn a_refused_commit_fails_all_of_its_operations() {
    let writer = writer();
    let refused =
        |connection: &Connection| connection.execute_batch("INSERT INTO kept (name, parent) VALUES ('b', 7)");
    assert_commit_fails(&writer, operation(&writer, refused)).await;
}

#[tokio::test]
async fn on_a_full_disk_exactly_what_was_answered_is_stored() {
    let writer = writer();
    let full = |connection: &Connection| {
        let pages: u32 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        connection.pragma_update_and_check(None, "max_page_count", pages + 8, |_| Ok(()))
    };
    operation(&writer, full).await.expect("full");
    let names = ["a", "b", "c", "d"];
    let put = |name: &'static str| {
        // The second and the third are larger than the room that is left.
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
