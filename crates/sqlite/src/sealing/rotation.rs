//! Rotation, and all else that keeps secrets sealed while the process runs, in rounds. A round that fails or is cut off is repeated.

use std::path::Path;
use std::sync::atomic::Ordering;

use loanhook_core::ports::{StoreError, StoreResult};
use loanhook_seal::SealingKey;
use rusqlite::Connection;
use tracing::{info, warn};

use crate::SqliteEngine;
use crate::writer::Priority;

use super::erase::EraseLimit;
use super::requests::{self, Request};
use super::state::{RotationState, SealingState};
use super::{MasterKeyError, key_file, master_key};

impl SqliteEngine {
    /// One round: carries out what was asked for, seals what is not sealed with the newest key, and erases what is left of what
    /// was. Where nothing is to be done, that costs a read.
    ///
    /// # Errors
    ///
    /// When the store fails, or a key file cannot be replaced. Another round goes on.
    pub async fn keep_secrets_sealed(&self, limit: EraseLimit) -> StoreResult<()> {
        let (mut state, request) = self.sealing_state().await?;
        if let Some(request) = request.filter(|_| state.rotation.is_none()) {
            self.begin(&request).await?;
            (state, _) = self.sealing_state().await?;
        }
        if state.is_unsealed {
            let versions = self.seal_documents_anew().await?;
            self.end(&state).await?;
            info!(versions, key = %self.0.sealing.keyring.current(), "secrets.sealed");
        }
        if state.is_unerased {
            self.erase(limit).await?;
        }
        if self.read(requests::have_ended).await? {
            self.0.writer.run(Priority::ExistingWork, requests::delete_ended, |()| ()).await?;
        }
        Ok(())
    }

    async fn sealing_state(&self) -> StoreResult<(SealingState, Option<Request>)> {
        let read =
            |connection: &Connection| Ok((SealingState::read(connection)?, requests::next(connection)?));
        let (state, request) = self.read(read).await?;
        let state = state.ok_or_else(|| StoreError::Failed("the row of the master key is gone".into()))?;
        Ok((state, request))
    }

    /// Begins a rotation, or refuses it. After the commit everything that is written is sealed with the new key, and everything that
    /// was written is committed.
    pub(super) async fn begin(&self, request: &Request) -> StoreResult<()> {
        let id = request.id;
        let new = match self.new_key(request) {
            Ok(new) => new,
            Err(why) => {
                warn!(why, "master_key.rotation_refused");
                let refuse = move |connection: &Connection| requests::refuse(connection, id, &why);
                return self.0.writer.run(Priority::ExistingWork, refuse, |()| ()).await;
            }
        };
        let old = self.0.sealing.newest().clone();
        if new == old {
            let end = move |connection: &Connection| requests::end(connection, id);
            return self.0.writer.run(Priority::ExistingWork, end, |()| ()).await;
        }
        info!(from = %old.id(), to = %new.id(), "master_key.rotation_begins");
        let file = request.file.clone().unwrap_or_else(|| key_file::NEXT_OWN.to_owned());
        let (next, engine) = (new.clone(), self.clone());
        let begin = move |connection: &Connection| {
            SealingState::begin_rotation(connection, (&old, &new), Some(&file))
        };
        let after_commit = move |(): &mut ()| {
            engine.0.sealing.keyring.make_current(&next);
            *engine.0.sealing.newest() = next;
            engine.0.sealing.is_written_anew.store(false, Ordering::Relaxed);
            engine.0.sealing.is_erasing_given_up.store(false, Ordering::Relaxed);
        };
        self.0.writer.run(Priority::ExistingWork, begin, after_commit).await
    }

    /// The new key, in its file; why there is none, in a sentence for whoever asked.
    fn new_key(&self, request: &Request) -> Result<SealingKey, String> {
        let sealing = &self.0.sealing;
        match (&request.file, &sealing.given_by) {
            (Some(file), _) => master_key::required(Path::new(file)).map_err(|error| error.to_string()),
            (None, None) => key_file::read_or_make(&sealing.folder.join(key_file::NEXT_OWN))
                .map_err(|error| error.to_string()),
            (None, Some(by)) => Err(format!(
                "the master key is given by {by}, so a new one is, too: name the file that has it with --new-key-file, or start \
                 loanhook with LOANHOOK_MASTER_KEY new and LOANHOOK_MASTER_KEY_OLD as it was"
            )),
        }
    }

    /// Notes that everything is sealed with the newest key. A new key of the folder takes its place before that: from then on a
    /// start finds it there.
    pub(super) async fn end(&self, state: &SealingState) -> StoreResult<()> {
        let folder = self.0.sealing.folder.clone();
        let file = state.rotation.as_ref().and_then(|rotation| rotation.file.clone());
        let is_own = file.as_deref() == Some(Path::new(key_file::NEXT_OWN));
        if is_own {
            replace_own(&folder).map_err(|error| failed(&error))?;
        }
        let work = move |connection: &Connection| {
            SealingState::end_sealing(connection)?;
            match file.as_deref().and_then(Path::to_str) {
                Some(file) => requests::end_all_of(connection, file),
                None => Ok(()),
            }
        };
        self.0.writer.run(Priority::ExistingWork, work, |()| ()).await?;
        if let Some(rotation) = &state.rotation {
            if !is_own {
                self.remove_own(&state.key).map_err(|error| failed(&error))?;
            }
            log_end(state, rotation, is_own);
        }
        Ok(())
    }

    /// Removes the folder's own key, where that is the one which was replaced.
    fn remove_own(&self, old: &str) -> Result<(), MasterKeyError> {
        let own = key_file::own(&self.0.sealing.folder);
        match key_file::read(&own)? {
            Some(key) if key.id().as_str() == old => key_file::remove(&own),
            _ => Ok(()),
        }
    }
}

/// The new key of a folder takes the place of the old one, if it has not yet.
fn replace_own(folder: &Path) -> Result<(), MasterKeyError> {
    let next = folder.join(key_file::NEXT_OWN);
    match next.exists() {
        true => key_file::put_in_place(&next, &key_file::own(folder)),
        false => Ok(()),
    }
}

fn failed(error: &MasterKeyError) -> StoreError {
    StoreError::Failed(error.to_string().into())
}

fn log_end(state: &SealingState, rotation: &RotationState, is_own: bool) {
    let advice = match is_own {
        true => "the old key is needed for nothing but older copies of the database",
        false => {
            "give the new key at every start from now on; the old one is needed for nothing but older copies of the database"
        }
    };
    info!(from = state.key, to = rotation.next, advice, "master_key.rotated");
}
