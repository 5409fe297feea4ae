//! The key that `LOANHOOK_ADMIN_KEY` names, from one start to the next.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::server::serve;
use crate::harness::{Api, Launch, Target, eventually, text, within};

const FIRST: &str = "lh_first_admin_key_0123456789";
const SECOND: &str = "lh_second_admin_key_0123456789";

fn folder() -> Arc<TempDir> {
    Arc::new(tempfile::tempdir().expect("a folder"))
}

fn launch(key: Option<&str>) -> Launch {
    let environment = key.map(|key| ("LOANHOOK_ADMIN_KEY".to_owned(), key.to_owned()));
    Launch { environment: environment.into_iter().collect(), ..Launch::default() }
}

/// Starts a server on the folder with this key in its environment.
async fn started(folder: &Arc<TempDir>, key: Option<&str>) -> Arc<Target> {
    Target::process_in(folder, launch(key)).await
}

async fn ended(target: Arc<Target>) {
    target.terminate();
    assert_eq!(target.exit().await.code(), Some(0));
}

async fn opens(target: &Arc<Target>, key: &str) -> bool {
    let answer = Api::new(target, Some(key)).get("/v1/keys").await;
    assert!([200, 401].contains(&answer.status), "{answer:?}");
    answer.status == 200
}

/// The keys that a key lists, by name and source.
async fn listed(target: &Arc<Target>, key: &str) -> Vec<(String, String)> {
    let keys = Api::new(target, Some(key)).get("/v1/keys").await.is(200).json();
    let items = keys["items"].as_array().expect("items").clone();
    items.iter().map(|key| (text(&key["name"]).to_owned(), text(&key["source"]).to_owned())).collect()
}

#[tokio::test]
async fn another_admin_key_ends_the_one_before_and_no_other_key() {
    let folder = folder();
    let target = started(&folder, None).await;
    let said = target.said();
    let made =
        said.split_whitespace().find(|word| word.starts_with("lh_")).expect("it is printed").to_owned();
    ended(target).await;
    let target = started(&folder, Some(FIRST)).await;
    let asked = json!({"name": "CI", "scopes": ["history:read"]});
    Api::new(&target, Some(FIRST)).post("/v1/keys", &asked).await.is(201);
    ended(target).await;

    let target = started(&folder, Some(SECOND)).await;
    assert!(!opens(&target, FIRST).await && opens(&target, SECOND).await);
    assert!(opens(&target, &made).await, "the key of the first start is nobody's to end but an operator's");
    let mut names = listed(&target, SECOND).await;
    names.sort();
    let named = |name: &str, source: &str| (name.to_owned(), source.to_owned());
    assert_eq!(
        names,
        [
            named("CI", "api"),
            named("admin (environment)", "environment"),
            named("admin (first start)", "firstStart")
        ]
    );
    ended(target).await;
    // What the environment does not name any more stays, as does what it never named.
    let target = started(&folder, None).await;
    assert!(opens(&target, SECOND).await && opens(&target, &made).await && !opens(&target, FIRST).await);
}

#[tokio::test]
async fn an_admin_key_that_was_deleted_does_not_come_back() {
    let folder = folder();
    let target = started(&folder, Some(FIRST)).await;
    let api = Api::new(&target, Some(FIRST));
    let asked = json!({"name": "second operator", "scopes": ["admin", "operator"]});
    let other = api.post("/v1/keys", &asked).await.is(201).json();
    let other = text(&other["key"]);
    let keys = api.get("/v1/keys").await.is(200).json();
    let named = |key: &&Value| key["source"] == "environment";
    let named = keys["items"].as_array().expect("items").iter().find(named).expect("it is listed").clone();
    api.delete(&format!("/v1/keys/{}", text(&named["id"]))).await.is(204);
    assert!(!opens(&target, FIRST).await);
    ended(target).await;

    let target = started(&folder, Some(FIRST)).await;
    assert!(!opens(&target, FIRST).await && opens(&target, other).await);
    assert!(target.said().contains("key.admin_key_was_deleted_and_stays_so"), "{}", target.said());
    assert!(!target.said().contains(FIRST));
    ended(target).await;
    let target = started(&folder, Some(SECOND)).await;
    assert!(opens(&target, SECOND).await && opens(&target, other).await);
}

#[tokio::test]
async fn an_admin_key_that_is_easy_to_guess_is_refused() {
    for key in ["lh_aaaaaaaaaaaaaaaa", "lh_password12345678", "lh_0123456789abcdef", "lh_short"] {
        let folder = folder();
        let child = serve(folder.path(), &launch(Some(key))).spawn().expect("the command starts");
        let ended = tokio::task::spawn_blocking(|| child.wait_with_output().expect("it ends"));
        let output = within("the end of a server with a weak key", ended).await.expect("it was awaited");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{key}: {told}");
        assert!(told.starts_with("error: LOANHOOK_ADMIN_KEY ") && !told.contains(key), "{told}");
    }
}

/// What an older version stored: names of admin keys were all the same, and nothing said what had made them.
#[tokio::test]
async fn keys_of_an_older_version_are_left_alone_and_told_of() {
    let folder = folder();
    let target = started(&folder, Some(FIRST)).await;
    ended(target).await;
    let file = rusqlite::Connection::open(folder.path().join("data/loanhook.db")).expect("the database");
    let changed =
        file.execute("UPDATE keys SET doc = json_remove(json_set(doc, '$.name', 'admin'), '$.source')", []);
    assert_eq!(changed.expect("changed"), 1);
    drop(file);

    // The same key again: from now on it is known for what it is.
    let target = started(&folder, Some(FIRST)).await;
    assert_eq!(listed(&target, FIRST).await, [("admin (environment)".to_owned(), "environment".to_owned())]);
    ended(target).await;
    let target = started(&folder, Some(SECOND)).await;
    assert!(!opens(&target, FIRST).await);
    ended(target).await;

    let file = rusqlite::Connection::open(folder.path().join("data/loanhook.db")).expect("the database");
    let older = "UPDATE keys SET doc = json_remove(json_set(doc, '$.name', 'admin'), '$.source')";
    assert_eq!(file.execute(older, []).expect("changed"), 1);
    drop(file);
    // Another key: the older one may be anybody's, so it stays, and the log names it.
    let target = started(&folder, Some(FIRST)).await;
    assert!(opens(&target, FIRST).await && opens(&target, SECOND).await);
    eventually("the log tells of it", async || {
        target.said().contains("key.perhaps_an_earlier_admin_key").then_some(())
    })
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_admin_key_is_in_neither_environment_nor_arguments_of_the_process() {
    let folder = folder();
    let target = started(&folder, Some(FIRST)).await;
    let process = format!("/proc/{}", target.process_id());
    for file in ["environ", "cmdline"] {
        let bytes = std::fs::read(format!("{process}/{file}")).expect("the process may be looked at");
        assert!(
            !bytes.is_empty() && !bytes.windows(FIRST.len()).any(|window| window == FIRST.as_bytes()),
            "{file}"
        );
    }
    let name = std::fs::read_to_string(format!("{process}/comm")).expect("its name");
    assert_eq!(name.trim_end(), "loanhook");
    assert!(opens(&target, FIRST).await);
    ended(target).await;
}

#[tokio::test]
async fn what_is_on_standard_input_is_taken_for_no_key() {
    let folder = folder();
    let environment = vec![("LOANHOOK_ADMIN_KEY_ON_STDIN".to_owned(), "1".to_owned())];
    let mut command = serve(folder.path(), &Launch { environment, ..Launch::default() });
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the command starts");
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(FIRST.as_bytes()).expect("written");
    let output = child.stdout.take().expect("it is piped");
    let first = tokio::task::spawn_blocking(move || BufReader::new(output).lines().next());
    let first =
        within("the first line", first).await.expect("it was awaited").expect("a line").expect("text");
    child.kill().expect("it ends");
    child.wait().expect("it ended");
    assert!(first.contains("admin key (shown once") && !first.contains(FIRST), "{first}");
}
