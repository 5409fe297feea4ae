//! The order in which operations are committed, and how many may wait.

use super::*;
use crate::waiting_operations::{MAX_WAITING_NEW_WORK, MAX_WAITING_NEW_WORK_BYTES};

#[tokio::test]
async fn new_work_is_refused_where_too_much_of_it_waits() {
    let writer = writer();
    let new_work = |bytes| writer.run(Priority::NewWork { bytes }, |_| Ok(()), |()| ()).boxed();
    let busy = |result: &StoreResult<()>| matches!(result, Err(StoreError::Busy));

    // By bytes; one that has more of them than may wait is taken if it waits alone.
    let mut operations = vec![new_work(MAX_WAITING_NEW_WORK_BYTES + 1), new_work(1)];
    operations.push(operation(&writer, |connection| keep(connection, "existing")));
    let results = together(&writer, operations).await;
    assert_eq!(results.iter().map(busy).collect::<Vec<_>>(), [false, true, false]);

    // By count.
    let results = together(&writer, (0..MAX_WAITING_NEW_WORK + 2).map(|_| new_work(0)).collect()).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), MAX_WAITING_NEW_WORK);
    assert!(results[MAX_WAITING_NEW_WORK..].iter().all(busy));

    new_work(1).await.expect("nothing waits any more");
    assert_eq!(kept(&writer).await, ["existing"]);
}

#[tokio::test]
async fn after_commit_runs_before_the_answer_and_existing_work_goes_first() {
    let writer = writer();
    let order = Arc::new(Mutex::new(Vec::new()));
    let run = |priority, name: &'static str, fails: bool| {
        let (committed, seen) = (Arc::clone(&order), Arc::clone(&order));
        let work = move |connection: &Connection| {
            keep(connection, name)?;
            if fails { Err(rusqlite::Error::InvalidQuery) } else { Ok(()) }
        };
        let answer = writer.run(priority, work, move |()| committed.lock().expect("unharmed").push(name));
        async move {
            let result = answer.await;
            assert_eq!(seen.lock().expect("unharmed").contains(&name), result.is_ok(), "{name}");
            result
        }
        .boxed()
    };
    together(
        &writer,
        vec![
            run(Priority::NewWork { bytes: 1 }, "new 1", false),
            run(Priority::ExistingWork, "existing 1", false),
            run(Priority::ExistingWork, "fails", true),
            run(Priority::NewWork { bytes: 1 }, "new 2", false),
            run(Priority::ExistingWork, "existing 2", false),
        ],
    )
    .await;
    let order = order.lock().expect("unharmed").clone();
    assert_eq!(order, ["existing 1", "existing 2", "new 1", "new 2"]);
}

#[tokio::test]
async fn a_completion_is_committed_with_the_next_operation_or_else_by_itself() {
    let writer = writer();
    let complete = |name: &'static str| {
        let work = move |connection: &Connection| keep(connection, name);
        writer.complete(Priority::Completion, work, |()| ()).boxed()
    };
    let mut gathered = complete("gathered");
    assert!(gathered.as_mut().now_or_never().is_none());
    operation(&writer, |connection| keep(connection, "other")).await.expect("committed");
    gathered.now_or_never().expect("answered already").expect("committed");
    complete("alone").await.expect("committed");
    assert_eq!(kept(&writer).await, ["alone", "gathered", "other"]);
}

#[tokio::test]
async fn run_until_committed_retries_and_runs_after_commit_once() {
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
    let committed = Arc::new(Mutex::new(Vec::new()));
    let after_commit = {
        let committed = Arc::clone(&committed);
        move |tried: &mut i32| committed.lock().expect("unharmed").push(*tried)
    };
    assert_eq!(writer.run_until_committed(work, after_commit).await.expect("done"), 3);
    assert_eq!(*committed.lock().expect("unharmed"), [3]);
    assert_eq!(kept(&writer).await, ["try 3"]);
}
