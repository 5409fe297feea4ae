//! Admin keys: what `LOANHOOK_ADMIN_KEY` means from one start to the next.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::server::OPERATOR_KEY;
use crate::harness::server::{keys_in, new_folder, run_to_exit, serve_command};
use crate::harness::{Api, Journey, Launch, Server, event, eventually, items_of, text, within};

const FIRST: &str = "lh_first_admin_key_0123456789";
const SECOND: &str = "lh_second_admin_key_0123456789";

fn launch(key: Option<&str>) -> Launch {
    let environment = key.map(|key| ("LOANHOOK_ADMIN_KEY".to_owned(), key.to_owned()));
    Launch { environment: environment.into_iter().collect(), ..Launch::default() }
}

/// Starts a server on this folder, with this key in its environment.
async fn start_with(folder: &Arc<TempDir>, key: Option<&str>) -> Arc<Server> {
    Server::own_process_in(folder, launch(key)).await
}

async fn is_valid(server: &Arc<Server>, key: &str) -> bool {
    let answer = Api::new(server, Some(key)).get("/v1/keys").await;
    assert!([200, 401].contains(&answer.status), "{answer:?}");
    answer.status == 200
}

/// The name and source of each key that this key lists.
async fn listed(server: &Arc<Server>, key: &str) -> Vec<(String, String)> {
    let keys = Api::new(server, Some(key)).get("/v1/keys").await.expect_status(200).json();
    let items = items_of(&keys).clone();
    items.iter().map(|key| (text(&key["name"]).to_owned(), text(&key["source"]).to_owned())).collect()
}

#[tokio::test]
async fn a_new_admin_key_replaces_the_one_before_and_no_other_key() {
    let folder = new_folder();
    let server = start_with(&folder, None).await;
    let created = keys_in(&server.output()).pop().expect("it is printed");
    server.stop().await;
    let server = start_with(&folder, Some(FIRST)).await;
    let asked = json!({"name": "CI", "scopes": ["history:read"]});
    Api::new(&server, Some(FIRST)).post("/v1/keys", &asked).await.expect_status(201);
    server.stop().await;

    let server = start_with(&folder, Some(SECOND)).await;
    assert!(!is_valid(&server, FIRST).await && is_valid(&server, SECOND).await);
    assert!(
        is_valid(&server, &created).await,
        "the key of the first start is nobody's to end but an operator's"
    );
    let mut names = listed(&server, SECOND).await;
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
    server.stop().await;
    // A key that the environment does not name any more stays, and so do other keys.
    let server = start_with(&folder, None).await;
    assert!(
        is_valid(&server, SECOND).await
            && is_valid(&server, &created).await
            && !is_valid(&server, FIRST).await
    );
}

#[tokio::test]
async fn a_deleted_admin_key_is_not_restored_by_a_restart() {
    let folder = new_folder();
    let server = start_with(&folder, Some(FIRST)).await;
    let api = Api::new(&server, Some(FIRST));
    let asked = json!({"name": "second operator", "scopes": ["admin", "operator"]});
    let other = api.post("/v1/keys", &asked).await.expect_status(201).json();
    let other = text(&other["key"]);
    let keys = api.get("/v1/keys").await.expect_status(200).json();
    let named = |key: &&Value| key["source"] == "environment";
    let named = items_of(&keys).iter().find(named).expect("it is listed").clone();
    api.delete(&format!("/v1/keys/{}", text(&named["id"]))).await.expect_status(204);
    assert!(!is_valid(&server, FIRST).await);
    server.stop().await;

    let server = start_with(&folder, Some(FIRST)).await;
    assert!(!is_valid(&server, FIRST).await && is_valid(&server, other).await);
    assert!(server.output().contains("key.admin_key_was_deleted_and_stays_so"), "{}", server.output());
    assert!(!server.output().contains(FIRST));
    server.stop().await;
    let server = start_with(&folder, Some(SECOND)).await;
    assert!(is_valid(&server, SECOND).await && is_valid(&server, other).await);
}

#[tokio::test]
async fn a_weak_admin_key_is_refused() {
    for key in ["lh_aaaaaaaaaaaaaaaa", "lh_password12345678", "lh_0123456789abcdef", "lh_short"] {
        let folder = new_folder();
        let output = run_to_exit(serve_command(folder.path(), &launch(Some(key)))).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{key}: {error}");
        assert!(error.starts_with("error: LOANHOOK_ADMIN_KEY ") && !error.contains(key), "{error}");
    }
}

/// An older version gave all admin keys the same name, and did not store where they came from.
#[tokio::test]
async fn admin_keys_of_an_older_version_are_kept_and_logged() {
    let folder = new_folder();
    let server = start_with(&folder, Some(FIRST)).await;
    server.stop().await;
    let file = rusqlite::Connection::open(folder.path().join("data/loanhook.db")).expect("the database");
    let changed =
        file.execute("UPDATE keys SET doc = json_remove(json_set(doc, '$.name', 'admin'), '$.source')", []);
    assert_eq!(changed.expect("changed"), 1);
    drop(file);

    // The same key again: its source is stored from now on.
    let server = start_with(&folder, Some(FIRST)).await;
    assert_eq!(listed(&server, FIRST).await, [("admin (environment)".to_owned(), "environment".to_owned())]);
    server.stop().await;
    let server = start_with(&folder, Some(SECOND)).await;
    assert!(!is_valid(&server, FIRST).await);
    server.stop().await;

    let file = rusqlite::Connection::open(folder.path().join("data/loanhook.db")).expect("the database");
    let older = "UPDATE keys SET doc = json_remove(json_set(doc, '$.name', 'admin'), '$.source')";
    assert_eq!(file.execute(older, []).expect("changed"), 1);
    drop(file);
    // Another key: the older one may have been created by hand, so it stays, and the log names it.
    let server = start_with(&folder, Some(FIRST)).await;
    assert!(is_valid(&server, FIRST).await && is_valid(&server, SECOND).await);
    eventually("the log names it", async || {
        server.output().contains("key.perhaps_an_earlier_admin_key").then_some(())
    })
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_admin_key_is_not_in_the_environment_or_arguments_of_the_process() {
    let folder = new_folder();
    let server = start_with(&folder, Some(FIRST)).await;
    let process = format!("/proc/{}", server.process_id());
    for file in ["environ", "cmdline"] {
        let bytes = std::fs::read(format!("{process}/{file}")).expect("the process may be looked at");
        assert!(
            !bytes.is_empty() && !bytes.windows(FIRST.len()).any(|window| window == FIRST.as_bytes()),
            "{file}"
        );
    }
    let name = std::fs::read_to_string(format!("{process}/comm")).expect("its name");
    assert_eq!(name.trim_end(), "loanhook");
    assert!(is_valid(&server, FIRST).await);
    server.stop().await;
}

#[tokio::test]
async fn standard_input_is_not_read_as_an_admin_key() {
    let folder = new_folder();
    let environment = vec![("LOANHOOK_SECRETS_ON_STDIN".to_owned(), "1".to_owned())];
    let mut command = serve_command(folder.path(), &Launch { environment, ..Launch::default() });
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the command starts");
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(format!("LOANHOOK_ADMIN_KEY={FIRST}\0").as_bytes()).expect("written");
    let output = child.stdout.take().expect("it is piped");
    let first = tokio::task::spawn_blocking(move || BufReader::new(output).lines().next());
    let first =
        within("the first line", first).await.expect("it was awaited").expect("a line").expect("text");
    child.kill().expect("it ends");
    child.wait().expect("it ended");
    assert!(first.contains("admin key (shown once") && !first.contains(FIRST), "{first}");
}

#[tokio::test]
async fn the_admin_key_of_the_environment_has_every_scope_and_is_never_printed() {
    let Some(j) = Journey::on_own_process().await else { return };
    let operator = j.operator();
    operator.get("/v1/subscriptions").await.expect_status(200);
    operator.post("/v1/keys", &json!({"name": "second", "scopes": ["operator"]})).await.expect_status(201);
    j.server.kill();
    j.server.restart().await;
    operator.send_event(&event("727")).await;
    assert!(!j.server.output().contains(OPERATOR_KEY));
    let keys = operator.get("/v1/keys").await.expect_status(200).json();
    assert_eq!(items_of(&keys).len(), 2, "a second start adds no second key: {keys}");
}

#[tokio::test]
async fn a_start_gives_the_admin_key_every_scope() {
    let folder = new_folder();
    let first = Server::own_process_in(&folder, Launch::default()).await;
    let operator = Api::new(&first, Some(first.operator_key()));
    let asked = json!({"name": "reader", "scopes": ["history:read"]});
    let created = operator.post("/v1/keys", &asked).await.expect_status(201).json();
    let key = text(&created["key"]);
    Api::new(&first, Some(key)).post("/v1/events", &event("727")).await.expect_problem(403);
    first.kill();

    let environment = vec![("LOANHOOK_ADMIN_KEY".to_owned(), key.to_owned())];
    let second = Server::own_process_in(&folder, Launch { environment, ..Launch::default() }).await;

    let admin = Api::new(&second, Some(key));
    admin.send_event(&event("727")).await;
    let listed = admin.get("/v1/keys").await.expect_status(200).json();
    let items = items_of(&listed);
    assert_eq!(items.len(), 1, "no key was added, and the one that was named before is over: {listed}");
    let mut all = [&crate::harness::journey::ALL_SCOPES[..], &["operator"]].concat();
    all.sort_unstable();
    for item in items {
        let mut scopes: Vec<_> = item["scopes"].as_array().expect("scopes").iter().map(text).collect();
        scopes.sort_unstable();
        assert_eq!(scopes, all, "{listed}");
    }
    let granted = json!({"name": "second", "scopes": ["operator"], "tenant": "another"});
    admin.post("/v1/keys", &granted).await.expect_status(201);
}
