//! Fixtures: every document of the data folder, the table and the queue in `tests/stored`.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::{KINDS, rewrite_of};

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/stored").join(path)
}

/// Kind and text of documents.
type Documents = Vec<(&'static str, String)>;

fn assert_all_are_rewritten(documents: &Documents, kinds: &[&str]) {
    for (kind, json) in documents {
        assert_eq!(rewrite_of(kind)(json).expect(json), *json);
    }
    for kind in kinds {
        assert!(documents.iter().any(|(of, _)| of == kind), "no document of the kind {kind}");
    }
}

#[test]
fn every_document_of_the_data_folder_is_read_and_written_byte_for_byte() {
    // Immutable: nothing is put beside it.
    let database = format!("file:{}?immutable=1", fixture("sqlite/loanhook.db").display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(database, flags).expect("the database");
    let mut documents = Documents::new();
    for (kind, query) in [
        ("attempt", "SELECT doc FROM attempts"),
        ("event-record", "SELECT doc FROM idempotency WHERE kind = 'event'"),
        ("formula-error", "SELECT doc FROM troubles"),
        ("grant", "SELECT doc FROM grants"),
        ("key", "SELECT doc FROM keys"),
        ("resend-record", "SELECT doc FROM idempotency WHERE kind = 'resend'"),
        ("snapshot", "SELECT frozen FROM deliveries"),
        ("subscription", "SELECT doc FROM subscriptions"),
        ("trigger-state", "SELECT doc FROM memories"),
    ] {
        let mut statement = connection.prepare(query).expect(query);
        let rows = statement.query_map([], |row| row.get(0)).expect(query);
        documents.extend(rows.map(|json| (kind, json.expect("a text"))));
    }
    // The version that wrote it kept no ledger and no states of subscriptions, and had no jobs.
    let elsewhere = [
        "flow-state",
        "job",
        "job-chunk",
        "job-record",
        "ledger-event",
        "message",
        "operational-event",
        "operational-state",
        "secrets",
    ];
    let kinds: Vec<&str> =
        KINDS.iter().map(|(kind, _)| *kind).filter(|kind| !elsewhere.contains(kind)).collect();
    assert_all_are_rewritten(&documents, &kinds);
}

#[test]
fn every_document_of_the_table_and_the_queue_is_read_and_written_byte_for_byte() {
    let mut documents = Documents::new();
    for item in lines("aws/table.jsonl") {
        let text = |name: &str| item[name]["S"].as_str();
        if let Some(secrets) = text("secrets") {
            documents.push(("secrets", secrets.to_owned()));
        }
        let Some(doc) = text("doc") else { continue };
        let pk = text("pk").expect("a key");
        let kind = match pk.split('#').collect::<Vec<_>>()[..] {
            ["A" | "K", ..] => "key",
            ["F", ..] => "formula-error",
            ["G", ..] => "grant",
            ["I", _, "event", ..] => "event-record",
            ["I", _, "resend", ..] => "resend-record",
            ["L", ..] => "attempt",
            ["M", ..] => "trigger-state",
            ["S", ..] => "subscription",
            ["T", ..] => "snapshot",
            _ => panic!("{pk} is of no kind"),
        };
        documents.push((kind, doc.to_owned()));
    }
    let messages = lines("aws/messages.jsonl");
    documents
        .extend(messages.map(|message| ("message", message["body"].as_str().expect("a body").to_owned())));
    // The version that wrote them kept no ledger and no states of subscriptions, and had no jobs.
    let newer = [
        "flow-state",
        "job",
        "job-chunk",
        "job-record",
        "ledger-event",
        "operational-event",
        "operational-state",
    ];
    let kinds: Vec<_> = KINDS.iter().map(|(kind, _)| *kind).filter(|kind| !newer.contains(kind)).collect();
    assert_all_are_rewritten(&documents, &kinds);
}

/// Each line of a file, which is JSON.
fn lines(path: &str) -> impl Iterator<Item = Value> {
    let text = std::fs::read_to_string(fixture(path)).expect(path);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    lines.into_iter()
}
