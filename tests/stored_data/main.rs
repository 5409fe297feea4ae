//! A data folder that an earlier version wrote (`tests/stored`) is opened, and answers as it did then.

#[path = "../stored/compare.rs"]
mod compare;

use compare::{Answers, fixture, router};
use loanhook_core::keys::{AdminKey, ensure_admin};
use loanhook_core::model::key::SecretKey;
use loanhook_core::model::time::Timestamp;
use loanhook_sqlite::SqliteEngine;

/// Without a worker nothing is sent, so what was due at the capture stays as it was.
#[tokio::test]
async fn a_data_folder_of_an_earlier_version_answers_as_it_did() {
    let told = Answers::read("sqlite");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(fixture("sqlite/loanhook.db"), folder.path().join("loanhook.db")).expect("a copy");
    let engine = SqliteEngine::open(folder.path()).expect("the data folder opens");
    let admin = SecretKey::chosen(told.key("admin").expect("the admin's key")).expect("a key");
    let ensured = ensure_admin(&engine, Some(admin), Timestamp::now()).await;
    assert!(matches!(ensured, Ok(AdminKey::Ready)), "{ensured:?}");

    let differences = told.differences(&router(engine)).await;
    assert!(differences.is_empty(), "{} answers differ:\n{}", differences.len(), differences.join("\n"));
}
