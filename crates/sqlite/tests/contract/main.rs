//! The SQLite engine under the contract of the ports, and rules of its own: of its dispatch, and of its recovery after a
//! crash.

mod dispatch;
mod ledger_scope;
mod older_counts;
mod older_traces;
mod recovery;
mod stuck_outbox;
mod unobserved;

use std::path::PathBuf;

use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::id::{AttemptId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage};
use loanhook_sqlite::SqliteEngine;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};
use uuid::Uuid;

use loanhook_contract::engine::{Engine, Kept};
use loanhook_contract::scene::{loan, tenant};
use loanhook_contract::{contract, job_contract, operational_contract};

contract!(crate::OnDisk);
job_contract!(crate::OnDisk);
operational_contract!(crate::OnDisk);

/// An engine in a folder of its own, which is deleted with it.
pub(crate) struct OnDisk {
    engine: SqliteEngine,
    folder: Folder,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Where this fails, the folder is one for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl OnDisk {
    /// Changes one row of its file without the engine.
    fn change(&self, sql: &str, params: &[&dyn ToSql]) {
        assert_eq!(self.file().execute(sql, params).expect("changed"), 1);
    }

    /// Ends the engine and starts another on its folder.
    fn restart(self) -> Self {
        let Self { engine, folder } = self;
        drop(engine);
        let engine = SqliteEngine::open(&folder.0).expect("the folder is free");
        Self { engine, folder }
    }

    /// Takes the first message that is due off the queue, as a claim does: no worker runs.
    fn take(&self) -> Option<QueueMessage> {
        let file = self.file();
        let (row, message) = file
            .query_row(
                "SELECT id, tenant, trace, subscription, due, number, loan, attempt FROM queue ORDER BY due, id LIMIT 1",
                [],
                |row| Ok((row.get::<_, i64>(0)?, message(row)?)),
            )
            .optional()
            .expect("a message")?;
        assert_eq!(file.execute("DELETE FROM queue WHERE id = ?1", [row]).expect("deleted"), 1);
        Some(message)
    }

    /// How many messages were ever put into its queue.
    fn put_into_queue(&self) -> i64 {
        let put = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'queue'";
        self.file().query_row(put, [], |row| row.get(0)).expect("counted")
    }

    /// How many of its rows are stored as `sending`.
    fn sending(&self) -> i64 {
        let sending = "SELECT count(*) FROM attempts WHERE sending = 1";
        self.file().query_row(sending, [], |row| row.get(0)).expect("counted")
    }

    fn file(&self) -> Connection {
        let file = Connection::open(self.folder.0.join("loanhook.db")).expect("the file");
        file.busy_timeout(loanhook_contract::CASE_TIMEOUT).expect("a time-out");
        file
    }
}

/// The error of each row that is complete and failed.
fn errors(rows: &[Attempt]) -> Vec<Option<ErrorKind>> {
    let error = |row: &Attempt| Some(row.completion()?.error()?.kind);
    rows.iter().map(error).collect()
}

fn message(row: &Row<'_>) -> rusqlite::Result<QueueMessage> {
    let id = |column| row.get(column).map(Uuid::from_bytes);
    let work = match row.get(5)? {
        Some(number) => DueWork::Attempt(number),
        None => DueWork::Resend {
            loan_id: loan(&row.get::<_, String>(6)?),
            attempt_id: AttemptId::from_uuid(id(7)?),
        },
    };
    Ok(QueueMessage {
        tenant: tenant(&row.get::<_, String>(1)?),
        trace_id: TraceId::from_uuid(id(2)?),
        subscription_id: SubscriptionId::from_uuid(id(3)?),
        due: Timestamp::from_millis(row.get(4)?),
        work,
    })
}

impl Engine for OnDisk {
    type Ports = SqliteEngine;

    async fn fresh() -> Self {
        let folder = Folder(std::env::temp_dir().join(format!("loanhook-contract-{}", Uuid::new_v4())));
        let engine = SqliteEngine::open(&folder.0).expect("a new folder");
        Self { engine, folder }
    }

    fn ports(&self) -> &SqliteEngine {
        &self.engine
    }

    async fn receive(&self) -> QueueMessage {
        self.take().expect("a message")
    }

    async fn drain(&self) -> Vec<QueueMessage> {
        let mut all = Vec::new();
        all.extend(std::iter::from_fn(|| self.take()));
        all
    }

    fn put_row(&self, row: &Attempt) {
        let doc = loanhook_stored::write(row).expect("JSON");
        self.change(
            "UPDATE attempts SET sending = 0, doc = ?2 WHERE id = ?1",
            params![row.id.uuid().as_bytes(), doc],
        );
    }

    fn lose_row(&self, row: &Attempt) {
        self.change("DELETE FROM attempts WHERE id = ?1", params![row.id.uuid().as_bytes()]);
    }

    fn lose_payload(&self, tenant: &TenantId, key: PayloadKey) {
        self.change(
            "DELETE FROM payloads WHERE tenant = ?1 AND key = ?2",
            params![tenant.as_str(), key.as_bytes()],
        );
    }

    fn spoil(&self, what: Kept<'_>) {
        // A text where an object is to be, which nobody may find in a log.
        let spoil = |table: &str, of: &str, params: &[&dyn ToSql]| {
            self.change(&format!("UPDATE {table} SET doc = '\"secret\"' WHERE {of}"), params);
        };
        match what {
            Kept::Row(row) => spoil("attempts", "id = ?1", params![row.id.uuid().as_bytes()]),
            Kept::Subscription(of) => {
                spoil("subscriptions", "id = ?1 AND current = 1", params![of.id.uuid().as_bytes()]);
            }
            Kept::Key(key, hash) => {
                spoil("keys", "hash = ?1 AND id = ?2", params![hash.0, key.id.uuid().as_bytes()]);
            }
            Kept::Memory(tenant, loan) => {
                spoil("memories", "tenant = ?1 AND loan = ?2", params![tenant.as_str(), loan.as_str()]);
            }
            Kept::Event(event) => spoil("events", "id = ?1", params![event.id.uuid().as_bytes()]),
            Kept::Record(tenant, key) => {
                spoil(
                    "idempotency",
                    "tenant = ?1 AND kind = 'event' AND key = ?2",
                    params![tenant.as_str(), key],
                );
            }
        }
    }

    fn restarted(self) -> Self {
        self.restart()
    }
}
