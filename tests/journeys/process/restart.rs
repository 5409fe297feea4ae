//! One process: how it starts, ends, and takes up what it left.

use std::process::Stdio;

use serde_json::json;

use crate::harness::server::{OPERATOR_KEY, serve};
use crate::harness::{Api, Gate, Journey, Launch, Reply, Target, event, eventually, instant, text, within};

#[tokio::test]
async fn what_was_accepted_and_answered_survives_a_kill() {
    let Some(j) = Journey::alone().await else { return };
    let made = j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    let before = j.api.settled(&trace).await;
    let rows = j.api.rows("727", "").await;

    j.target.kill();
    j.target.restart().await;

    assert_eq!(j.api.delivery(&trace).await, before);
    assert_eq!(j.api.rows("727", "").await, rows);
    let source = j.api.get(text(&rows[0]["source"]["href"])).await.is(200);
    assert_eq!(source.body, j.receiver.seen()[0].body);
    j.api.get(&format!("/v1/subscriptions/{}", text(&made["id"]))).await.is(200);
    let again = j.api.resend(&trace).await;
    assert_eq!(j.api.after_attempts(&trace, 2).await["attempts"][1]["id"], again);
}

#[tokio::test]
async fn a_restart_takes_up_retries_that_are_due_and_no_other() {
    let Some(j) = Journey::alone().await else { return };
    j.subscribe("/soon", json!({"retry": {"delays": [1]}})).await;
    j.subscribe("/late", json!({"retry": {"delays": [3600]}})).await;
    for path in ["/soon", "/late"] {
        j.receiver.replies(path, [Reply::status(500)]);
    }
    let traces = j.api.send(&event("727")).await;
    for trace in &traces {
        j.api.delivery_when(trace, |delivery| delivery["attempts"][0]["outcome"] == "failed").await;
    }
    j.target.kill();
    j.target.restart().await;

    for trace in &traces {
        if j.receiver.seen_of(trace)[0].target == "/soon" {
            let delivery = j.api.settled(trace).await;
            assert_eq!(delivery["status"], "succeeded");
            assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(2));
            assert!(
                instant(&delivery["attempts"][1]["sentAt"])
                    >= instant(&delivery["attempts"][0]["nextAttemptAt"])
            );
        }
    }
    let late =
        traces.iter().find(|trace| j.receiver.seen_of(trace)[0].target == "/late").expect("the late one");
    let late = j.api.delivery(late).await;
    assert_eq!((&late["status"], late["attempts"].as_array().map(Vec::len)), (&json!("pending"), Some(1)));
    assert_eq!(late["nextAttemptAt"], late["attempts"][0]["nextAttemptAt"]);
}

#[tokio::test]
async fn sigterm_stops_intake_finishes_what_is_in_flight_and_exits_0() {
    let Some(j) = Journey::alone().await else { return };
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::with(200, &[], b"slowly").held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    j.receiver.next().await;

    j.target.terminate();
    eventually("intake stops", async || {
        match j.api.request("POST", "/v1/events").json(&event("728")).attempt().await {
            Ok(answer) if answer.status == 202 => None,
            Ok(answer) => Some(answer.problem(503).is_object()),
            Err(_) => Some(true),
        }
    })
    .await;
    gate.open();
    assert_eq!(j.target.exit().await.code(), Some(0));

    j.target.restart().await;
    let delivery = j.api.delivery(&trace).await;
    assert_eq!(delivery["status"], "succeeded", "{delivery:#}");
    let rows = delivery["attempts"].as_array().expect("attempts");
    assert_eq!(rows.len(), 1, "it was not interrupted");
    assert_eq!(j.api.get(text(&rows[0]["response"]["href"])).await.is(200).body, b"slowly");
}

#[tokio::test]
async fn an_idle_process_exits_0_on_sigterm() {
    let Some(target) = Target::process().await else { return };
    target.terminate();
    assert_eq!(target.exit().await.code(), Some(0));
}

#[tokio::test]
async fn a_second_process_on_one_data_folder_refuses_and_says_why() {
    let Some(j) = Journey::alone().await else { return };
    let second = serve(j.target.data(), &Launch::default()).spawn().expect("it starts");
    let second = tokio::task::spawn_blocking(|| second.wait_with_output().expect("it ends"));
    let output = within("the end of the second process", second).await.expect("it was awaited");
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains(&*j.target.data().to_string_lossy()), "it names the folder: {told}");
    assert!(!told.contains("panicked"), "{told}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("listening"));
    j.subscribe("/hook", json!({})).await;
    assert_eq!(
        j.api.settled(&j.api.send_one(&event("727")).await).await["status"],
        "succeeded",
        "the first goes on"
    );
}

#[tokio::test]
async fn the_first_start_makes_a_key_and_prints_it_once() {
    let unset = Launch { environment: Vec::new(), ..Launch::default() };
    let Some(target) = Target::process_with(unset).await else { return };
    let said = target.said();
    let key =
        said.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').find(|word| word.starts_with("lh_"));
    let key = key.unwrap_or_else(|| panic!("the key is printed: {said}")).to_owned();
    assert_eq!(said.matches(key.as_str()).count(), 1);
    let keys = Api::new(&target, Some(&key)).get("/v1/keys").await.is(200).json();
    assert_eq!(keys["items"][0]["tenant"], "default");
    target.kill();
    target.restart().await;
    assert_eq!(target.said().matches("lh_").count(), 1, "a second start makes no other, and prints none");
    Api::new(&target, Some(&key)).get("/v1/keys").await.is(200);
}

#[tokio::test]
async fn the_admin_key_of_the_environment_has_every_scope_and_is_never_printed() {
    let Some(j) = Journey::alone().await else { return };
    let operator = j.operator();
    operator.get("/v1/subscriptions").await.is(200);
    operator.post("/v1/keys", &json!({"name": "second", "scopes": ["operator"]})).await.is(201);
    j.target.kill();
    j.target.restart().await;
    operator.send(&event("727")).await;
    assert!(!j.target.said().contains(OPERATOR_KEY));
    let keys = operator.get("/v1/keys").await.is(200).json();
    assert_eq!(keys["items"].as_array().map(Vec::len), Some(2), "a second start adds no second key: {keys}");
}

#[tokio::test]
async fn settings_that_make_no_sense_end_the_start_with_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let with_key = |key: &str| Launch {
        environment: vec![("LOANHOOK_ADMIN_KEY".to_owned(), key.to_owned())],
        ..Launch::default()
    };
    let networks = |network: &str| Launch { networks: vec![network.to_owned()], ..Launch::default() };
    for launch in [
        with_key("short"),
        with_key("lh_short"),
        with_key("lh_has-a-dash-0123456789"),
        networks("127.0.0.0/33"),
        networks("x"),
    ] {
        let child =
            serve(&folder.path().join("data"), &launch).stdin(Stdio::null()).spawn().expect("it starts");
        let ended = tokio::task::spawn_blocking(|| child.wait_with_output().expect("it ends"));
        let output = within("the end of a process that cannot start", ended).await.expect("it was awaited");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(!told.trim().is_empty() && !told.contains("panicked"), "{told}");
        assert!(!told.contains("0123456789"), "no key is shown: {told}");
    }
}
