//! The engine for one process, under the contract.

mod process;

use std::path::PathBuf;
use std::sync::Mutex;

use loanhook::embedded::{Embedded, Limits, Worker};
use loanhook::model::attempt::Attempt;
use loanhook::model::id::TenantId;
use loanhook::model::payload::PayloadKey;
use loanhook::model::time::Timestamp;
use loanhook::ports::{Deliveries, Due, Resends, Wake};
use rusqlite::{Connection, ToSql, params};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::engine::{Engine, contract};
use crate::scene::loan;

contract!(crate::embedded::OnDisk);

/// An engine in a folder of its own, which goes with it.
pub(crate) struct OnDisk {
    engine: Embedded,
    folder: Folder,
    /// Messages that were taken off the queue and not yet asked for.
    spare: Mutex<Vec<Wake>>,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl OnDisk {
    /// Changes one row of its file, past the engine.
    fn change(&self, sql: &str, params: &[&dyn ToSql]) {
        let file = Connection::open(self.folder.0.join("loanhook.db")).expect("the file");
        file.busy_timeout(crate::PATIENCE).expect("a time-out");
        assert_eq!(file.execute(sql, params).expect("changed"), 1);
    }

    /// How many messages are in its queue.
    fn waiting(&self) -> i64 {
        let file = Connection::open(self.folder.0.join("loanhook.db")).expect("the file");
        file.busy_timeout(crate::PATIENCE).expect("a time-out");
        file.query_row("SELECT count(*) FROM queue", [], |row| row.get(0)).expect("counted")
    }

    /// Ends the engine and starts another on its folder.
    fn restart(self) -> Self {
        let Self { engine, folder, .. } = self;
        drop(engine);
        let engine = Embedded::open(&folder.0).expect("the folder is free");
        Self { engine, folder, spare: Mutex::default() }
    }

    /// Takes one message off the queue, the next in turn.
    async fn take(&self) -> Wake {
        if let Some(spare) = self.spare.lock().expect("unharmed").pop() {
            return spare;
        }
        let (found, mut taken) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let engine = self.engine.clone();
        let handler = move |wake: Wake, now| {
            let (engine, found, stop) = (engine.clone(), found.clone(), stop.clone());
            async move {
                take_away(&engine, &wake, now).await;
                found.send(wake).expect("the case waits");
                stop.send_replace(true);
                Ok(())
            }
        };
        let limits = Limits { in_all: 1, per_subscription: 1 };
        Worker::new(self.engine.clone(), handler, limits).run(stopped).await;
        let first = taken.recv().await.expect("a message");
        // The worker may have begun another before it saw that it should stop.
        while let Ok(another) = taken.try_recv() {
            self.spare.lock().expect("unharmed").push(another);
        }
        first
    }
}

/// A claim takes its message away; this one claims nothing.
async fn take_away(engine: &Embedded, wake: &Wake, now: Timestamp) {
    match &wake.what {
        Due::Attempt(_) => {
            let begun = engine.begin(wake, 0, Uuid::nil(), now).await;
            assert!(matches!(begun, Ok(loanhook::ports::Begun::Lost(_))));
        }
        Due::Resend { attempt_id, .. } => {
            let nowhere = loan("no loan has this name");
            let taken = engine.take_resend(wake, &nowhere, *attempt_id, Uuid::nil(), now).await;
            assert!(matches!(taken, Ok(loanhook::ports::Taken::Lost(None))));
        }
    }
}

impl Engine for OnDisk {
    type Ports = Embedded;

    async fn fresh() -> Self {
        let folder = Folder(std::env::temp_dir().join(format!("loanhook-contract-{}", Uuid::new_v4())));
        let engine = Embedded::open(&folder.0).expect("a new folder");
        Self { engine, folder, spare: Mutex::default() }
    }

    fn ports(&self) -> &Embedded {
        &self.engine
    }

    async fn receive(&self) -> Wake {
        self.take().await
    }

    async fn drain(&self) -> Vec<Wake> {
        let mut all = Vec::new();
        while self.waiting() > 0 {
            all.push(self.take().await);
        }
        all.append(&mut self.spare.lock().expect("unharmed"));
        all.sort_by_key(|wake| wake.due);
        all
    }

    fn put_row(&self, row: &Attempt) {
        let doc = serde_json::to_string(row).expect("JSON");
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
}
