//! The document says what the API does: it validates, and a tester made from it finds no answer that it does not describe.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use crate::harness::journey::ALL_SCOPES;
use crate::harness::{Journey, Target};

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";
const EXAMPLES_PER_OPERATION: &str = "40";
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
fn is_content(output: &Output) {
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{errors}");
}

#[tokio::test]
async fn the_document_validates() {
    let j = Journey::begin().await;
    let document = j.api.with_key(None).get("/openapi.json").await.is(200);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("openapi.json");
    std::fs::write(&file, &document.body).expect("the document is written");
    is_content(
        &run(
            "openapi-spec-validator",
            &[OsStr::new("--validation-errors"), OsStr::new("all"), file.as_os_str()],
        )
        .await,
    );
}

#[tokio::test]
async fn a_tester_made_from_the_document_finds_no_5xx_and_no_answer_that_is_not_described() {
    let Some(target) = Target::process().await else { return };
    let j = Journey::on(target).await;
    let tester = j.api.colleague("tester", &ALL_SCOPES).await;
    let seed = std::env::var("LOANHOOK_FUZZ_SEED").unwrap_or_else(|_| fastrand::u32(..).to_string());
    eprintln!("LOANHOOK_FUZZ_SEED={seed} runs the same again");
    let document = format!("{}/openapi.json", j.target.base().expect("the server runs"));
    let authorization = format!("Authorization: Bearer {}", tester.key());
    let output = run(
        "schemathesis",
        &[
            "--no-color",
            "run",
            &document,
            "--header",
            &authorization,
            "--checks",
            CHECKS,
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            EXAMPLES_PER_OPERATION,
            "--seed",
            &seed,
            "--generation-database",
            "none",
            "--workers",
            "2",
        ],
    )
    .await;
    is_content(&output);
    assert!(!j.target.said().contains("panicked"), "{}", j.target.said());
}
