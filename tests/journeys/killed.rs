//! The AWS form of a crash: the delivery function's process is killed while its request is on the way.
//!
//! It needs functions that are processes of this machine, as an emulator's are, and the queue for itself: a batch
//! that dies takes other journeys' webhooks with it. So it is run alone, by its name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::rows::failed_by;
use crate::harness::{Gate, Journey, Received, Reply, event, text};

/// A process of the delivery function, and what its environment says.
struct Sender {
    pid: String,
    environment: Vec<(String, String)>,
}

impl Sender {
    /// The one that has a connection to this port.
    fn to(port: u16) -> Option<Self> {
        let sockets = sockets_to(port);
        let mut processes = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
        let process = processes.find(|process| {
            environment(process).iter().any(|(name, _)| name == "AWS_LAMBDA_RUNTIME_API")
                && open_files(process).any(|file| sockets.contains(&file))
        })?;
        let pid = process.file_name()?.to_str()?.to_owned();
        Some(Self { pid, environment: environment(&process) })
    }

    fn told(&self, name: &str) -> &str {
        let found = self.environment.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("the function is told {name}"))
    }

    fn kill(&self) {
        let sent = Command::new("kill").args(["-KILL", &self.pid]).status().expect("kill runs");
        assert!(sent.success(), "SIGKILL could not be sent");
    }

    /// How long a message stays hidden from when it is taken, in seconds.
    async fn hide_messages_for(&self, seconds: u32) {
        let attributes = json!({"VisibilityTimeout": seconds.to_string()});
        let asked = json!({"QueueUrl": self.told("LOANHOOK_QUEUE_URL"), "Attributes": attributes});
        let answer = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client")
            .post(self.told("AWS_ENDPOINT_URL"))
            .header("x-amz-target", "AmazonSQS.SetQueueAttributes")
            .header("content-type", "application/x-amz-json-1.0")
            .body(asked.to_string())
            .send()
            .await;
        let status = answer.expect("the emulator answers").status();
        assert!(status.is_success(), "the queue's attributes can be set: {status}");
    }
}

fn environment(process: &Path) -> Vec<(String, String)> {
    let all = fs::read_to_string(process.join("environ")).unwrap_or_default();
    all.split('\0')
        .filter_map(|pair| pair.split_once('='))
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect()
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

/// Kills whoever sends what comes next.
async fn kill_the_sender(j: &Journey) -> Received {
    let request = j.receiver.next().await;
    let sender = Sender::to(j.receiver.port()).expect("the sender is a process of this machine");
    sender.kill();
    request
}

#[tokio::test]
#[ignore = "kills the delivery function of the stack at LOANHOOK_TEST_URL: run it alone"]
async fn a_sender_that_is_killed_leaves_an_interrupted_row_and_the_schedule_goes_on() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [3600]}, "timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::ok(), Reply::ok().held(&gate)]);
    // The first shows who sends. Then a message that is not deleted comes back soon, not after its 4.5 minutes.
    j.api.settled(&j.api.send_one(&event("727")).await).await;
    j.receiver.next().await;
    let sender = Sender::to(j.receiver.port()).expect("the sender keeps its connection for a while");
    sender.hide_messages_for(5).await;

    let trace = j.api.send_one(&event("727")).await;
    assert_eq!(kill_the_sender(&j).await.trace(), trace);
    let delivery = j.api.settled(&trace).await;
    sender.hide_messages_for(270).await;

    assert_eq!(delivery["status"], "succeeded", "long before its retry would be due: {delivery:#}");
    let rows = delivery["attempts"].as_array().expect("attempts");
    assert_eq!(rows.len(), 2);
    failed_by(&rows[0], "interrupted");
    let numbers: Vec<&Value> = rows.iter().map(|row| &row["attemptNumber"]).collect();
    assert_eq!(numbers, [&json!(1), &json!(2)], "it keeps its number");
    let seen = j.receiver.seen_of(&trace);
    let ids: Vec<_> = seen.iter().map(Received::attempt_id).collect();
    assert_eq!(ids, [text(&rows[0]["id"]), text(&rows[1]["id"])]);
    assert_eq!(seen[0].frozen(), seen[1].frozen());
}
