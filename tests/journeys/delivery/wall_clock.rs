//! The wall clock: it is set back and forward while loanhook runs.

use std::time::SystemTime;

use chrono::TimeDelta;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::harness::{Journey, Launch, Reply, Server, attempt_numbers, attempts_of, event, instant};

/// The library that moves the wall clock of a program.
const LIBRARY_SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journeys/delivery/wall_clock.c");

/// A wall clock that is off by the time in a file; the monotonic clock of the server is the machine's.
struct Clock {
    folder: TempDir,
}

impl Clock {
    async fn started() -> Option<(Self, Journey)> {
        let clock = Self { folder: tempfile::tempdir().expect("a folder") };
        clock.set(0);
        let library = clock.folder.path().join("wall_clock.so");
        let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compiler
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(&library)
            .arg(LIBRARY_SOURCE);
        assert!(compiler.status().await.expect("a C compiler").success(), "the library compiles");
        let mut launch = Launch::default();
        let offset = clock.folder.path().join("offset");
        for (name, value) in [("LD_PRELOAD", &library), ("WALL_CLOCK_OFFSET", &offset)] {
            launch.environment.push((name.to_owned(), value.display().to_string()));
        }
        let journey = Journey::on_server(Server::own_process_with(launch).await?).await;
        Some((clock, journey))
    }

    /// Sets by how many hours the clock is off the machine's.
    fn set(&self, hours: i64) {
        let (new, file) = (self.folder.path().join("new"), self.folder.path().join("offset"));
        std::fs::write(&new, (hours * 3600).to_string())
            .and_then(|()| std::fs::rename(&new, &file))
            .expect("the file of the clock");
    }
}

#[tokio::test]
async fn setting_the_clock_back_does_not_delay_a_retry() {
    let Some((clock, j)) = Clock::started().await else { return };
    j.subscribe("/hook", json!({"retry": {"delays": [2, 2]}})).await;
    j.receiver.always("/hook", Reply::status(500));
    let before = j.api.send_one(&event("727")).await;
    j.api.delivery_after_attempts(&before, 1).await;

    clock.set(-1);

    let delivery = j.api.ended_delivery(&before).await;
    let rows = attempts_of(&delivery);
    let numbers = attempt_numbers(&delivery);
    assert_eq!(numbers, [1, 2, 3]);
    let (second, third) = (instant(&rows[1]["sentAt"]), instant(&rows[2]["sentAt"]));
    assert!(
        third - second >= TimeDelta::seconds(2),
        "what fails after that waits its time, by the new clock"
    );
}

#[tokio::test]
async fn setting_the_clock_forward_sends_nothing_early_or_twice() {
    let Some((clock, j)) = Clock::started().await else { return };
    j.subscribe("/hook", json!({"retry": {"delays": [3, 3600]}})).await;
    j.receiver.always("/hook", Reply::status(500));
    let trace = j.api.send_one(&event("727")).await;
    j.api.delivery_after_attempts(&trace, 1).await;

    clock.set(50);
    // A new event is sent although the clock was set.
    let other = j.api.send_one(&event("728")).await;
    j.api.delivery_after_attempts(&other, 1).await;

    let delivery = j.api.delivery_after_attempts(&trace, 2).await;
    assert_eq!(delivery["status"], "pending", "an hour is an hour");
    let seen = j.receiver.requests_of(&trace);
    assert_eq!(seen.len(), 2, "each attempt once");
    // By the row, whose end the 3 s follow: a request reaches its receiver only after the commit of its row.
    let first_sent_at = SystemTime::from(instant(&attempts_of(&delivery)[0]["sentAt"]));
    let apart = seen[1].at.duration_since(first_sent_at).expect("one after the other");
    assert!(apart >= std::time::Duration::from_secs(3), "{apart:?}");
}
