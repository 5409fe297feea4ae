//! Prometheus reads what is written: its own tool, promtool, checks it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::harness::{Reply, event, report_skipped};

#[tokio::test]
async fn promtool_finds_nothing_wrong() {
    let is_installed = Command::new("promtool").arg("--version").output().is_ok();
    if !is_installed {
        assert!(std::env::var_os("CI").is_none(), "install the package `prometheus`");
        report_skipped("promtool is missing: install the package `prometheus`");
        return;
    }
    let Some(j) = super::journey().await else { return };
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", [Reply::ok(), Reply::garbage()]);
    for _ in 0..2 {
        j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    }
    let text = super::text_of(&j.server).await;
    let mut check = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    let mut input = check.stdin.take().expect("its input");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let output = check.wait_with_output().expect("it ends");
    let found =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && found.trim().is_empty(), "{found}\n{text}");
}
