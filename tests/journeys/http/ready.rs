//! `GET /ready`: whether what comes now would be stored, and why not.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::server::new_folder;
use crate::harness::wait::eventually;
use crate::harness::{Api, Journey, Launch, Server, event, report_skipped, text};

/// A disk of its own, as long as this lives.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    /// None where this user may not mount one.
    fn mounted_at(folder: &'a Path) -> Option<Self> {
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(folder).output();
        let is_mounted = mount.is_ok_and(|mount| mount.status.success());
        if !is_mounted {
            report_skipped("a disk that gets full cannot be mounted: this needs root");
        }
        is_mounted.then_some(Self(folder))
    }

    /// Fills it to the last byte, and gives the file that does.
    fn fill(&self) -> std::path::PathBuf {
        let path = self.0.join("filler");
        let mut file = std::fs::File::create(&path).expect("a file");
        for size in [1 << 20, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // The process may still end: the disk goes with its last file.
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

async fn ready(api: &Api) -> Option<Result<Value, Value>> {
    let answer = api.request("GET", "/ready").try_send().await.ok()?;
    Some(match answer.status {
        200 => Ok(answer.json()),
        _ => {
            assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
            Err(answer.expect_problem(503))
        }
    })
}

#[tokio::test]
async fn a_server_that_stores_is_ready_and_no_key_is_needed() {
    let j = Journey::start().await;
    let anyone = Api::new(&j.server, None);
    for _ in 0..3 {
        assert_eq!(anyone.get("/ready").await.expect_status(200).json(), json!({"status": "ready"}));
    }
}

#[tokio::test]
async fn on_a_full_disk_it_is_not_ready_says_why_and_recovers_by_itself() {
    let folder = new_folder();
    let Some(disk) = SmallDisk::mounted_at(folder.path()) else { return };
    let server = Server::own_process_in(&Arc::clone(&folder), Launch::default()).await;
    let j = Journey::on_server(server).await;
    j.subscribe("/hook", json!({})).await;
    let anyone = Api::new(&j.server, None);
    anyone.get("/ready").await.expect_status(200);
    let filler = disk.fill();

    // What is free inside the files is used up first.
    let problem = eventually("it is not ready", async || ready(&anyone).await?.err()).await;
    assert_eq!(problem["type"], "/problems/not-ready");
    assert_eq!(problem["detail"], "the disk is full: free some of it, and loanhook goes on by itself");
    let refused = j.api.request("POST", "/v1/events").json(&event("727")).try_send().await;
    assert_eq!(refused.expect("an answer").status, 503, "it is as it says");

    std::fs::remove_file(filler).expect("removed");
    eventually("it is ready again", async || ready(&anyone).await?.ok()).await;
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    assert_eq!(delivery["status"], "succeeded");
    j.server.stop().await;
}

#[tokio::test]
async fn a_store_that_fails_is_not_ready_and_tells_nothing_of_the_machine() {
    let Some(j) = super::health::with_limited_file_size().await else { return };
    let anyone = Api::new(&j.server, None);
    anyone.get("/ready").await.expect_status(200);
    super::health::limit_file_size(&j, "4096");
    let problem = eventually("it is not ready", async || ready(&anyone).await?.err()).await;
    for internal in ["sqlite", "database", "loanhook.db", "/tmp"] {
        assert!(!text(&problem["detail"]).contains(internal), "{problem}");
    }
    super::health::limit_file_size(&j, "unlimited");
    eventually("it is ready again", async || ready(&anyone).await?.ok()).await;
}
