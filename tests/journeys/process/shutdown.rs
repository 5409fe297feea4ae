//! Shutdown on SIGTERM: intake stops, what is in flight ends, and the process exits with 0.

use serde_json::json;

use crate::harness::raw_connection::RawConnection;
use crate::harness::{Api, Gate, Journey, Reply, Server, attempts_of, event, eventually, text};

#[tokio::test]
async fn sigterm_stops_intake_finishes_what_is_in_flight_and_exits_0() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::with(200, &[], b"slowly").held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    j.receiver.next_request().await;

    j.server.terminate();
    eventually("intake stops", async || {
        match j.api.request("POST", "/v1/events").json(&event("728")).try_send().await {
            Ok(answer) if answer.status == 202 => None,
            Ok(answer) => Some(answer.expect_problem(503).is_object()),
            Err(_) => Some(true),
        }
    })
    .await;
    gate.open();
    assert_eq!(j.server.wait_for_exit().await.code(), Some(0));

    j.server.restart().await;
    let delivery = j.api.delivery(&trace).await;
    assert_eq!(delivery["status"], "succeeded", "{delivery:#}");
    let rows = attempts_of(&delivery);
    assert_eq!(rows.len(), 1, "it was not interrupted");
    assert_eq!(j.api.get(text(&rows[0]["response"]["href"])).await.expect_status(200).body, b"slowly");
}

#[tokio::test]
async fn an_idle_process_exits_0_on_sigterm() {
    let Some(server) = Server::own_process().await else { return };
    server.terminate();
    assert_eq!(server.wait_for_exit().await.code(), Some(0));
}

/// A connection on which the server has answered a request.
async fn connected(server: &Server) -> RawConnection {
    let mut connection = RawConnection::connect(server).await;
    assert!(
        connection
            .send(
                "GET /health HTTP/1.1
host: loanhook

"
            )
            .await
    );
    connection.read_until("200 OK").await;
    connection
}

#[tokio::test]
async fn an_unfinished_request_head_does_not_block_shutdown() {
    let Some(server) = Server::own_process().await else { return };
    let mut connection = connected(&server).await;
    assert!(connection.send("POST /v1/events HTTP/1.1\r\nhost: loanhook\r\nauthoriz").await);
    Api::new(&server, None).get("/health").await.expect_status(200);
    server.terminate();
    assert_eq!(server.wait_for_exit().await.code(), Some(0));
    drop(connection);
}

#[tokio::test]
async fn an_unfinished_request_body_does_not_block_shutdown() {
    let Some(server) = Server::own_process().await else { return };
    let mut connection = connected(&server).await;
    let key = server.operator_key();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: loanhook\r\nauthorization: Bearer {key}\r\n\
         expect: 100-continue\r\ncontent-length: 1000\r\n\r\n"
    );
    assert!(connection.send(head).await);
    connection.read_until("100 Continue").await;
    assert!(connection.send("{\"eventName\": \"Half").await);
    server.terminate();
    assert_eq!(server.wait_for_exit().await.code(), Some(0));
    drop(connection);
    server.restart().await;
    Api::new(&server, Some(server.operator_key())).get("/v1/keys").await.expect_status(200);
}
