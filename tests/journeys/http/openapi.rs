//! The OpenAPI document: it is valid, and requests generated from it get no response that it does not describe.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use serde_json::json;

use crate::harness::journey::ALL_SCOPES;
use crate::harness::{Journey, Launch, Server, event, text};

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,unsupported_method,allow_header_conformance,ignored_auth,use_after_free";
const EXAMPLES_PER_OPERATION: &str = "40";
/// Each request has another `X-Forwarded-For`: Schemathesis tries more wrong keys than one address may.
const HOOKS: &str = r#"
import random
import schemathesis

@schemathesis.hook
def before_call(ctx, case, **kwargs):
    if case.headers is None:
        case.headers = {}
    case.headers["X-Forwarded-For"] = f"2001:db8:{random.randrange(65536):x}:{random.randrange(65536):x}::1"
"#;
const LIMIT: Duration = Duration::from_secs(300);

/// A program of `tests/requirements.txt`.
fn tool(name: &str) -> PathBuf {
    let tool = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".venv/bin").join(name);
    assert!(tool.exists(), "{} is missing: run `make test`, which makes it", tool.display());
    tool
}

async fn run(name: &str, arguments: &[impl AsRef<OsStr>]) -> Output {
    let elsewhere = tempfile::tempdir().expect("a folder for what the tool leaves behind");
    let mut command = tokio::process::Command::new(tool(name));
    command
        .args(arguments)
        .current_dir(elsewhere.path())
        .kill_on_drop(true)
        .stdin(std::process::Stdio::null());
    match tokio::time::timeout(LIMIT, command.output()).await {
        Ok(output) => output.unwrap_or_else(|broken| panic!("{name} does not run: {broken}")),
        Err(_) => panic!("{name} took longer than {LIMIT:?}"),
    }
}

#[track_caller]
fn assert_success(output: &Output) {
    let (report, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{report}\n{errors}");
}

#[tokio::test]
async fn the_openapi_document_is_valid() {
    let j = Journey::start().await;
    let document = j.api.with_key(None).get("/openapi.json").await.expect_status(200);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("openapi.json");
    std::fs::write(&file, &document.body).expect("the document is written");
    assert_success(
        &run(
            "openapi-spec-validator",
            &[OsStr::new("--validation-errors"), OsStr::new("all"), file.as_os_str()],
        )
        .await,
    );
}

/// Runs Schemathesis with a key of all scopes and these settings.
async fn run_schemathesis(j: &Journey, config: &str) -> Output {
    let tester = j.api.with_new_key("tester", &ALL_SCOPES).await;
    let seed = std::env::var("LOANHOOK_FUZZ_SEED").unwrap_or_else(|_| fastrand::u32(..).to_string());
    eprintln!("LOANHOOK_FUZZ_SEED={seed} runs the same again");
    let document = format!("{}/openapi.json", j.server.base_url().expect("the server runs"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("schemathesis.toml");
    let hooks = folder.path().join("hooks.py");
    std::fs::write(&hooks, HOOKS).expect("the hooks are written");
    let config = format!("hooks = {:?}\n{config}", hooks.display().to_string());
    std::fs::write(&file, config).expect("the settings are written");
    let file = file.to_string_lossy();
    let authorization = format!("Authorization: Bearer {}", tester.key());
    let mut arguments =
        vec!["--no-color", "--config-file", &file, "run", &document, "--header", &authorization];
    arguments.extend(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--workers", "1"]);
    arguments.extend([
        "--max-examples",
        EXAMPLES_PER_OPERATION,
        "--seed",
        &seed,
        "--generation-database",
        "none",
    ]);
    let output = run("schemathesis", &arguments).await;
    assert_success(&output);
    assert!(!j.server.output().contains("panicked"), "{}", j.server.output());
    output
}

/// A server that trusts `X-Forwarded-For` of this machine.
async fn behind_a_proxy() -> Option<Journey> {
    let arguments = vec!["--trusted-proxy".to_owned(), "127.0.0.0/8".to_owned()];
    let server = Server::own_process_with(Launch { arguments, ..Launch::default() }).await?;
    Some(Journey::on_server(server).await)
}

#[tokio::test]
async fn generated_requests_get_no_5xx_and_only_documented_responses() {
    let Some(j) = behind_a_proxy().await else { return };
    run_schemathesis(&j, "").await;
}

#[tokio::test]
async fn generated_requests_with_existing_ids_get_no_5xx_and_only_documented_responses() {
    let Some(j) = behind_a_proxy().await else { return };
    let (used, spare) = (j.subscribe("/hook", json!({})).await, j.subscribe("/spare", json!({})).await);
    let (used, spare) = (text(&used["id"]), text(&spare["id"]));
    let settled = j.api.ended_delivery(&j.api.send_event(&event("727")).await[0]).await;
    let (trace, row) = (text(&settled["traceId"]), text(&settled["attempts"][0]["id"]));
    let key = j
        .api
        .post("/v1/keys", &json!({"name": "spare", "scopes": ["history:read"]}))
        .await
        .expect_status(201)
        .json();
    let body = json!({"filter": {"traceIds": [trace]}, "perSecond": 0.1});
    let resends = j.api.post("/v1/resends", &body).await.expect_status(202).json();
    let cancels = j.api.post("/v1/cancels", &body).await.expect_status(202).json();
    let (resends, cancels) = (text(&resends["id"]), text(&cancels["id"]));
    let operations = [
        ("/v1/resends/{id}", "GET", resends),
        ("/v1/resends/{id}/items", "GET", resends),
        ("/v1/resends/{id}", "DELETE", resends),
        ("/v1/cancels/{id}", "GET", cancels),
        ("/v1/cancels/{id}/items", "GET", cancels),
        ("/v1/cancels/{id}", "DELETE", cancels),
        ("/v1/loans/{loanId}/webhooks", "GET", ""),
        ("/v1/loans/{loanId}/webhooks/{id}", "GET", row),
        ("/v1/loans/{loanId}/webhooks/{id}/source", "GET", row),
        ("/v1/loans/{loanId}/webhooks/{id}/response", "GET", row),
        ("/v1/webhooks/{traceId}/attempts/{id}", "GET", row),
        ("/v1/webhooks/{traceId}/attempts/{id}/source", "GET", row),
        ("/v1/webhooks/{traceId}/attempts/{id}/response", "GET", row),
        ("/v1/subscriptions/{id}", "GET", used),
        ("/v1/subscriptions/{id}", "PUT", used),
        ("/v1/subscriptions/{id}", "DELETE", spare),
        ("/v1/subscriptions/{id}/rotate-secret", "POST", used),
        ("/v1/subscriptions/{id}/hold", "POST", used),
        ("/v1/subscriptions/{id}/release", "POST", used),
        ("/v1/subscriptions/{id}/test", "POST", used),
        ("/v1/keys/{id}", "DELETE", text(&key["id"])),
    ];
    let event_id = text(&settled["eventId"]);
    let mut config = format!(
        "[parameters]\n\"path.traceId\" = \"{trace}\"\n\"path.loanId\" = \"727\"\n\"path.attempt\" = \"1\"\n\
         \"path.eventId\" = \"{event_id}\"\n\"query.subscriptionId\" = \"{used}\"\n"
    );
    for (path, method, id) in operations {
        let parameters = format!("{{ \"path.id\" = \"{id}\", \"path.loanId\" = \"727\" }}");
        config += &format!("[[operations]]\ninclude-name = \"{method} {path}\"\nparameters = {parameters}\n");
    }
    let output = run_schemathesis(&j, &config).await;
    let report = String::from_utf8_lossy(&output.stdout);
    assert_eq!(never_found(&report), Vec::<&str>::new(), "it got beyond 404: {report}");
}

/// The operations for which Schemathesis reports nothing but 404, without DELETE, which is right to answer so from the
/// second call on.
fn never_found(report: &str) -> Vec<&str> {
    let warning = report.lines().skip_while(|line| !line.starts_with("Missing test data")).skip(1);
    let listed = warning.take_while(|line| line.is_empty() || line.starts_with([' ', 'N', '💡']));
    listed
        .filter_map(|line| line.trim().strip_prefix("- "))
        .filter(|name| !name.starts_with("DELETE"))
        .collect()
}

#[tokio::test]
async fn health_and_the_openapi_document_need_no_key() {
    let j = Journey::start().await;
    let anyone = j.api.with_key(None);
    anyone.get("/health").await.expect_status(200);
    let document = anyone.get("/openapi.json").await.expect_status(200).json();
    assert!(text(&document["openapi"]).starts_with("3.1"));
    for path in [
        "/v1/events",
        "/v1/events/batch",
        "/v1/subscriptions",
        "/v1/subscriptions/{id}",
        "/v1/loans/{loanId}/webhooks",
        "/v1/loans/{loanId}/events",
        "/v1/events/{eventId}",
        "/v1/events/{eventId}/context",
        "/v1/events/{eventId}/explain",
        "/v1/webhooks",
        "/v1/webhooks/{traceId}",
        "/v1/webhooks/{traceId}/attempts/{id}",
        "/v1/webhooks/{traceId}/resend",
        "/v1/resends",
        "/v1/resends/{id}/items",
        "/v1/cancels/{id}",
        "/api/public/api/1/webhook/retry/{traceId}/{attempt}",
        "/v1/keys",
        "/health",
    ] {
        assert!(document["paths"].get(path).is_some(), "{path} is described");
    }
}
