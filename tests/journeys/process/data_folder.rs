//! The data folder: one process at a time, files of their owner alone, keys as hashes, and no database of another program.

use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use serde_json::json;

use crate::harness::server::{OPERATOR_KEY, new_folder, run_to_exit, serve_command, start_error};
use crate::harness::stored_bytes::{bytes_of, holds};
use crate::harness::{Journey, Launch, Server, event};

#[tokio::test]
async fn a_second_process_on_the_same_data_folder_is_refused() {
    let Some(j) = Journey::on_own_process().await else { return };
    let output = run_to_exit(serve_command(j.server.data_folder(), &Launch::default())).await;
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains(&*j.server.data_folder().to_string_lossy()), "it names the folder: {error}");
    assert!(!error.contains("panicked"), "{error}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("listening"));
    j.subscribe("/hook", json!({})).await;
    assert_eq!(
        j.api.ended_delivery(&j.api.send_one(&event("727")).await).await["status"],
        "succeeded",
        "the first goes on"
    );
}

#[tokio::test]
async fn files_in_the_data_folder_have_mode_0600() {
    let folder = new_folder();
    let data = folder.path().join("data");
    std::fs::DirBuilder::new().mode(0o755).create(&data).expect("a folder");
    let j = Journey::on_server(Server::own_process_in(&folder, Launch::default()).await).await;
    j.subscribe("/hook", json!({})).await;
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
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
    j.server.stop().await;
    assert!(modes().iter().all(|(_, mode)| *mode == 0o600), "after it ended: {:?}", modes());
}

/// The error with which a start on this folder ends; it names the database.
async fn refused_start(data: &Path) -> String {
    let output = run_to_exit(serve_command(data, &Launch::default())).await;
    let error = start_error(&output);
    assert!(error.contains("loanhook.db") && !error.contains("panicked"), "it names the file: {error}");
    error
}

/// Creates a database of another program, which counts its own versions.
fn create_foreign_database(path: &Path, version: u32) -> rusqlite::Connection {
    let foreign = rusqlite::Connection::open(path).expect("a database");
    let created = format!(
        "CREATE TABLE notes (text); INSERT INTO notes VALUES ('not yours'); PRAGMA user_version = {version}"
    );
    foreign.execute_batch(&created).expect("a table");
    foreign
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_keeps_its_rows() {
    for version in [0, 1, 7] {
        let folder = new_folder();
        let path = folder.path().join("loanhook.db");
        drop(create_foreign_database(&path, version));
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
async fn a_database_of_another_program_is_not_changed_by_a_byte() {
    let folder = new_folder();
    let path = folder.path().join("loanhook.db");
    drop(create_foreign_database(&path, 0));
    let bytes = std::fs::read(&path).expect("read");
    refused_start(folder.path()).await;
    assert!(std::fs::read(&path).expect("read") == bytes, "the file was changed");
}

#[tokio::test]
async fn a_corrupt_database_is_refused_and_not_changed() {
    let folder = new_folder();
    let path = folder.path().join("loanhook.db");
    for bytes in [b"no database at all\n".repeat(500), b"SQLite format 3\0and no more".to_vec(), vec![7; 100]]
    {
        std::fs::write(&path, &bytes).expect("written");
        refused_start(folder.path()).await;
        assert!(std::fs::read(&path).expect("read") == bytes, "the file was changed");
    }
}

/// After a return to an earlier version: an event that was accepted without the webhook would lose it without a word.
#[tokio::test]
async fn a_webhook_of_a_newer_version_ends_the_start_and_is_not_left_out() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({})).await;
    j.server.stop().await;
    let data = j.server.data_folder();
    let database = rusqlite::Connection::open(data.join("loanhook.db")).expect("the database");
    let version = |version: u32| {
        let changed = format!("UPDATE subscriptions SET doc = json_set(doc, '$.v', {version})");
        assert_eq!(database.execute(&changed, []).expect("changed"), 1);
    };
    version(99);
    let error = refused_start(data).await;
    assert!(error.contains("its version is 99") && error.contains("use the newer one"), "{error}");
    version(2);
    drop(database);
    j.server.restart().await;
    let trace = j.api.send_one(&event("727")).await;
    assert_eq!(j.api.ended_delivery(&trace).await["status"], "succeeded");
}

#[tokio::test]
async fn api_keys_are_stored_only_as_hashes() {
    let Some(j) = Journey::on_own_process().await else { return };
    let colleague = j.api.with_new_key("Ann of servicing", &["history:read", "webhooks:resend"]).await;
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    colleague.resend(&trace).await;
    j.api.delivery_after_attempts(&trace, 2).await;
    let keys = [OPERATOR_KEY, j.api.key(), colleague.key()].map(str::to_owned);

    let running = bytes_of(j.server.data_folder());
    j.server.stop().await;

    let stopped = bytes_of(j.server.data_folder());
    assert!(holds(&stopped, b"Ann of servicing"), "its name is there: these are the bytes to search");
    for key in &keys {
        for bytes in [&running, &stopped] {
            assert!(
                !holds(bytes, key.as_bytes()) && !holds(bytes, &key.as_bytes()[3..]),
                "{key} stands in the data folder"
            );
        }
    }
}
