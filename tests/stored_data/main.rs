//! A data folder that an earlier version wrote (`tests/stored`) is opened, and answers as it did then. Credentials that it
//! stored with its deliveries are taken out of them.

#[path = "../stored/compare.rs"]
mod compare;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use compare::{Answers, fixture, router};
use loanhook_core::deliver::Deliver;
use loanhook_core::keys::{AdminKey, ensure_admin};
use loanhook_core::model::attempt::ResendTo;
use loanhook_core::model::id::{TenantId, TraceId};
use loanhook_core::model::key::SecretKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    Attempts as _, NotSent, QueueMessage, ReplaceOutcome, SendOutcome, Sender, Subscriptions as _,
    WebhookRequest,
};
use loanhook_core::resend::{ResendRequest, ResendTarget, resend};
use loanhook_sqlite::{EraseLimit, SqliteEngine};
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
    // Their webhooks have them, sealed.
    engine.keep_secrets_sealed(EraseLimit::WHILE_USED).await.expect("the store answers");
    assert_eq!(tables_with(&open(), &CREDENTIALS), []);
    assert_eq!(tables_with(&open(), &RENDERED), in_table("deliveries", &RENDERED));

    // What it answers is as it was.
    let told = Answers::read("sqlite");
    let admin = SecretKey::chosen(told.key("admin").expect("the admin's key")).expect("a key");
    let ensured = ensure_admin(&engine, Some(admin), Timestamp::now()).await;
    assert!(matches!(ensured, Ok(AdminKey::Ready)), "{ensured:?}");
    let differences = told.differences(&router(engine)).await;
    assert!(differences.is_empty(), "{} answers differ:\n{}", differences.len(), differences.join("\n"));
}

/// Keeps the headers of what it is asked to send.
#[derive(Default)]
struct HeaderKeeper(Mutex<Vec<BTreeMap<String, String>>>);

impl Sender for HeaderKeeper {
    async fn send(&self, request: WebhookRequest) -> Result<SendOutcome, NotSent> {
        self.0.lock().expect("no panic").push(request.headers);
        Ok(SendOutcome { elapsed: Duration::ZERO, source_ip: None, result: Ok(200), response: None })
    }
}

#[tokio::test]
async fn a_delivery_of_an_earlier_version_is_sent_with_the_credentials_that_its_webhook_has_now() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("loanhook.db");
    std::fs::copy(fixture("sqlite/loanhook.db"), &file).expect("a copy");
    let of_rendered = format!("SELECT trace FROM deliveries WHERE frozen LIKE '%{}%'", RENDERED[1]);
    let trace: [u8; 16] = Connection::open(&file)
        .expect("the database")
        .query_row(&of_rendered, [], |row| row.get(0))
        .expect("a delivery");
    let (tenant, trace) =
        (TenantId::try_from("acme".to_owned()).expect("a name"), uuid::Uuid::from_bytes(trace));
    let trace = TraceId::from_uuid(trace);
    let engine = SqliteEngine::open(folder.path()).expect("the data folder opens");
    let snapshot = engine.delivery(&tenant, trace).await.expect("read").expect("the delivery").snapshot;
    let webhook = engine.subscription(&tenant, snapshot.subscription_id).await.expect("read");
    let mut rotated = (*webhook.expect("the webhook")).clone();
    rotated.version += 1;
    let key = rotated.settings.request.headers.insert("X-Api-Key".into(), "rotated".into());
    assert_eq!(key.as_deref(), Some(CREDENTIALS[1]));
    assert_eq!(engine.replace(rotated).await.expect("stored"), ReplaceOutcome::Replaced);

    let deliver =
        Deliver { store: engine.clone(), sender: HeaderKeeper::default(), lease: None, deadline: None };
    let expected: BTreeMap<String, String> = [("X-Api-Key", "rotated"), ("X-Loan", RENDERED[1])]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
    // As it was stored, and again without the copies.
    for _ in 0..2 {
        let request = ResendRequest {
            trace_id: trace,
            attempt: ResendTarget::Newest,
            to: ResendTo::Original,
            requested_by: "Servicing".into(),
            key: None,
        };
        let now = Timestamp::now();
        let id = resend(&engine, &tenant, request, now).await.expect("asked");
        let row = engine.row(&tenant, &snapshot.loan_id, id).await.expect("read").expect("its row").attempt;
        deliver.handle(QueueMessage::for_resend(&row, now), now).await.expect("sent");
        assert_eq!(deliver.sender.0.lock().expect("no panic").pop(), Some(expected.clone()));
        engine.take_out_stored_credentials().await.expect("done");
    }
}
