//! A wall clock that is set while loanhook runs.

use std::path::Path;

use chrono::TimeDelta;
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Journey, Launch, Reply, Target, event, instant, skipped};

/// What lies about the time to a program that is started with it (Debian's package faketime).
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

/// A server whose wall clock is off by what a file says; its monotonic clock is the machine's.
struct Clock {
    folder: TempDir,
}

impl Clock {
    async fn started() -> Option<(Self, Journey)> {
        let Some(library) = LIBRARIES.into_iter().find(|library| Path::new(library).exists()) else {
            skipped("libfaketime is not installed (Debian's package faketime)");
            return None;
        };
        let clock = Self { folder: tempfile::tempdir().expect("a folder") };
        clock.set("+0");
        let mut launch = Launch::default();
        let file = clock.folder.path().join("offset").display().to_string();
        for (name, value) in [
            ("LD_PRELOAD", library),
            ("FAKETIME_TIMESTAMP_FILE", file.as_str()),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ] {
            launch.environment.push((name.to_owned(), value.to_owned()));
        }
        let journey = Journey::on(Target::process_with(launch).await?).await;
        Some((clock, journey))
    }

    /// Sets the clock so far off the machine's.
    fn set(&self, offset: &str) {
        let (new, file) = (self.folder.path().join("new"), self.folder.path().join("offset"));
        std::fs::write(&new, offset)
            .and_then(|()| std::fs::rename(&new, &file))
            .expect("the file of the clock");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_an_hour_holds_no_retry_back() {
    let Some((clock, j)) = Clock::started().await else { return };
    j.subscribe("/hook", json!({"retry": {"delays": [2, 2]}})).await;
    j.receiver.always("/hook", Reply::status(500));
    let before = j.api.send_one(&event("727")).await;
    j.api.after_attempts(&before, 1).await;

    clock.set("-1h");

    let delivery = j.api.settled(&before).await;
    let rows = delivery["attempts"].as_array().expect("attempts");
    let numbers: Vec<_> = rows.iter().map(|row| &row["attemptNumber"]).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let (second, third) = (instant(&rows[1]["sentAt"]), instant(&rows[2]["sentAt"]));
    assert!(
        third - second >= TimeDelta::seconds(2),
        "what fails after that waits its time, by the new clock"
    );
}

#[tokio::test]
async fn a_clock_that_is_set_forward_sends_nothing_early_or_twice() {
    let Some((clock, j)) = Clock::started().await else { return };
    j.subscribe("/hook", json!({"retry": {"delays": [3, 3600]}})).await;
    j.receiver.always("/hook", Reply::status(500));
    let trace = j.api.send_one(&event("727")).await;
    j.api.after_attempts(&trace, 1).await;

    clock.set("+50h");
    // What comes in is sent, although the clock was set.
    let other = j.api.send_one(&event("728")).await;
    j.api.after_attempts(&other, 1).await;

    let delivery = j.api.after_attempts(&trace, 2).await;
    assert_eq!(delivery["status"], "pending", "an hour is an hour");
    let seen = j.receiver.seen_of(&trace);
    assert_eq!(seen.len(), 2, "each attempt once");
    let apart = seen[1].at.duration_since(seen[0].at).expect("one after the other");
    assert!(apart >= std::time::Duration::from_secs(3), "{apart:?}");
}
