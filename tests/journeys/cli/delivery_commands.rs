//! `deliveries` and `export`.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use super::run_as_caller;
use crate::harness::server::loanhook_command;
use crate::harness::{Gate, Journey, Reply, event, event_named, items_of, text, within};

/// A tenant with a delivery of loan 728 that failed, and one of loan 727 that did not; the traces of both.
async fn failed_and_succeeded() -> (Journey, String, String) {
    let j = Journey::start().await;
    let only = |name: &str| json!({"title": name, "criteria": {"events": [name]}, "retry": {"delays": []}});
    j.subscribe("/bad", only("Bad")).await;
    j.subscribe("/good", only("Good")).await;
    j.receiver.always("/bad", Reply::status(503));
    let mut traces = Vec::new();
    for (name, loan) in [("Bad", "728"), ("Good", "727")] {
        let trace = j.api.send_one(&event_named(name, loan)).await;
        j.api.ended_delivery(&trace).await;
        traces.push(trace);
    }
    let [failed, succeeded] = <[String; 2]>::try_from(traces).expect("two");
    (j, failed, succeeded)
}

#[tokio::test]
async fn deliveries_prints_a_table_or_the_json_of_the_api() {
    let (j, failed, succeeded) = failed_and_succeeded().await;
    let table = run_as_caller(&j, &["deliveries"], "").await.expect_success();
    let rows: Vec<_> = table.lines().skip(1).collect();
    for (row, words) in rows.iter().zip([
        [succeeded.as_str(), "727", "Good", "succeeded", "200"],
        [failed.as_str(), "728", "Bad", "failed", "503"],
    ]) {
        assert!(words.iter().all(|word| row.contains(word)), "{words:?}: {table}");
    }
    assert_eq!(rows.len(), 2, "{table}");
    let page = run_as_caller(&j, &["deliveries", "--json"], "").await.json();
    assert_eq!(page, j.api.get("/v1/webhooks").await.json());

    let yesterday = ["deliveries", "--status", "failed", "--since", "yesterday", "--json"];
    let found = run_as_caller(&j, &yesterday, "").await.json();
    assert_eq!((items_of(&found).len(), &found["items"][0]["traceId"]), (1, &json!(failed)));
    for filters in [
        &["--loan", "728"][..],
        &["--response-code", "5xx"],
        &["--event-name", "Bad"],
        &["--subscription", text(&found["items"][0]["subscriptionId"])],
        &["--test", "false", "--status", "failed", "--until", "now"],
    ] {
        let found = run_as_caller(&j, &[&["deliveries", "--json"], filters].concat(), "").await.json();
        assert_eq!(
            (items_of(&found).len(), &found["items"][0]["traceId"]),
            (1, &json!(failed)),
            "{filters:?}"
        );
    }
    for filters in [&["--waiting", "hold"][..], &["--error", "timeout"], &["--until", "7d"]] {
        let none = run_as_caller(&j, &[&["deliveries"], filters].concat(), "").await;
        assert_eq!(none.expect_success(), "");
        assert!(none.stderr().contains("no delivery like that"), "{}", none.stderr());
    }
    let one = run_as_caller(&j, &["deliveries", "--limit", "1"], "").await;
    assert_eq!(one.expect_success().lines().count(), 2);
    assert!(one.stderr().contains("--cursor"), "{}", one.stderr());
    let all = run_as_caller(&j, &["deliveries", "--limit", "1", "--all"], "").await.expect_success();
    assert!(all.contains(&failed) && all.contains(&succeeded), "{all}");
    let wrong = run_as_caller(&j, &["deliveries", "--since", "soon"], "").await;
    assert_eq!(wrong.output.status.code(), Some(2), "{wrong:?}");
}

/// The deliveries that `deliveries --follow` prints with these filters, as they come.
struct Following {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Following {
    fn start(j: &Journey, filters: &[&str]) -> Self {
        let mut command = tokio::process::Command::from(loanhook_command());
        command
            .env("LOANHOOK_URL", j.server.base_url().expect("the server runs"))
            .env("LOANHOOK_KEY", j.api.key())
            .args(["deliveries", "--follow", "--json"])
            .args(filters)
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().expect("the command starts");
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        Self { lines, _child: child }
    }

    async fn until(&mut self, trace: &str, status: &str) -> Value {
        loop {
            let line = within("a line", self.lines.next_line()).await.expect("text").expect("no end");
            let item: Value = serde_json::from_str(&line).expect("JSON");
            if item["traceId"] == trace && item["status"] == status {
                return item;
            }
        }
    }
}

#[tokio::test]
async fn deliveries_are_followed_as_they_come_and_change() {
    let j = Journey::start().await;
    let gate = Gate::closed();
    j.subscribe("/hook", json!({})).await;
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let first = j.api.send_one(&event("727")).await;
    let mut following = Following::start(&j, &[]);
    // What has ended does not pass this filter any more: it is looked at by itself.
    let mut filtered = Following::start(&j, &["--status", "pending"]);
    following.until(&first, "pending").await;
    filtered.until(&first, "pending").await;
    let second = j.api.send_one(&event("728")).await;
    following.until(&second, "pending").await;
    gate.open();
    following.until(&first, "succeeded").await;
    let printed = filtered.until(&first, "succeeded").await;
    let listed = j.api.get("/v1/webhooks?loanId=727").await.expect_status(200).json();
    assert_eq!(printed, listed["items"][0]);
}

#[tokio::test]
async fn export_writes_whole_lists_as_the_api_gives_them() {
    let (j, failed, _) = failed_and_succeeded().await;
    for (arguments, path, format, media_type) in [
        (&["deliveries", "--since", "yesterday"][..], "/v1/webhooks", "csv", "text/csv"),
        (&["deliveries"], "/v1/webhooks", "ndjson", "application/x-ndjson"),
        (&["webhooks", "728"], "/v1/loans/728/webhooks", "csv", "text/csv"),
        (&["events", "728"], "/v1/loans/728/events", "ndjson", "application/x-ndjson"),
    ] {
        let command = [&["export"], arguments, &["--format", format]].concat();
        let exported = run_as_caller(&j, &command, "").await;
        let told = j.api.request("GET", path).header("accept", media_type).send().await.expect_status(200);
        assert_eq!(exported.expect_success().as_bytes(), told.body, "{command:?}");
        assert_eq!(exported.stderr(), "", "no progress where no terminal is");
    }
    let csv = run_as_caller(&j, &["export", "deliveries", "--status", "failed"], "").await.expect_success();
    assert_eq!((csv.lines().count(), csv.contains(&failed)), (2, true), "{csv}");
    run_as_caller(&j, &["export", "deliveries", "--json"], "").await.expect_failure(1);
    let wrong = run_as_caller(&j, &["export", "webhooks", "728", "--response-code", "x"], "").await;
    assert!(wrong.expect_failure(1).contains("responseCode"), "{wrong:?}");
}
