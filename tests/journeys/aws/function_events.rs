//! The files of `events/`: each file of a trigger is fed to its function where it is deployed, by Lambda's own Invoke.
//!
//! `LOANHOOK_TEST_FUNCTIONS` names what is deployed (`intake=…,delivery=…`), and AWS's own variables where. The names
//! in the files are samples, so they are replaced by those of the journey.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::api::traces;
use crate::harness::{Journey, Reply, skipped, text};

const INTAKE: &str = "intake";
const SUBSCRIPTIONS: &str = "subscriptions";
const HISTORY: &str = "history";
const RESEND: &str = "resend";
const DELIVERY: &str = "delivery";

/// Every trigger file, and whose it is.
const FILES: [(&str, &str); 12] = [
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
    ("sqs-batch", DELIVERY),
];

const SAMPLE_KEY: &str = "lh_local_stack_admin_key";
const SAMPLE_URL: &str = "https://core.example.com/hooks/loans";
const SAMPLE_TENANT: &str = "\"default\"";
/// The same within a body, which is text.
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

/// Whether this is what a trigger hands to a function, and not a list of loan events.
fn is_trigger(file: &Value) -> bool {
    let first = file.get(0).unwrap_or(file);
    first["eventName"].is_null()
}

#[test]
fn every_trigger_file_is_fed_to_a_function_and_every_function_has_one() {
    let folder = std::fs::read_dir(root().join("events")).expect("a folder of events");
    let names = folder.map(|entry| entry.expect("a file").path());
    let names = names.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned());
    let triggers: BTreeSet<String> = names
        .filter(|name| {
            is_trigger(&serde_json::from_str(&read(name)).unwrap_or_else(|no| panic!("{name}: {no}")))
        })
        .collect();
    assert_eq!(triggers, FILES.map(|(name, _)| name.to_owned()).into(), "each is fed below");
    let folder = std::fs::read_dir(root().join("functions")).expect("a folder of functions");
    let functions = folder.map(|entry| entry.expect("a function").file_name().to_string_lossy().into_owned());
    assert_eq!(functions.collect::<BTreeSet<_>>(), FILES.map(|(_, function)| function.to_owned()).into());
}

/// The deployed functions, and the names that stand in the place of the samples.
struct Deployed {
    functions: BTreeMap<String, String>,
    names: Vec<(&'static str, String)>,
    fed: BTreeSet<String>,
}

impl Deployed {
    fn named() -> Option<Self> {
        let Ok(told) = std::env::var("LOANHOOK_TEST_FUNCTIONS") else {
            skipped("it invokes functions, and LOANHOOK_TEST_FUNCTIONS names none");
            return None;
        };
        let pairs = told.split(',').filter_map(|pair| pair.split_once('='));
        let functions = pairs.map(|(name, deployed)| (name.to_owned(), deployed.to_owned())).collect();
        Some(Self { functions, names: Vec::new(), fed: BTreeSet::new() })
    }

    /// What the function of this file answers to it.
    async fn feed(&mut self, file: &str) -> Value {
        let (_, function) = FILES.iter().find(|(name, _)| *name == file).expect("a file of the list");
        self.fed.insert(file.to_owned());
        let replaced = self.names.iter().fold(read(file), |text, (sample, name)| text.replace(sample, name));
        self.invoke(function, &replaced).await.unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    async fn invoke(&self, function: &str, event: &str) -> Result<Value, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("event.json");
        std::fs::write(&file, event).expect("the event is written");
        let output =
            cargo_lambda(&file, &self.functions[function]).output().await.expect("cargo lambda runs");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            Ok(serde_json::from_str(&told).unwrap_or_else(|no_json| panic!("{no_json}: {told}")))
        } else {
            Err(told + &String::from_utf8_lossy(&output.stderr))
        }
    }

    /// The same file, asked in another way.
    async fn ask(&self, file: &str, change: impl Fn(&mut Value)) -> Value {
        let mut event: Value = serde_json::from_str(&read(file)).expect("JSON");
        change(&mut event);
        self.invoke(HISTORY, &event.to_string()).await.expect("an answer")
    }
}

/// Whose calls go to the account or the endpoint that the environment names.
fn cargo_lambda(event: &Path, function: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args(["lambda", "invoke", "--remote", "--output-format", "json", "--data-file"]).arg(event);
    command.arg(function);
    command
}

/// The status of an answer to the gateway, and its body.
fn answer(answer: &Value) -> (u64, Vec<u8>) {
    let status = answer["statusCode"].as_u64().unwrap_or_else(|| panic!("an answer has a status: {answer}"));
    let body = text(&answer["body"]);
    if answer["isBase64Encoded"] == true {
        return (status, BASE64_STANDARD.decode(body).expect("base64"));
    }
    (status, body.as_bytes().to_vec())
}

#[track_caller]
fn json_of(answered: &Value, status: u64) -> Value {
    let (got, body) = answer(answered);
    assert_eq!(got, status, "{answered}");
    serde_json::from_slice(&body).expect("the answer is JSON")
}

#[tokio::test]
async fn every_trigger_file_does_what_it_says() {
    let Some(mut deployed) = Deployed::named() else { return };
    let j = Journey::begin().await;
    deployed.names = vec![
        (SAMPLE_KEY, j.api.key().to_owned()),
        (SAMPLE_TENANT, format!("\"{}\"", j.tenant)),
        (SAMPLE_TENANT_IN_TEXT, format!(r#"\"{}\""#, j.tenant)),
        (SAMPLE_URL, j.receiver.url("/hook")),
    ];
    j.receiver.replies("/hook", [Reply::status(500)]);

    let created = json_of(&deployed.feed("api-subscription-create").await, 201);
    assert!(text(&created["signingSecret"]).starts_with("whsec_"));
    let listed = json_of(&deployed.feed("api-subscriptions-list").await, 200);
    assert_eq!(listed["items"][0]["id"], created["id"]);
    let keys = json_of(&deployed.feed("api-keys-list").await, 200);
    assert_eq!(keys["items"][0]["name"], "journey");

    let refused = json_of(&deployed.feed("api-event-not-utf8").await, 400);
    assert!(text(&refused["detail"]).contains("UTF-8"), "{refused}");
    let accepted = json_of(&deployed.feed("api-event").await, 202);
    assert_eq!(json_of(&deployed.feed("api-event").await, 202), accepted, "its idempotency key is the same");
    let trace = traces(&accepted).remove(0);
    let failed = j.api.after_attempts(&trace, 1).await["attempts"][0].clone();
    assert_eq!(failed["responseCode"], 500);
    assert_eq!(j.receiver.next().await.trace(), trace);
    deployed.names.push((SAMPLE_TRACE, trace.clone()));
    deployed.names.push((SAMPLE_ATTEMPT, text(&failed["id"]).to_owned()));

    let page = json_of(&deployed.feed("api-history").await, 200);
    assert_eq!(page["items"], json!([failed]), "its filter asks for what failed");
    let (status, source) = answer(&deployed.feed("api-download").await);
    assert_eq!(status, 200);
    let sent = j.receiver.seen_of(&trace).remove(0).body;
    assert_eq!(source, sent, "the exact bytes");

    // The second attempt is due in an hour, as the queue knows; here its message comes now. The row that a message asks
    // to resend was no resend, and the third is for the dead letters.
    assert_eq!(deployed.feed("sqs-batch").await, json!({"batchItemFailures": []}));
    let retried = j.receiver.next().await;
    assert_eq!((retried.trace(), retried.attempt()), (trace.as_str(), "2"));
    assert_eq!(j.api.after_attempts(&trace, 2).await["status"], "succeeded");

    let mut resent = vec![json_of(&deployed.feed("api-resend").await, 202)];
    resent.push(deployed.feed("resend-one").await);
    let list = deployed.feed("resend-list").await;
    resent.push(list[0].clone());
    assert!(text(&list[1]["error"]).contains("no such delivery"), "{list}");
    let delivery = j.api.after_attempts(&trace, 5).await;
    for asked in &resent {
        assert_eq!(asked["traceId"], trace);
        let rows = delivery["attempts"].as_array().expect("attempts");
        let row = rows.iter().find(|row| row["id"] == asked["id"]).expect("a row for each resend");
        assert_eq!((&row["attemptNumber"], &row["outcome"]), (&json!("manual"), &json!("succeeded")));
    }

    let batch = json_of(&deployed.feed("api-batch").await, 200);
    assert_eq!((&batch["results"][0]["status"], &batch["results"][1]["status"]), (&json!(202), &json!(422)));
    j.api.settled(&traces(&batch["results"][0]).remove(0)).await;
    assert_eq!(deployed.fed, FILES.map(|(name, _)| name.to_owned()).into(), "nothing is left out");
}

/// What an emulator's gateway keeps from the function.
#[tokio::test]
async fn what_a_gateway_may_hand_over_is_answered_as_over_http() {
    let Some(deployed) = Deployed::named() else { return };
    let asked = async |method: &str, path: &str| {
        let event = |event: &mut Value| {
            event["rawPath"] = path.into();
            event["requestContext"]["http"]["path"] = path.into();
            event["requestContext"]["http"]["method"] = method.into();
        };
        deployed.ask("api-history", event).await
    };
    json_of(&asked("GET", "/health").await, 200);
    let refused = asked("PUT", "/health").await;
    assert_eq!(json_of(&refused, 405)["status"], 405);
    assert!(text(&refused["headers"]["allow"]).contains("GET"), "{refused}");
    let problem = json_of(&asked("GET", "/v1/loans/%ff/webhooks").await, 404);
    assert_eq!(problem["status"], 404);
    let unknown =
        deployed.invoke(RESEND, &read("resend-one")).await.expect_err("the sample names no delivery");
    assert!(unknown.contains("no such delivery"), "{unknown}");
}
