//! Prometheus reads what is written, and the queries of the dashboard: its own tool, promtool, checks both.

use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Reply, event, report_skipped};

const DASHBOARD: &str = include_str!("../../../docs/grafana.json");

/// Whether promtool can be run. In CI it must be installed.
fn is_installed() -> bool {
    const PACKAGE: &str = "install the package `prometheus`";
    let is_installed = Command::new("promtool").arg("--version").output().is_ok();
    assert!(is_installed || std::env::var_os("CI").is_none(), "{PACKAGE}");
    if !is_installed {
        report_skipped(&format!("promtool is missing: {PACKAGE}"));
    }
    is_installed
}

/// Runs promtool on a text; it must find nothing wrong. What it wrote.
fn check(arguments: &[&str], text: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("input");
    File::create(&path).and_then(|mut file| file.write_all(text.as_bytes())).expect("a file");
    let input = Stdio::from(File::open(&path).expect("the file"));
    let output =
        Command::new("promtool").arg("check").args(arguments).stdin(input).output().expect("it runs");
    let found =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{found}\n{text}");
    found
}

#[tokio::test]
async fn promtool_finds_nothing_wrong() {
    if !is_installed() {
        return;
    }
    let Some(j) = super::journey().await else { return };
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", [Reply::ok(), Reply::garbage()]);
    for _ in 0..2 {
        j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    }
    let text = super::text_of(&j.server).await;
    assert_eq!(check(&["metrics"], &text), "", "{text}");
}

#[test]
fn promtool_reads_the_queries_of_the_dashboard() {
    if !is_installed() {
        return;
    }
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let rules: Vec<_> = targets
        .enumerate()
        .map(|(index, target)| {
            let query = target["expr"].as_str().expect("a query");
            // What Grafana puts in the place of its variables.
            let query =
                query.replace("$__rate_interval", "5m").replace("$instance", ".*").replace("$tenant", ".*");
            json!({"record": format!("dashboard:query_{index}"), "expr": query})
        })
        .collect();
    let count = rules.len();
    let found = check(
        &["rules", "/dev/stdin"],
        &json!({"groups": [{"name": "dashboard", "rules": rules}]}).to_string(),
    );
    assert!(found.contains(&format!("{count} rules found")), "{found}");
}
