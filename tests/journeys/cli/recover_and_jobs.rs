//! `recover` and `jobs`: the plan, the question, the end, and coming back to a job.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{run_as_caller, run_command};
use crate::harness::server::loanhook_command;
use crate::harness::{Gate, Journey, Reply, text, within};
use crate::recovery::{counts, ended_job, failed_on_own_process, id, make_job, resends};

async fn jobs(j: &Journey) -> Vec<Value> {
    let list = j.api.get("/v1/resends").await.expect_status(200).json();
    list["items"].as_array().expect("items").clone()
}

#[tokio::test]
async fn recover_shows_the_plan_asks_and_follows_to_the_end() {
    let Some((j, traces)) = failed_on_own_process(&["1", "2", "1"]).await else { return };
    let command = ["recover", "--since", "1h", "--per-second", "50"];
    for (arguments, answer) in [(&["--dry-run"][..], ""), (&[], "n\n")] {
        let planned = run_as_caller(&j, &[&command, arguments].concat(), answer).await;
        let plan = planned.expect_success();
        assert!(plan.starts_with("3 deliveries of 2 loans to resend, oldest first\n"), "{plan}");
        assert!(traces.iter().all(|trace| plan.contains(trace)), "{plan}");
        assert_eq!(planned.stderr().contains("nothing was resent"), arguments.is_empty(), "{planned:?}");
    }
    // Nobody answers.
    let unanswered = run_as_caller(&j, &command, "").await;
    let answered = (unanswered.output.status.code(), unanswered.stderr().contains("give --yes"));
    assert_eq!(answered, (Some(1), true), "{unanswered:?}");
    assert_eq!(jobs(&j).await, Vec::<Value>::new());

    let done = run_as_caller(&j, &command, "y\n").await;
    done.expect_success();
    assert!(done.stderr().ends_with("done: 3 of 3: 3 succeeded\n"), "{}", done.stderr());
    assert_eq!(resends(&j.api, &traces).await, [1; 3]);
    let made = &jobs(&j).await[0];
    let expected = (&json!("failed"), &json!(50.0), &json!(false));
    assert_eq!((&made["filter"]["status"], &made["perSecond"], &made["force"]), expected);

    // All have succeeded now: there is nothing left to resend.
    let nothing = run_as_caller(&j, &["recover", "--yes"], "").await.expect_success();
    assert_eq!(nothing, "0 deliveries of 0 loans to resend, oldest first\n");
    let listed = run_as_caller(&j, &["jobs"], "").await.expect_success();
    let row = listed.lines().nth(1).expect("a row");
    assert!([id(made), "resend", "done"].iter().all(|word| row.contains(word)), "{listed}");
    assert_eq!(run_as_caller(&j, &["jobs", id(made), "--json"], "").await.json(), *made);
    let shown = run_as_caller(&j, &["jobs", id(made)], "").await.expect_success();
    assert!(shown.contains("3 of 3: 3 succeeded"), "{shown}");
}

#[tokio::test]
async fn every_flag_of_recover_is_in_the_job() {
    let Some((j, traces)) = failed_on_own_process(&["1", "2", "1"]).await else { return };
    j.receiver.always("/hook", Reply::status(503));
    let subscription = text(&j.api.delivery(&traces[0]).await["subscriptionId"]).to_owned();
    let command = [
        "recover",
        "--yes",
        "--json",
        "--subscription",
        &subscription,
        "--event",
        "Payment Posted to Account",
        "--loan",
        "1",
        "--response-code",
        "5xx",
        "--since",
        "1h",
        "--until",
        "now",
        "--newest-per-loan",
        "--stop-after-failures",
        "1",
        "--force",
        "--to",
        "current",
        "--per-second",
        "0.5",
    ];
    let stopped = run_as_caller(&j, &command, "").await;
    let errors = stopped.stderr();
    assert_eq!(stopped.output.status.code(), Some(1), "{errors}");
    assert!(errors.ends_with("error: the job stopped, since too many resends in a row failed\n"), "{errors}");
    let made = &jobs(&j).await[0];
    assert_eq!(counts(made), [2, 0, 1, 0, 1, 0]);
    for (pointer, value) in [
        ("/filter/subscriptionId", json!(subscription)),
        ("/filter/eventName", json!("Payment Posted to Account")),
        ("/filter/loanId", json!("1")),
        ("/filter/responseCode", json!("5xx")),
        ("/newestPerLoan", json!(true)),
        ("/stopAfterFailures", json!(1)),
        ("/force", json!(true)),
        ("/to", json!("current")),
        ("/perSecond", json!(0.5)),
    ] {
        assert_eq!(made.pointer(pointer), Some(&value), "{pointer}");
    }
    assert!(!made["filter"]["from"].is_null() && !made["filter"]["to"].is_null(), "{made}");
}

/// Ctrl-C leaves the job running.
#[tokio::test]
async fn an_interrupted_recover_says_how_to_come_back_and_leaves_the_job_running() {
    let Some((j, traces)) = failed_on_own_process(&["1", "2"]).await else { return };
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let mut command = tokio::process::Command::from(loanhook_command());
    command
        .env("LOANHOOK_URL", j.server.base_url().expect("the server runs"))
        .env("LOANHOOK_KEY", j.api.key())
        .args(["recover", "--yes", "--per-second", "100"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().expect("the command starts");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
    // The plan, the job, and the first line about it: it is followed from then on.
    let mut next = async || within("a line", lines.next_line()).await.expect("text").unwrap_or_default();
    let job = next().await.strip_prefix("job ").expect("the ID of the job").to_owned();
    let _ = next().await;
    let process = child.id().expect("it runs").to_string();
    let killed = std::process::Command::new("kill").args(["-INT", &process]).status();
    assert!(killed.expect("kill").success());
    assert_eq!(within("the end", child.wait()).await.expect("an exit").code(), Some(0));
    let mut note = String::new();
    while !note.contains("goes on") {
        note = next().await;
    }
    assert!(note.contains(&format!("`loanhook jobs {job} --stop`")), "{note}");

    let arguments = ["jobs", &job];
    let following = run_as_caller(&j, &arguments, "");
    let (followed, ()) = tokio::join!(following, async { gate.open() });
    followed.expect_success();
    assert_eq!(counts(&ended_job(&j.api, "resends", &job).await), [2, 2, 0, 0, 0, 0]);
    assert_eq!(resends(&j.api, &traces).await, [1, 1]);
}

#[tokio::test]
async fn jobs_stops_a_job_of_either_kind() {
    let Some((j, traces)) = failed_on_own_process(&["1", "2"]).await else { return };
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let made = make_job(&j.api, "resends", &json!({"filter": {"traceIds": traces}, "perSecond": 0.1})).await;
    j.receiver.next_request().await;
    let stopped = run_as_caller(&j, &["jobs", id(&made), "--stop"], "").await.expect_success();
    assert!(stopped.contains("stopped (requested)"), "{stopped}");
    gate.open();
    let ended = ended_job(&j.api, "resends", id(&made)).await;
    assert_eq!(counts(&ended), [2, 1, 0, 0, 0, 1]);
    let cancel = make_job(&j.api, "cancels", &json!({"filter": {"traceIds": traces}})).await;
    let ended = ended_job(&j.api, "cancels", id(&cancel)).await;
    let shown = run_as_caller(&j, &["jobs", id(&cancel), "--stop", "--json"], "").await.json();
    assert_eq!(shown, ended);
    let kinds = run_as_caller(&j, &["jobs"], "").await.expect_success();
    assert!(kinds.contains("cancel") && kinds.contains("resend"), "{kinds}");
    let unknown = "0193b2a4-0000-7000-8000-00000000002f";
    assert!(run_as_caller(&j, &["jobs", unknown], "").await.expect_failure(1).contains("no such job"));
    let mut command = loanhook_command();
    command.env("LOANHOOK_URL", "http://127.0.0.1:9").env("LOANHOOK_KEY", "lh_x");
    run_command(command, &["jobs"], "").await.expect_failure(1);
}
