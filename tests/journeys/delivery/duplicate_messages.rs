//! Duplicate queue messages: a queue that delivers every message twice changes nothing.

use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{Journey, Received, Reply, attempt_numbers, attempts_of, event, eventually, text};

fn open(data: &Path) -> Connection {
    let database = Connection::open(data.join("loanhook.db")).expect("the database");
    database.busy_timeout(std::time::Duration::from_secs(10)).expect("a timeout");
    database
}

/// Makes every later queue message be stored twice, and counts the copies.
fn duplicate_every_message(data: &Path) {
    let database = open(data);
    let mut columns = database
        .prepare("SELECT name FROM pragma_table_info('queue') WHERE name <> 'id'")
        .expect("the queue");
    let columns: Vec<String> =
        columns.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("the queue's columns");
    assert!(!columns.is_empty(), "the queue is a table with an id and more");
    let copied = columns.iter().map(|column| format!("NEW.\"{column}\"")).collect::<Vec<_>>().join(", ");
    let columns = columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ");
    let twice = format!(
        "CREATE TABLE journey_copies (at INTEGER PRIMARY KEY);
         CREATE TRIGGER journey_twice AFTER INSERT ON queue BEGIN
             INSERT INTO queue ({columns}) VALUES ({copied});
             INSERT INTO journey_copies (at) VALUES (NULL);
         END;"
    );
    database.execute_batch(&twice).expect("a trigger on the queue");
}

fn count(data: &Path, table: &str) -> usize {
    let query = format!("SELECT count(*) FROM {table}");
    open(data).query_row(&query, [], |row| row.get(0)).expect("a count")
}

#[tokio::test]
async fn a_duplicate_of_every_queue_message_sends_nothing_twice() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.server.stop().await;
    duplicate_every_message(j.server.data_folder());
    j.server.restart().await;
    j.subscribe("/once", json!({"title": "Once"})).await;
    let mut deliveries = Vec::new();
    for loan in 0..10 {
        let path = format!("/thrice-{loan}");
        let mine = json!({"title": "Thrice", "criteria": {"events": [path]}, "retry": {"delays": [1, 1, 1]}});
        j.subscribe(&path, mine).await;
        j.receiver.replies(&path, [Reply::status(500), Reply::status(503)]);
        let mut event_of_path = event("727");
        event_of_path["eventName"] = json!(path);
        let accepted = j.api.post("/v1/events", &event_of_path).await.expect_status(202).json();
        deliveries.extend(accepted["deliveries"].as_array().expect("deliveries").clone());
    }
    assert_eq!(deliveries.len(), 20);
    for delivery in &deliveries {
        let trace = text(&delivery["traceId"]);
        let automatic = if delivery["eventTitle"] == "Once" {
            vec![json!(1)]
        } else {
            vec![json!(1), json!(2), json!(3)]
        };
        assert_eq!(attempt_numbers(&j.api.ended_delivery(trace).await), automatic);
        j.api.resend(trace).await;
    }
    for delivery in &deliveries {
        let attempts = if delivery["eventTitle"] == "Once" { 2 } else { 4 };
        j.api.delivery_after_attempts(text(&delivery["traceId"]), attempts).await;
    }
    // What is still in the queue is processed, before and after a restart.
    eventually("the queue is empty", async || (count(j.server.data_folder(), "queue") == 0).then_some(()))
        .await;
    j.server.kill();
    j.server.restart().await;
    eventually("the queue is empty", async || (count(j.server.data_folder(), "queue") == 0).then_some(()))
        .await;

    for delivery in &deliveries {
        let trace = text(&delivery["traceId"]);
        let automatic = if delivery["eventTitle"] == "Once" { 1 } else { 3 };
        let settled = j.api.delivery_after_attempts(trace, automatic + 1).await;
        assert_eq!(settled["status"], "succeeded");
        let mut expected: Vec<Value> = (1..=automatic).map(|number| json!(number)).collect();
        expected.push(json!("manual"));
        assert_eq!(attempt_numbers(&settled), expected, "each number once");
        let rows = attempts_of(&settled);
        let seen = j.receiver.requests_of(trace);
        let sent: Vec<_> = seen.iter().map(Received::attempt_id).collect();
        assert_eq!(
            sent,
            rows.iter().map(|row| text(&row["id"])).collect::<Vec<_>>(),
            "each row's request once"
        );
    }
    assert!(
        count(j.server.data_folder(), "journey_copies") >= 40,
        "20 retries and 20 resends went through the doubled queue"
    );
}
