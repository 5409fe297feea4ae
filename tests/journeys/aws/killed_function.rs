//! A killed function: the process of the delivery function is killed while it sends a request.
//!
//! It needs functions that are processes of this machine, as an emulator's are, a queue whose messages come back within
//! seconds when they are not deleted, and that queue for itself: a batch that dies takes other journeys' webhooks with
//! it. So it is run alone, by its name, as `infra/stack.py journeys` does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::harness::rows::assert_failed_with;
use crate::harness::{Gate, Journey, Received, Reply, attempt_numbers, attempts_of, event, text};

/// Kills the process of the delivery function that has a connection to this port.
fn kill_the_function_connected_to(port: u16) {
    let sockets = sockets_to(port);
    let processes = fs::read_dir("/proc").expect("a list of processes").flatten().map(|entry| entry.path());
    let sender = processes
        .filter(|process| is_function(process))
        .find(|process| open_files(process).any(|file| sockets.contains(&file)))
        .expect("the sender is a process of this machine");
    let pid = sender.file_name().expect("a process has a number");
    let sent = Command::new("kill").arg("-KILL").arg(pid).status().expect("kill runs");
    assert!(sent.success(), "SIGKILL could not be sent");
}

fn is_function(process: &Path) -> bool {
    let environment = fs::read_to_string(process.join("environ")).unwrap_or_default();
    environment.split('\0').any(|variable| variable.starts_with("AWS_LAMBDA_RUNTIME_API="))
}

fn open_files(process: &Path) -> impl Iterator<Item = PathBuf> {
    let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    files.filter_map(|file| fs::read_link(file.path()).ok())
}

/// The connections to this port, as `/proc/…/fd` names them.
fn sockets_to(port: u16) -> Vec<PathBuf> {
    let remote = format!(":{port:04X}");
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.len() > 9 && row[2].ends_with(&remote))
        .map(|row| format!("socket:[{}]", row[9]).into())
        .collect()
}

#[tokio::test]
#[ignore = "kills the delivery function of the stack at LOANHOOK_TEST_URL: run it alone"]
async fn a_killed_delivery_function_leaves_an_interrupted_row_and_the_next_attempt_follows() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [3600]}, "timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::ok().held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    assert_eq!(j.receiver.next_request().await.trace_id(), trace);
    kill_the_function_connected_to(j.receiver.port());

    let delivery = j.api.ended_delivery(&trace).await;

    assert_eq!(delivery["status"], "succeeded", "long before its retry would be due: {delivery:#}");
    let rows = attempts_of(&delivery);
    assert_eq!(rows.len(), 2);
    assert_failed_with(&rows[0], "interrupted");
    let numbers = attempt_numbers(&delivery);
    assert_eq!(numbers, [json!(1), json!(2)], "it keeps its number");
    let seen = j.receiver.requests_of(&trace);
    let ids: Vec<_> = seen.iter().map(Received::attempt_id).collect();
    assert_eq!(ids, [text(&rows[0]["id"]), text(&rows[1]["id"])]);
    assert_eq!(seen[0].frozen_parts(), seen[1].frozen_parts());
}
