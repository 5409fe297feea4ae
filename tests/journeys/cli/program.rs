//! The program as a whole: help, what it does not understand, where nothing listens, and the demo.

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{ran, run};
use crate::harness::server::loanhook;
use crate::harness::{Journey, Launch, Target, event, within};

#[tokio::test]
async fn what_is_not_understood_ends_with_2() {
    for arguments in [
        &[][..],
        &["dance"],
        &["history"],
        &["history", "727", "--outcome", "lost"],
        &["serve", "--listen", "x"],
    ] {
        let output = ran(loanhook(), arguments, "").await;
        assert_eq!(output.output.status.code(), Some(2), "{output:?}");
        assert!(output.output.stdout.is_empty());
    }
}

#[tokio::test]
async fn help_and_version_are_told() {
    assert!(ran(loanhook(), &["--help"], "").await.printed().contains("serve"));
    assert!(ran(loanhook(), &["--version"], "").await.printed().starts_with("loanhook "));
}

#[tokio::test]
async fn where_nothing_listens_or_the_key_is_wrong_one_line_says_so() {
    let j = Journey::begin().await;
    let mut nowhere = loanhook();
    nowhere.env("LOANHOOK_URL", "http://127.0.0.1:9").env("LOANHOOK_KEY", "lh_some_key_0123456789");
    let told = ran(nowhere, &["history", "727"], "").await.failed(1);
    assert!(told.contains("http://127.0.0.1:9") && !told.contains("lh_some_key"), "{told}");
    let base = j.target.base().expect("the server runs");
    let told =
        run(&j, &["history", "727", "--url", &base, "--key", "lh_wrong_key_0123456789"], "").await.failed(1);
    assert!(told.contains("401") && !told.contains("lh_wrong"), "{told}");
    let mut keyless = loanhook();
    keyless.env("LOANHOOK_URL", base);
    assert_ne!(ran(keyless, &["history", "727"], "").await.output.status.code(), Some(0));
}

#[tokio::test]
async fn serve_takes_its_settings_from_the_environment_too() {
    let launch = Launch { by_environment: true, ..Launch::default() };
    let Some(target) = Target::process_with(launch).await else { return };
    let j = Journey::on(target).await;
    j.subscribe("/hook", json!({})).await;
    let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;
    assert_eq!(delivery["status"], "succeeded", "the network is allowed");
    assert!(j.target.data().join("loanhook.db").exists(), "the data is where it was to be");
}

#[tokio::test]
async fn the_demo_ends_by_itself_with_a_summary() {
    let demo = ran(loanhook(), &["demo", "--exit"], "").await;
    let printed = demo.printed();
    for word in ["30 events", "delivered", "retried", "exhausted", "manual"] {
        assert!(printed.contains(word), "{word}: {printed}");
    }
}

#[tokio::test]
async fn the_demo_that_stays_prints_a_link_that_opens_the_loans_page() {
    let mut command = tokio::process::Command::from(loanhook());
    command.arg("demo").stdout(std::process::Stdio::piped()).kill_on_drop(true);
    let mut demo = command.spawn().expect("it starts");
    let mut lines = BufReader::new(demo.stdout.take().expect("stdout is piped")).lines();
    let link = within("the link", async {
        while let Some(line) = lines.next_line().await.expect("it prints text") {
            if line.contains("/portal?token=") {
                return line.trim().to_owned();
            }
        }
        panic!("the demo ended without a link");
    });
    let link = link.await;
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let opened = http.build().expect("a client").get(link).send().await.expect("an answer");
    assert_eq!(opened.headers()["location"], "/loans/727/webhooks?opened=1");
    // As Ctrl-C does, it removes its folder.
    let pid = demo.id().expect("it runs").to_string();
    let told = std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill runs");
    assert!(told.success());
    assert!(within("its end", demo.wait()).await.expect("it ends").success());
}

#[tokio::test]
async fn output_that_nobody_reads_to_its_end_is_no_failure() {
    let j = Journey::begin().await;
    for _ in 0..3 {
        j.api.post("/v1/events", &event("727")).await.is(202);
    }
    let mut command = loanhook();
    command.env("LOANHOOK_URL", j.target.base().expect("the server runs")).env("LOANHOOK_KEY", j.api.key());
    command.args(["event-types"]).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    drop(child.stdout.take());
    let output =
        tokio::task::spawn_blocking(|| child.wait_with_output().expect("it ends")).await.expect("awaited");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}
