//! Sample events of `events/`: each function is invoked with those that are meant for it, where it is deployed.
//!
//! `LOANHOOK_TEST_FUNCTIONS` names the deployed functions (`intake=…,delivery=…`), and the variables of AWS say where
//! they are. Key, tenant, URL and IDs in the files are samples, which are replaced by those of the journey.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::{Journey, Reply, attempts_of, report_skipped, text, trace_ids};

const INTAKE: &str = "intake";
const SUBSCRIPTIONS: &str = "subscriptions";
const HISTORY: &str = "history";
const RESEND: &str = "resend";
const DELIVERY: &str = "delivery";
const REPORTS: &str = "reports";
const SWEEP: &str = "sweep";

/// Every sample event, and the function that it is for.
const SAMPLE_EVENTS: [(&str, &str); 14] = [
    ("api-batch", INTAKE),
    ("api-download", HISTORY),
    ("api-event", INTAKE),
    ("api-event-not-utf8", INTAKE),
    ("api-history", HISTORY),
    ("api-keys-list", SUBSCRIPTIONS),
    ("api-resend", HISTORY),
    ("api-subscription-create", SUBSCRIPTIONS),
    ("api-subscriptions-list", SUBSCRIPTIONS),
    ("resend-list", RESEND),
    ("resend-one", RESEND),
    ("schedule", SWEEP),
    ("schedule", REPORTS),
    ("sqs-batch", DELIVERY),
];

const SAMPLE_KEY: &str = "lh_local_stack_admin_key";
const SAMPLE_URL: &str = "https://core.example.com/hooks/loans";
const SAMPLE_TENANT: &str = "\"default\"";
/// The same in a body, where quotes are escaped.
const SAMPLE_TENANT_IN_TEXT: &str = r#"\"default\""#;
const SAMPLE_TRACE: &str = "78e763c3-1c5e-5b2a-9d2f-0c5d2f6b7a41";
const SAMPLE_ATTEMPT: &str = "019a4e7d-7f20-7c31-8a55-3f1d2b6c9e10";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    let path = root().join("events").join(name).with_extension("json");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether this is the event of a function, and not a list of loan events.
fn is_function_event(file: &Value) -> bool {
    let first = file.get(0).unwrap_or(file);
    first["eventName"].is_null()
}

#[test]
fn every_sample_event_is_used_and_every_function_has_one() {
    let folder = std::fs::read_dir(root().join("events")).expect("a folder of events");
    let names = folder.map(|entry| entry.expect("a file").path());
    let names = names.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned());
    let names: BTreeSet<String> = names
        .filter(|name| {
            is_function_event(&serde_json::from_str(&read(name)).unwrap_or_else(|no| panic!("{name}: {no}")))
        })
        .collect();
    assert_eq!(names, SAMPLE_EVENTS.map(|(name, _)| name.to_owned()).into(), "each is used below");
    let folder = std::fs::read_dir(root().join("functions")).expect("a folder of functions");
    let functions = folder.map(|entry| entry.expect("a function").file_name().to_string_lossy().into_owned());
    assert_eq!(
        functions.collect::<BTreeSet<_>>(),
        SAMPLE_EVENTS.map(|(_, function)| function.to_owned()).into()
    );
}

/// The deployed functions, and what replaces the samples in their events.
pub(super) struct Deployed {
    functions: BTreeMap<String, String>,
    names: Vec<(&'static str, String)>,
    used: BTreeSet<String>,
}

impl Deployed {
    pub(super) fn from_environment() -> Option<Self> {
        let Ok(named) = std::env::var("LOANHOOK_TEST_FUNCTIONS") else {
            report_skipped("it invokes functions, and LOANHOOK_TEST_FUNCTIONS names none");
            return None;
        };
        let pairs = named.split(',').filter_map(|pair| pair.split_once('='));
        let functions = pairs.map(|(name, deployed)| (name.to_owned(), deployed.to_owned())).collect();
        Some(Self { functions, names: Vec::new(), used: BTreeSet::new() })
    }

    /// The result of the function that this sample event is for.
    async fn invoke_with(&mut self, file: &str) -> Value {
        let (_, function) = SAMPLE_EVENTS.iter().find(|(name, _)| *name == file).expect("a file of the list");
        self.used.insert(file.to_owned());
        let replaced = self.names.iter().fold(read(file), |text, (sample, name)| text.replace(sample, name));
        self.invoke(function, &replaced).await.unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    pub(super) async fn invoke(&self, function: &str, event: &str) -> Result<Value, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("event.json");
        std::fs::write(&file, event).expect("the event is written");
        let output =
            cargo_lambda(&file, &self.functions[function]).output().await.expect("cargo lambda runs");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            Ok(serde_json::from_str(&stdout).unwrap_or_else(|no_json| panic!("{no_json}: {stdout}")))
        } else {
            Err(stdout + &String::from_utf8_lossy(&output.stderr))
        }
    }

    /// The result of the history function for a changed sample event.
    async fn invoke_changed(&self, file: &str, change: impl Fn(&mut Value)) -> Value {
        let mut event: Value = serde_json::from_str(&read(file)).expect("JSON");
        change(&mut event);
        self.invoke(HISTORY, &event.to_string()).await.expect("an answer")
    }
}

/// An invocation through Lambda's Invoke, at the account or endpoint that the environment names.
fn cargo_lambda(event: &Path, function: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args(["lambda", "invoke", "--remote", "--output-format", "json", "--data-file"]).arg(event);
    command.arg(function);
    command
}

/// The status and the body of a response to the gateway.
fn status_and_body(answer: &Value) -> (u64, Vec<u8>) {
    let status = answer["statusCode"].as_u64().unwrap_or_else(|| panic!("an answer has a status: {answer}"));
    let body = text(&answer["body"]);
    if answer["isBase64Encoded"] == true {
        return (status, BASE64_STANDARD.decode(body).expect("base64"));
    }
    (status, body.as_bytes().to_vec())
}

#[track_caller]
fn expect_json(answered: &Value, status: u64) -> Value {
    let (got, body) = status_and_body(answered);
    assert_eq!(got, status, "{answered}");
    serde_json::from_slice(&body).expect("the answer is JSON")
}

#[tokio::test]
async fn each_sample_event_does_what_its_name_says() {
    let Some(mut deployed) = Deployed::from_environment() else { return };
    let j = Journey::start().await;
    deployed.names = vec![
        (SAMPLE_KEY, j.api.key().to_owned()),
        (SAMPLE_TENANT, format!("\"{}\"", j.tenant)),
        (SAMPLE_TENANT_IN_TEXT, format!(r#"\"{}\""#, j.tenant)),
        (SAMPLE_URL, j.receiver.url("/hook")),
    ];
    j.receiver.replies("/hook", [Reply::status(500)]);

    let created = expect_json(&deployed.invoke_with("api-subscription-create").await, 201);
    assert!(text(&created["signingSecret"]).starts_with("whsec_"));
    let listed = expect_json(&deployed.invoke_with("api-subscriptions-list").await, 200);
    assert_eq!(listed["items"][0]["id"], created["id"]);
    let keys = expect_json(&deployed.invoke_with("api-keys-list").await, 200);
    assert_eq!(keys["items"][0]["name"], "journey");

    let refused = expect_json(&deployed.invoke_with("api-event-not-utf8").await, 400);
    assert!(text(&refused["detail"]).contains("UTF-8"), "{refused}");
    let accepted = expect_json(&deployed.invoke_with("api-event").await, 202);
    assert_eq!(
        expect_json(&deployed.invoke_with("api-event").await, 202),
        accepted,
        "its idempotency key is the same"
    );
    let trace = trace_ids(&accepted).remove(0);
    let failed = j.api.delivery_after_attempts(&trace, 1).await["attempts"][0].clone();
    assert_eq!(failed["responseCode"], 500);
    assert_eq!(j.receiver.next_request().await.trace_id(), trace);
    deployed.names.push((SAMPLE_TRACE, trace.clone()));
    deployed.names.push((SAMPLE_ATTEMPT, text(&failed["id"]).to_owned()));

    let page = expect_json(&deployed.invoke_with("api-history").await, 200);
    assert_eq!(page["items"], json!([failed]), "its filter asks for what failed");
    let (status, source) = status_and_body(&deployed.invoke_with("api-download").await);
    assert_eq!(status, 200);
    let sent = j.receiver.requests_of(&trace).remove(0).body;
    assert_eq!(source, sent, "the exact bytes");

    // The second attempt is due in an hour; here its message comes now. The second message asks to send a row that was no
    // resend, and the third goes to the dead-letter queue.
    assert_eq!(deployed.invoke_with("sqs-batch").await, json!({"batchItemFailures": []}));
    let retried = j.receiver.next_request().await;
    assert_eq!((retried.trace_id(), retried.attempt_number()), (trace.as_str(), "2"));
    assert_eq!(j.api.delivery_after_attempts(&trace, 2).await["status"], "succeeded");

    let mut resent = vec![expect_json(&deployed.invoke_with("api-resend").await, 202)];
    resent.push(deployed.invoke_with("resend-one").await);
    let list = deployed.invoke_with("resend-list").await;
    resent.push(list[0].clone());
    assert!(text(&list[1]["error"]).contains("no such delivery"), "{list}");
    let delivery = j.api.delivery_after_attempts(&trace, 5).await;
    for asked in &resent {
        assert_eq!(asked["traceId"], trace);
        let rows = attempts_of(&delivery);
        let row = rows.iter().find(|row| row["id"] == asked["id"]).expect("a row for each resend");
        assert_eq!((&row["attemptNumber"], &row["outcome"]), (&json!("manual"), &json!("succeeded")));
    }

    let batch = expect_json(&deployed.invoke_with("api-batch").await, 200);
    assert_eq!((&batch["results"][0]["status"], &batch["results"][1]["status"]), (&json!(202), &json!(422)));
    j.api.ended_delivery(&trace_ids(&batch["results"][0]).remove(0)).await;

    // What came before in this stack decides the numbers.
    let swept = deployed.invoke_with("schedule").await;
    for number in [
        "handedOver",
        "checked",
        "woken",
        "wokenJobs",
        "wokenSubscriptions",
        "oldestDueSeconds",
        "lagSeconds",
    ] {
        assert!(swept[number].is_u64(), "{swept}");
    }
    let counted = deployed.invoke(REPORTS, &read("schedule")).await.expect("an answer");
    assert!(counted["records"].is_u64() && counted["superseded"].is_boolean(), "{counted}");
    assert_eq!(deployed.used, SAMPLE_EVENTS.map(|(name, _)| name.to_owned()).into(), "nothing is left out");
}

/// Requests that the gateway of an emulator answers itself or changes.
#[tokio::test]
async fn requests_that_an_emulated_gateway_keeps_back_are_answered_as_over_http() {
    let Some(deployed) = Deployed::from_environment() else { return };
    let asked = async |method: &str, path: &str| {
        let event = |event: &mut Value| {
            event["rawPath"] = path.into();
            event["requestContext"]["http"]["path"] = path.into();
            event["requestContext"]["http"]["method"] = method.into();
        };
        deployed.invoke_changed("api-history", event).await
    };
    expect_json(&asked("GET", "/health").await, 200);
    let refused = asked("PUT", "/health").await;
    assert_eq!(expect_json(&refused, 405)["status"], 405);
    assert!(text(&refused["headers"]["allow"]).contains("GET"), "{refused}");
    let problem = expect_json(&asked("GET", "/v1/loans/%ff/webhooks").await, 404);
    assert_eq!(problem["status"], 404);
    let unknown =
        deployed.invoke(RESEND, &read("resend-one")).await.expect_err("the sample names no delivery");
    assert!(unknown.contains("no such delivery"), "{unknown}");
}
