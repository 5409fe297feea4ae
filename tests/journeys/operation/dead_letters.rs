//! `/v1/dead-letters` in one process: the messages of deliveries that cannot be read.

use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{Api, Journey, Reply, event, eventually, items_of, text};

fn open(data: &Path) -> Connection {
    Connection::open(data.join("loanhook.db")).expect("the database")
}

/// A delivery whose second attempt is due, and whose document is damaged; its trace and the document.
async fn with_dead_letter(j: &Journey) -> (String, Vec<u8>) {
    j.subscribe("/hook", json!({"title": "Hook", "retry": {"delays": [3600]}})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.delivery_after_attempts(&trace, 1).await;
    j.server.stop().await;
    let database = open(j.server.data_folder());
    let document: Vec<u8> = database
        .query_row("SELECT CAST(frozen AS BLOB) FROM deliveries", [], |row| row.get(0))
        .expect("one delivery");
    database.execute("UPDATE deliveries SET frozen = '{}'", []).expect("damaged");
    database.execute("UPDATE queue SET due = 1", []).expect("due");
    drop(database);
    j.server.restart().await;
    (trace, document)
}

/// Makes the delivery readable again, while loanhook runs.
fn mend(j: &Journey, document: Vec<u8>) {
    let database = open(j.server.data_folder());
    database.busy_timeout(std::time::Duration::from_secs(10)).expect("a timeout");
    let document = String::from_utf8(document).expect("a text");
    database.execute("UPDATE deliveries SET frozen = ?1", [document]).expect("mended");
}

fn operator(j: &Journey) -> Api {
    j.api.with_key(Some(j.server.operator_key()))
}

async fn letters(api: &Api) -> Vec<Value> {
    items_of(&api.get("/v1/dead-letters").await.expect_status(200).json()).to_vec()
}

async fn one_letter(api: &Api) -> Value {
    eventually("there is a dead letter", async || letters(api).await.pop()).await
}

#[tokio::test]
async fn a_message_whose_delivery_cannot_be_read_is_listed_and_redriven_once_it_can() {
    let Some(j) = Journey::on_own_process().await else { return };
    let operator = operator(&j);
    assert!(letters(&operator).await.is_empty(), "normal running leaves none");
    let (trace, document) = with_dead_letter(&j).await;
    let letter = one_letter(&operator).await;
    let expected = json!({
        "id": letter["id"], "reason": "unreadable", "since": null, "tenant": j.tenant, "traceId": trace, "attempt": 2,
        "jobId": null, "subscriptionId": null,
    });
    assert_eq!(letter, expected);

    // Redriven too early it comes back.
    let redrive = format!("/v1/dead-letters/{}/redrive", text(&letter["id"]));
    operator.post_without_body(&redrive).await.expect_status(204);
    assert_eq!(one_letter(&operator).await, letter);

    mend(&j, document);
    let done = operator.post_without_body("/v1/dead-letters/redrive").await.expect_status(200).json();
    assert_eq!(done, json!({"redriven": 1, "left": 0, "more": false}));
    assert_eq!(j.api.ended_delivery(&trace).await["status"], "succeeded");
    assert!(letters(&operator).await.is_empty());
    operator.post_without_body(&redrive).await.expect_status(404);
}

#[tokio::test]
async fn a_dead_letter_is_deleted_once_and_only_by_an_operator() {
    let Some(j) = Journey::on_own_process().await else { return };
    let operator = operator(&j);
    with_dead_letter(&j).await;
    let path = format!("/v1/dead-letters/{}", text(&one_letter(&operator).await["id"]));
    for key in [j.api.key(), j.api.with_new_key("admin", &["admin"]).await.key()] {
        let other = j.api.with_key(Some(key));
        other.get("/v1/dead-letters").await.expect_status(403);
        other.post_without_body("/v1/dead-letters/redrive").await.expect_status(403);
        other.post_without_body(&format!("{path}/redrive")).await.expect_status(403);
        other.delete(&path).await.expect_status(403);
    }
    operator.delete(&path).await.expect_status(204);
    operator.delete(&path).await.expect_status(404);
    operator.delete("/v1/dead-letters/none").await.expect_status(404);
    assert!(letters(&operator).await.is_empty());
}

/// It is not left pending for ever, whether it can be read by then or later.
#[tokio::test]
async fn the_delivery_of_a_dead_letter_that_is_deleted_ends_as_canceled() {
    for is_mended_before in [true, false] {
        let Some(j) = Journey::on_own_process().await else { return };
        let operator = operator(&j);
        let (trace, document) = with_dead_letter(&j).await;
        let path = format!("/v1/dead-letters/{}", text(&one_letter(&operator).await["id"]));
        if is_mended_before {
            mend(&j, document.clone());
        }
        operator.delete(&path).await.expect_status(204);
        if !is_mended_before {
            mend(&j, document);
        }
        let delivery = j.api.delivery(&trace).await;
        assert_eq!((&delivery["status"], &delivery["nextAttemptAt"]), (&json!("canceled"), &Value::Null));
        assert!(letters(&operator).await.is_empty());
        // It can be resent, as any that was canceled.
        j.api.resend(&trace).await;
        let delivery = j.api.delivery_after_attempts(&trace, 2).await;
        assert_eq!(delivery["attempts"][1]["outcome"], "succeeded", "{delivery}");
    }
}
