//! A data folder that an earlier version wrote (`tests/stored`) is opened, and answers as it did then. Credentials that it
//! stored with its deliveries are taken out of them.

#[path = "../stored/compare.rs"]
mod compare;

use compare::{Answers, fixture, router};
use loanhook_core::keys::{AdminKey, ensure_admin};
use loanhook_core::model::key::SecretKey;
use loanhook_core::model::time::Timestamp;
use loanhook_sqlite::SqliteEngine;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

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

/// Header values without placeholders, of deliveries in the fixture.
const CREDENTIALS: [&str; 3] =
    ["Bearer a-token-of-core", "a-key-without-placeholders", "kept since the first version"];
/// Header values that were rendered there.
const RENDERED: [&str; 2] = ["loan B%C3%B6rse & Co %E2%9C%93 7 of Zo", "loan batch %E2%9C%93 of unknown"];

/// The tables of a database that hold one of these texts in any column, each table once for each text.
fn tables_with(database: &Connection, texts: &[&str]) -> Vec<(String, String)> {
    let mut tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").expect("tables");
    let tables = tables.query_map([], |row| row.get(0)).expect("tables");
    let mut found = Vec::new();
    for table in tables.collect::<rusqlite::Result<Vec<String>>>().expect("names") {
        let mut statement = database.prepare(&format!("SELECT * FROM {table}")).expect("a table");
        let columns = statement.column_count();
        let mut rows = statement.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            for column in 0..columns {
                let bytes = match row.get_ref(column).expect("a column") {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
                    _ => continue,
                };
                let content = String::from_utf8_lossy(bytes);
                let here = texts.iter().filter(|text| content.contains(**text));
                found.extend(here.map(|text| (table.clone(), (*text).to_owned())));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

#[tokio::test]
async fn deliveries_of_an_earlier_version_keep_no_credentials() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("loanhook.db");
    std::fs::copy(fixture("sqlite/loanhook.db"), &file).expect("a copy");
    let in_table = |table: &str, texts: &[&str]| {
        texts.iter().map(|text| (table.to_owned(), (*text).to_owned())).collect::<Vec<_>>()
    };
    let open = || Connection::open(&file).expect("the database");
    let mut before = [in_table("deliveries", &CREDENTIALS), in_table("subscriptions", &CREDENTIALS)].concat();
    before.sort();
    assert_eq!(tables_with(&open(), &CREDENTIALS), before);
    let whole = "SELECT count(*) FROM deliveries WHERE json_extract(frozen, '$.request.headers') <> '{}'";
    let stored: u64 = open().query_row(whole, [], |row| row.get(0)).expect("a number");
    assert!(stored > CREDENTIALS.len() as u64, "{stored}");

    let engine = SqliteEngine::open(folder.path()).expect("the data folder opens");
    assert_eq!(engine.take_out_stored_credentials().await.expect("the store answers"), stored);
    // Nothing is left to do, nor after another start.
    assert_eq!(engine.take_out_stored_credentials().await.expect("the store answers"), 0);
    drop(engine);
    let engine = SqliteEngine::open(folder.path()).expect("the data folder opens");
    assert_eq!(engine.take_out_stored_credentials().await.expect("the store answers"), 0);
    assert_eq!(tables_with(&open(), &CREDENTIALS), {
        let mut after = in_table("subscriptions", &CREDENTIALS);
        after.sort();
        after
    });
    assert_eq!(tables_with(&open(), &RENDERED), in_table("deliveries", &RENDERED));

    // What it answers is as it was.
    let told = Answers::read("sqlite");
    let admin = SecretKey::chosen(told.key("admin").expect("the admin's key")).expect("a key");
    let ensured = ensure_admin(&engine, Some(admin), Timestamp::now()).await;
    assert!(matches!(ensured, Ok(AdminKey::Ready)), "{ensured:?}");
    let differences = told.differences(&router(engine)).await;
    assert!(differences.is_empty(), "{} answers differ:\n{}", differences.len(), differences.join("\n"));
}
