//! The program as a whole: help, what it does not understand, where nothing listens, and the demo.

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{run_as_caller, run_command};
use crate::harness::server::loanhook_command;
use crate::harness::{Journey, Launch, Server, event, within};

#[tokio::test]
async fn wrong_usage_exits_2() {
    for arguments in [
        &[][..],
        &["dance"],
        &["history"],
        &["history", "727", "--outcome", "lost"],
        &["serve", "--listen", "x"],
    ] {
        let output = run_command(loanhook_command(), arguments, "").await;
        assert_eq!(output.output.status.code(), Some(2), "{output:?}");
        assert!(output.output.stdout.is_empty());
    }
}

#[tokio::test]
async fn help_and_version_are_printed() {
    assert!(run_command(loanhook_command(), &["--help"], "").await.expect_success().contains("serve"));
    assert!(
        run_command(loanhook_command(), &["--version"], "").await.expect_success().starts_with("loanhook ")
    );
}

#[tokio::test]
async fn an_unreachable_server_or_a_wrong_key_is_one_line() {
    let j = Journey::start().await;
    let mut nowhere = loanhook_command();
    nowhere.env("LOANHOOK_URL", "http://127.0.0.1:9").env("LOANHOOK_KEY", "lh_some_key_0123456789");
    let error = run_command(nowhere, &["history", "727"], "").await.expect_failure(1);
    assert!(error.contains("http://127.0.0.1:9") && !error.contains("lh_some_key"), "{error}");
    let base = j.server.base_url().expect("the server runs");
    let error =
        run_as_caller(&j, &["history", "727", "--url", &base, "--key", "lh_wrong_key_0123456789"], "")
            .await
            .expect_failure(1);
    assert!(error.contains("401") && !error.contains("lh_wrong"), "{error}");
    let mut keyless = loanhook_command();
    keyless.env("LOANHOOK_URL", base);
    assert_ne!(run_command(keyless, &["history", "727"], "").await.output.status.code(), Some(0));
}

#[tokio::test]
async fn serve_reads_its_settings_from_the_environment() {
    let launch = Launch { settings_by_environment: true, ..Launch::default() };
    let Some(server) = Server::own_process_with(launch).await else { return };
    let j = Journey::on_server(server).await;
    j.subscribe("/hook", json!({})).await;
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    assert_eq!(delivery["status"], "succeeded", "the network is allowed");
    assert!(j.server.data_folder().join("loanhook.db").exists(), "the data is where it was to be");
}

#[tokio::test]
async fn demo_with_exit_prints_a_summary_and_ends() {
    let demo = run_command(loanhook_command(), &["demo", "--exit"], "").await;
    let printed = demo.expect_success();
    for word in ["30 events", "delivered", "retried", "exhausted", "manual"] {
        assert!(printed.contains(word), "{word}: {printed}");
    }
}

#[tokio::test]
async fn demo_outage_brings_every_delivery_through_and_checks_what_arrived() {
    let arguments = ["demo", "--outage", "--deliveries", "200", "--loans", "40"];
    let drill = run_command(loanhook_command(), &arguments, "").await;
    let printed = drill.expect_success();
    for words in [
        "6 deliveries have run out of retries",
        "after 18 failures in a row: no attempt is used up",
        "deliveries wait\n",
        "$ loanhook report",
        "waits: hold",
        "$ loanhook recover --subscription ",
        " to resend, oldest first",
        "150 deliveries came through within ",
        "200 of 200 payloads, each byte for byte as it was to be",
        "0 requests with other bytes",
        " of 40 loans",
    ] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    for arguments in [&["demo", "--loans", "40"][..], &["demo", "--outage", "--deliveries", "99"]] {
        let output = run_command(loanhook_command(), arguments, "").await;
        assert_eq!(output.output.status.code(), Some(2), "{output:?}");
    }
}

#[tokio::test]
async fn demo_prints_a_portal_link_that_opens_the_loans_page() {
    let mut command = tokio::process::Command::from(loanhook_command());
    command.arg("demo").stdout(std::process::Stdio::piped()).kill_on_drop(true);
    let mut demo = command.spawn().expect("it starts");
    let mut lines = BufReader::new(demo.stdout.take().expect("stdout is piped")).lines();
    let mut next_line_with = async |text: &str| {
        let found = within(text, async {
            while let Some(line) = lines.next_line().await.expect("it prints text") {
                if line.contains(text) {
                    return line.trim().to_owned();
                }
            }
            panic!("the demo ended without {text}");
        });
        found.await
    };
    let link = next_line_with("/portal?token=").await;
    let environment = next_line_with("export LOANHOOK_URL=").await;
    next_line_with("loanhook why 727").await;
    let why = next_line_with("loanhook why 727").await;
    let report = next_line_with("loanhook report").await;
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let opened = http.build().expect("a client").get(link).send().await.expect("an answer");
    assert_eq!(opened.headers()["location"], "/loans/727/webhooks?opened=1");
    // The commands work as they are printed.
    let run = async |line: &str| {
        let mut command = loanhook_command();
        for variable in environment.trim_start_matches("export ").split(' ') {
            let (name, value) = variable.split_once('=').expect("a variable");
            command.env(name, value);
        }
        let arguments: Vec<&str> = line.split(' ').skip(1).collect();
        run_command(command, &arguments, "").await.expect_success()
    };
    let explained = run(&why).await;
    assert!(explained.contains("`status-days-past-due` is 0"), "{explained}");
    let counted = run(&report).await;
    assert!(counted.contains("Exhausted") && counted.contains('█'), "{counted}");
    // SIGINT, as Ctrl-C sends it.
    let pid = demo.id().expect("it runs").to_string();
    let sent = std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill runs");
    assert!(sent.success());
    assert!(within("its end", demo.wait()).await.expect("it ends").success());
}

#[tokio::test]
async fn a_closed_standard_output_is_no_failure() {
    let j = Journey::start().await;
    for _ in 0..3 {
        j.api.post("/v1/events", &event("727")).await.expect_status(202);
    }
    let mut command = loanhook_command();
    command
        .env("LOANHOOK_URL", j.server.base_url().expect("the server runs"))
        .env("LOANHOOK_KEY", j.api.key());
    command.args(["event-types"]).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    drop(child.stdout.take());
    let output =
        tokio::task::spawn_blocking(|| child.wait_with_output().expect("it ends")).await.expect("awaited");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}
