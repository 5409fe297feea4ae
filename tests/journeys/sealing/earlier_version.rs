//! A data folder of an earlier version, which stored secrets in clear, is sealed at its first start.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::{sealed_with, shown};
use crate::harness::server::new_folder;
use crate::harness::wait::pause;
use crate::harness::{Api, Launch, Server, text};

/// What the earlier version answered, with the secrets that it had stored.
fn told() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored/sqlite/answers.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("the answers")).expect("JSON")
}

/// A folder with a copy of its data.
fn earlier_folder() -> Arc<TempDir> {
    let folder = new_folder();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    let database = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored/sqlite/loanhook.db");
    std::fs::copy(database, data.join("loanhook.db")).expect("a copy");
    folder
}

/// Signing secrets, and header values without placeholders that are no common words.
fn secrets(told: &Value) -> Vec<String> {
    let mut all = BTreeSet::new();
    for webhook in told["credentials"].as_object().expect("webhooks").values() {
        let headers = webhook["headers"].as_object().into_iter().flat_map(|headers| headers.values());
        all.extend(
            headers.map(text).filter(|value| value.len() > 8 && !value.contains("[[")).map(str::to_owned),
        );
        let signing = webhook["signingSecrets"].as_array().into_iter().flatten();
        all.extend(signing.map(|secret| text(secret).to_owned()));
    }
    all.into_iter().collect()
}

fn launch(told: &Value) -> Launch {
    let environment = vec![("LOANHOOK_ADMIN_KEY".to_owned(), text(&told["keys"]["admin"]).to_owned())];
    Launch { environment, allowed_networks: Vec::new(), ..Launch::default() }
}

#[tokio::test]
async fn what_was_stored_in_clear_is_in_no_byte_after_the_first_start() {
    let told = told();
    let secrets = secrets(&told);
    let folder = earlier_folder();
    let data = folder.path().join("data");
    let in_clear = shown(&data, &secrets);
    assert!(in_clear.len() > 20, "an earlier version stored them: {in_clear:?}");
    let server = Server::own_process_in(&folder, launch(&told)).await;
    sealed_with(&data).await;
    assert_eq!(shown(&data, &secrets), Vec::<String>::new());
    let key = text(&told["keys"]["admin"]);
    for id in told["credentials"].as_object().expect("webhooks").keys() {
        let answer = Api::new(&server, Some(key)).get(&format!("/v1/subscriptions/{id}")).await;
        assert!([200, 404].contains(&answer.status), "{answer:?}");
    }
    server.stop().await;
    assert_eq!(shown(&data, &secrets), Vec::<String>::new());
}

#[tokio::test]
async fn a_first_start_that_is_killed_is_made_up_for_by_the_next() {
    let told = told();
    let secrets = secrets(&told);
    for millis in [0, 5, 10, 20, 40, 80] {
        let folder = earlier_folder();
        let data = folder.path().join("data");
        let server = Server::own_process_in(&folder, launch(&told)).await;
        pause(Duration::from_millis(millis)).await;
        server.kill();
        server.restart().await;
        sealed_with(&data).await;
        assert_eq!(shown(&data, &secrets), Vec::<String>::new(), "killed after {millis} ms");
        let output = server.output();
        assert!(!output.contains("unreadable"), "{output}");
    }
}
