//! Port of health: whether a store can do what it is there for.

use std::future::Future;

pub trait Health {
    /// False while nothing can be stored. Anybody may ask, as often as they like, so it costs next to nothing.
    fn is_healthy(&self) -> impl Future<Output = bool> + Send;

    /// Whether what came now would be stored, found out by trying: in one process by a commit, on AWS by a write to the table.
    /// Anybody may ask: an engine (on AWS each instance of a function) tries once a second at most. It answers within a few
    /// seconds.
    ///
    /// # Errors
    ///
    /// Why it would not.
    fn readiness(&self) -> impl Future<Output = Result<(), NotReady>> + Send;
}

/// Why nothing can be stored. Displays as a sentence that says what to do, and names nothing of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    #[error("the disk is full: free some of it, and loanhook goes on by itself")]
    DiskFull,
    #[error("the data folder cannot be written to: make it writable, and loanhook goes on by itself")]
    ReadOnly,
    #[error("the store did not answer in time: look at the disk, or at the service that stores")]
    TooSlow,
    #[error("the store failed: the log says why")]
    Failed,
    #[error("the store has stopped: start loanhook again; the log says why it stopped")]
    Stopped,
}
