//! Downloads of payloads: the exact bytes, and never something that a browser would run.

use serde_json::{Value, json};

use crate::harness::{ApiResponse, Gate, Journey, Reply, event, text};

fn assert_download(answer: &ApiResponse, content_type: &str) {
    assert!(answer.header("content-disposition").starts_with("attachment"), "{:?}", answer.headers);
    assert_eq!(answer.header("content-type"), content_type);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
}

async fn row_after(j: &Journey, reply: Reply) -> Value {
    j.receiver.replies("/hook", [reply]);
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await["attempts"][0].clone()
}

#[tokio::test]
async fn payloads_are_attachments_with_their_own_content_type_and_exact_bytes() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"request": {"contentType": "application/core+json"}})).await;
    let page = b"<script>alert('a servicer')</script>";
    let row = row_after(&j, Reply::with(200, &[("Content-Type", "text/html; charset=utf-8")], page)).await;

    let source = j.api.get(text(&row["source"]["href"])).await.expect_status(200);
    assert_download(&source, "application/core+json");
    assert_eq!(source.body, j.receiver.next_request().await.body);

    let response = j.api.get(text(&row["response"]["href"])).await.expect_status(200);
    assert_download(&response, "text/html; charset=utf-8");
    assert_eq!(response.body, page);
}

#[tokio::test]
async fn a_response_without_a_content_type_downloads_as_octet_stream() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let row = row_after(&j, Reply::with(200, &[], b"<html>")).await;
    assert!(row["response"]["contentType"].is_null());
    assert_download(
        &j.api.get(text(&row["response"]["href"])).await.expect_status(200),
        "application/octet-stream",
    );
}

#[tokio::test]
async fn a_multipart_response_downloads_as_octet_stream() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let parts = b"--b\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>\r\n--b--";
    for content_type in ["multipart/x-mixed-replace; boundary=b", "Multipart/related"] {
        let row = row_after(&j, Reply::with(200, &[("Content-Type", content_type)], parts)).await;
        assert_eq!(row["response"]["contentType"], content_type);
        let response = j.api.get(text(&row["response"]["href"])).await.expect_status(200);
        assert_download(&response, "application/octet-stream");
        assert_eq!(response.body, parts);
    }
}

#[tokio::test]
async fn the_response_of_an_attempt_without_one_is_404() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let row = row_after(&j, Reply::reset()).await;
    let path = format!("/v1/loans/727/webhooks/{}", text(&row["id"]));
    j.api.get(&format!("{path}/response")).await.expect_problem(404);
    assert!(
        !j.api.get(&format!("{path}/source")).await.expect_status(200).body.is_empty(),
        "what was sent is kept"
    );
}

#[tokio::test]
async fn the_source_payload_can_be_read_while_sending() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    j.api.send_one(&event("727")).await;
    let request = j.receiver.next_request().await;
    let path = format!("/v1/loans/727/webhooks/{}", request.attempt_id());
    assert_eq!(j.api.get(&format!("{path}/source")).await.expect_status(200).body, request.body);
    j.api.get(&format!("{path}/response")).await.expect_problem(404);
    gate.open();
}
