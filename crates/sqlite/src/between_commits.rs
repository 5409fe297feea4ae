//! Work between two commits: it has the writer's connection to itself, with no transaction, and whatever is to be committed waits.

use std::sync::mpsc::{Receiver, Sender, channel};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::SqliteEngine;
use super::errors::store_error;
use super::writer::Priority;
use loanhook_core::ports::{StoreError, StoreResult};

type Work = Box<dyn FnOnce(&Connection) + Send>;

/// Where work waits for the end of a commit.
pub(super) struct BetweenCommits(Sender<Work>);

/// The writer's side.
pub(super) struct WaitingWork(Receiver<Work>);

impl BetweenCommits {
    pub(super) fn new() -> (Self, WaitingWork) {
        let (sender, receiver) = channel();
        (Self(sender), WaitingWork(receiver))
    }
}

impl WaitingWork {
    /// Runs what waits. To be called by the writer between two commits.
    pub(super) fn run(&self, connection: &Connection) {
        while let Ok(work) = self.0.try_recv() {
            work(connection);
        }
    }
}

impl SqliteEngine {
    /// Runs work between two commits, as soon as one has ended.
    pub(super) async fn between_commits<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> StoreResult<T> {
        let (sender, receiver) = oneshot::channel();
        // A caller that went away does not want to know.
        let work: Work = Box::new(move |connection| drop(sender.send(work(connection))));
        let stopped = || StoreError::Failed("the writer stopped".into());
        self.0.between_commits.0.send(work).map_err(|_| stopped())?;
        // A commit, so that one ends.
        self.0.writer.run(Priority::ExistingWork, |_| Ok(()), |()| ()).await?;
        receiver.await.map_err(|_| stopped())?.map_err(|error| store_error(&error))
    }
}
