//! Sealing: which master key seals the secrets of a data folder, and how everything is sealed anew with another.
//!
//! 1. A start finds its key (`master_key`): the one that is given, else that of the folder's own file (`key_file`), which the
//!    first start makes. The database names the key that it is sealed with (`state`), so another one is refused before anything
//!    is taken in (`start`).
//! 2. A subscription is sealed where its row is written, and opened where it is read (`subscription_versions`). The cache has it opened.
//! 3. What an earlier version stored in clear, or an older key sealed, is sealed anew in slices while the process runs
//!    (`documents`).
//! 4. A rotation begins with the start that is given two keys, or with a request that `loanhook master-key rotate` puts into the
//!    database (`requests`, `command`). From its first commit on the database holds the old key, sealed with the new one: so the new one
//!    alone opens everything, wherever a crash cuts the rotation off. The next start goes on (`rotation`).
//! 5. At the end the file is written anew, so that no byte of it holds what was in clear (`erase`).
//!
//! [ADR 43](../../../../docs/adr/0043-secrets-are-sealed.md) has the reasons.

mod command;
mod documents;
mod erase;
mod errors;
mod key_file;
mod master_key;
mod requests;
mod rotation;
mod start;
mod state;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use loanhook_seal::{Keyring, SealingKey};

use super::SqliteEngine;

pub use command::{MasterKeyCommandError, Rotation, erase_secrets, rotate_master_key};
pub use erase::EraseLimit;
use erase::Erasing;
pub(super) use erase::overwriting;
pub use errors::MasterKeyError;
use master_key::GivenKey;
pub use master_key::MasterKey;
pub(super) use start::StartError;

/// The keys of an open data folder.
pub(super) struct Sealing {
    keyring: Keyring,
    folder: PathBuf,
    /// The key that was given to this start; none where it is the folder's own.
    given: Option<GivenKey>,
    /// The key that seals now.
    newest: Mutex<SealingKey>,
    /// This start is the first that seals with the folder's own key.
    is_own_key_new: bool,
    progress: Mutex<Progress>,
}

/// What this start need not try again before the next one, or before another rotation.
#[derive(Default)]
struct Progress {
    /// How many documents could not be read when all others were sealed anew.
    unreadable: u64,
    erasing: Erasing,
}

impl Sealing {
    pub(super) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn newest(&self) -> MutexGuard<'_, SealingKey> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SqliteEngine {
    /// The file with the master key, where this start is the first that uses it.
    #[must_use]
    pub fn new_master_key_file(&self) -> Option<PathBuf> {
        self.0.sealing.is_own_key_new.then(|| key_file::own(&self.0.sealing.folder))
    }

    /// The keyring, for a read on another thread.
    pub(super) fn keyring(&self) -> Keyring {
        self.0.sealing.keyring.clone()
    }
}
