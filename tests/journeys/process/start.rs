//! Starting and stopping where something is in the way.

use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::server::{loanhook, serve};
use crate::harness::{Api, Journey, Launch, Target, event, text, within};

const LISTENING: &str = "listening";

fn folder() -> Arc<TempDir> {
    Arc::new(tempfile::tempdir().expect("a folder"))
}

async fn ended(mut command: std::process::Command) -> Output {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let ended = tokio::task::spawn_blocking(|| child.wait_with_output().expect("it ends"));
    within("the end of a process that cannot start", ended).await.expect("it was awaited")
}

/// It failed, said why in one line, and printed nothing; that line.
#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    assert_eq!(told.lines().count(), 1, "one line: {told}");
    assert!(told.starts_with("error: "), "{told}");
    told
}

fn keys_in(said: &str) -> Vec<String> {
    let words = said.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("lh_")).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_first_start_on_a_port_in_use_prints_no_key_and_loses_none() {
    let folder = folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").to_string();
    let mut command = loanhook();
    command.args(["serve", "--listen", &port, "--data"]).arg(folder.path().join("data"));
    let told = refused(&ended(command).await);
    assert!(told.contains(&port) && keys_in(&told).is_empty(), "{told}");

    let unset = Launch { environment: Vec::new(), ..Launch::default() };
    let target = Target::process_in(&folder, unset).await;
    let keys = keys_in(&target.said());
    assert_eq!(keys.len(), 1, "the key is printed, once: {keys:?}");
    let listed = Api::new(&target, Some(&keys[0])).get("/v1/keys").await.is(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "and there is no other: {listed}");
}

/// A connection that the server has answered on.
async fn connected(target: &Target) -> TcpStream {
    let base = target.base().expect("the server runs");
    let address = base.strip_prefix("http://").expect("plain HTTP");
    let mut socket = TcpStream::connect(address).await.expect("the server listens");
    let head = format!("GET /health HTTP/1.1\r\nhost: {address}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.expect("written");
    heard(&mut socket, "200 OK").await;
    socket
}

async fn heard(socket: &mut TcpStream, words: &str) {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(words) {
        let more = within("an answer", socket.read_buf(&mut read)).await.expect("readable");
        assert_ne!(more, 0, "the connection ended before {words}");
    }
}

#[tokio::test]
async fn a_caller_that_sent_half_a_head_does_not_keep_the_process_from_ending_well() {
    let Some(target) = Target::process().await else { return };
    let mut socket = connected(&target).await;
    socket.write_all(b"POST /v1/events HTTP/1.1\r\nhost: loanhook\r\nauthoriz").await.expect("written");
    Api::new(&target, None).get("/health").await.is(200);
    target.terminate();
    assert_eq!(target.exit().await.code(), Some(0));
    drop(socket);
}

#[tokio::test]
async fn a_caller_that_sent_half_a_body_does_not_keep_the_process_from_ending_well() {
    let Some(target) = Target::process().await else { return };
    let mut socket = connected(&target).await;
    let key = target.operator_key();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: loanhook\r\nauthorization: Bearer {key}\r\n\
         expect: 100-continue\r\ncontent-length: 1000\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.expect("written");
    heard(&mut socket, "100 Continue").await;
    socket.write_all(b"{\"eventName\": \"Half").await.expect("written");
    target.terminate();
    assert_eq!(target.exit().await.code(), Some(0));
    drop(socket);
    target.restart().await;
    Api::new(&target, Some(target.operator_key())).get("/v1/keys").await.is(200);
}

#[tokio::test]
async fn the_files_of_a_folder_that_anyone_may_read_are_their_owners_alone() {
    let folder = folder();
    let data = folder.path().join("data");
    std::fs::DirBuilder::new().mode(0o755).create(&data).expect("a folder");
    let j = Journey::on(Target::process_in(&folder, Launch::default()).await).await;
    j.subscribe("/hook", json!({})).await;
    j.api.settled(&j.api.send_one(&event("727")).await).await;
    let modes = || -> Vec<(String, u32)> {
        let files =
            std::fs::read_dir(&data).expect("the folder can be read").map(|file| file.expect("a file"));
        files
            .map(|file| {
                let mode = file.metadata().expect("its mode").permissions().mode() & 0o777;
                (file.file_name().to_string_lossy().into_owned(), mode)
            })
            .collect()
    };
    let running = modes();
    assert!(running.iter().any(|(name, _)| name == "loanhook.db"), "{running:?}");
    assert!(running.iter().all(|(_, mode)| *mode == 0o600), "while it runs: {running:?}");
    j.target.terminate();
    assert_eq!(j.target.exit().await.code(), Some(0));
    assert!(modes().iter().all(|(_, mode)| *mode == 0o600), "after it ended: {:?}", modes());
}

#[tokio::test]
async fn an_admin_key_that_had_fewer_scopes_has_every_scope_after_the_next_start() {
    let folder = folder();
    let first = Target::process_in(&folder, Launch::default()).await;
    let operator = Api::new(&first, Some(first.operator_key()));
    let asked = json!({"name": "reader", "scopes": ["history:read"]});
    let made = operator.post("/v1/keys", &asked).await.is(201).json();
    let key = text(&made["key"]);
    Api::new(&first, Some(key)).post("/v1/events", &event("727")).await.problem(403);
    first.kill();

    let environment = vec![("LOANHOOK_ADMIN_KEY".to_owned(), key.to_owned())];
    let second = Target::process_in(&folder, Launch { environment, ..Launch::default() }).await;

    let admin = Api::new(&second, Some(key));
    admin.send(&event("727")).await;
    let listed = admin.get("/v1/keys").await.is(200).json();
    let items = listed["items"].as_array().expect("items");
    assert_eq!(items.len(), 1, "no key was added, and the one that was named before is over: {listed}");
    let mut all = [&crate::harness::journey::ALL_SCOPES[..], &["operator"]].concat();
    all.sort_unstable();
    for item in items {
        let mut scopes: Vec<_> = item["scopes"].as_array().expect("scopes").iter().map(text).collect();
        scopes.sort_unstable();
        assert_eq!(scopes, all, "{listed}");
    }
    let granted = json!({"name": "second", "scopes": ["operator"], "tenant": "another"});
    admin.post("/v1/keys", &granted).await.is(201);
}

async fn refused_start(data: &Path) -> String {
    let output = ended(serve(data, &Launch::default())).await;
    assert!(!String::from_utf8_lossy(&output.stdout).contains(LISTENING), "{output:?}");
    let told = refused(&output);
    assert!(told.contains("loanhook.db") && !told.contains("panicked"), "it names the file: {told}");
    told
}

/// A database of another program, which counts its own versions.
fn foreign(path: &Path, version: u32) -> rusqlite::Connection {
    let foreign = rusqlite::Connection::open(path).expect("a database");
    let made = format!(
        "CREATE TABLE notes (text); INSERT INTO notes VALUES ('not yours'); PRAGMA user_version = {version}"
    );
    foreign.execute_batch(&made).expect("a table");
    foreign
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_keeps_what_is_in_it() {
    for version in [0, 1, 7] {
        let folder = folder();
        let path = folder.path().join("loanhook.db");
        drop(foreign(&path, version));
        for _ in 0..2 {
            refused_start(folder.path()).await;
        }
        let foreign = rusqlite::Connection::open(&path).expect("a database");
        let read = |sql: &str| -> Vec<String> {
            let mut rows = foreign.prepare(sql).expect("it can be read");
            let rows = rows.query_map([], |row| row.get(0)).expect("it can be read");
            rows.map(|row| row.expect("text")).collect()
        };
        assert_eq!(read("SELECT name FROM sqlite_schema"), ["notes"]);
        assert_eq!(read("SELECT text FROM notes"), ["not yours"]);
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_left_byte_for_byte() {
    let folder = folder();
    let path = folder.path().join("loanhook.db");
    drop(foreign(&path, 0));
    let bytes = std::fs::read(&path).expect("read");
    refused_start(folder.path()).await;
    assert!(std::fs::read(&path).expect("read") == bytes, "the file was changed");
}

#[tokio::test]
async fn a_corrupt_database_is_refused_and_left_as_it_was() {
    let folder = folder();
    let path = folder.path().join("loanhook.db");
    for bytes in [b"no database at all\n".repeat(500), b"SQLite format 3\0and no more".to_vec(), vec![7; 100]]
    {
        std::fs::write(&path, &bytes).expect("written");
        refused_start(folder.path()).await;
        assert!(std::fs::read(&path).expect("read") == bytes, "the file was changed");
    }
}
