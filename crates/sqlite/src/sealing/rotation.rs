//! Rotation, and all else that keeps secrets sealed while the process runs, in rounds. A round that fails or is cut off is repeated.

use std::path::Path;

use loanhook_core::ports::{StoreError, StoreResult};
use loanhook_seal::SealingKey;
use rusqlite::Connection;
use tracing::{error, info, warn};

use crate::SqliteEngine;
use crate::writer::Priority;

use super::documents::Pass;
use super::erase::EraseLimit;
use super::requests::{self, Request};
use super::state::{RotationState, SealingState};
use super::{MasterKeyError, Progress, Sealing, key_file, master_key};

impl SqliteEngine {
    /// One round: carries out what was asked for, seals what is not sealed with the newest key, and erases what is left of what
    /// was. Where nothing is to be done, that costs a read.
    ///
    /// # Errors
    ///
    /// When the store fails, or a key file cannot be replaced. Another round goes on.
    pub async fn keep_secrets_sealed(&self, limit: EraseLimit) -> StoreResult<()> {
        let (mut state, mut request) = self.sealing_state().await?;
        if let Some(request) = request.as_ref().filter(|_| state.rotation.is_none()) {
            self.begin(request).await?;
            (state, _) = self.sealing_state().await?;
        }
        if state.is_unsealed && self.0.sealing.progress().unreadable == 0 {
            self.seal_all(&state).await?;
            (state, request) = self.sealing_state().await?;
        }
        let unreadable = self.0.sealing.progress().unreadable;
        if request.is_some() && state.rotation.is_some() && unreadable > 0 {
            self.refuse_all(cannot_end(unreadable)).await?;
        }
        let erased = if state.is_unerased { self.erase(limit).await } else { Ok(()) };
        // Whoever asked does not wait for another try.
        if self.read(requests::have_ended).await? {
            self.0.writer.run(Priority::ExistingWork, requests::delete_ended, |()| ()).await?;
        }
        erased
    }

    /// Seals all with the newest key. Where some cannot be read, neither this nor a rotation ends: what opens them may still be needed.
    async fn seal_all(&self, state: &SealingState) -> StoreResult<()> {
        let Pass { sealed, unreadable } = self.seal_documents_anew().await?;
        self.0.sealing.progress().unreadable = unreadable;
        if unreadable == 0 {
            self.end(state).await?;
            info!(versions = sealed, key = %self.0.sealing.keyring.current(), "secrets.sealed");
        } else {
            error!(unreadable, advice = cannot_end(unreadable), "secrets.not_all_sealed");
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
            *engine.0.sealing.progress() = Progress::default();
        };
        self.0.writer.run(Priority::ExistingWork, begin, after_commit).await
    }

    /// Tells all who wait for a rotation why it does not end.
    async fn refuse_all(&self, why: String) -> StoreResult<()> {
        let refuse = move |connection: &Connection| requests::refuse_all(connection, &why);
        self.0.writer.run(Priority::ExistingWork, refuse, |()| ()).await
    }

    /// The new key, in its file; why there is none, in a sentence for whoever asked.
    fn new_key(&self, request: &Request) -> Result<SealingKey, String> {
        let sealing = &self.0.sealing;
        let key = match (&request.file, &sealing.given) {
            (Some(file), _) => {
                let file = Path::new(file);
                key_file::sync(file).and_then(|()| master_key::required(file))
            }
            (None, None) => key_file::read_or_make(&sealing.folder.join(key_file::NEXT_OWN), &sealing.folder),
            (None, Some(given)) => {
                return Err(format!(
                    "the master key is given by {}, so a new one is, too: name the file that has it with --new-key-file, or start \
                     loanhook with LOANHOOK_MASTER_KEY new and LOANHOOK_MASTER_KEY_OLD as it was",
                    given.by
                ));
            }
        };
        key.map_err(|error| error.to_string())
    }

    /// Notes that everything is sealed with the newest key. Before that the key is where the starts to come look for it: from then on
    /// nothing else opens what is sealed with it.
    pub(super) async fn end(&self, state: &SealingState) -> StoreResult<()> {
        let Some(rotation) = &state.rotation else {
            return self.0.writer.run(Priority::ExistingWork, SealingState::end_sealing, |()| ()).await;
        };
        if let Err(error) = self.keep_new_key(state.file.as_deref()) {
            self.refuse_all(format!("{error}. Then the rotation goes on by itself")).await?;
            return Err(failed(&error));
        }
        let file = state.file.clone();
        let is_own = file.as_deref() == Some(Path::new(key_file::NEXT_OWN));
        let work = move |connection: &Connection| {
            SealingState::end_sealing(connection)?;
            match file.as_deref().and_then(Path::to_str) {
                Some(file) => requests::end_all_of(connection, file),
                None => Ok(()),
            }
        };
        self.0.writer.run(Priority::ExistingWork, work, |()| ()).await?;
        if !is_own {
            self.remove_own(&state.key).map_err(|error| failed(&error))?;
        }
        log_end(state, rotation, is_own);
        Ok(())
    }

    /// Has the new key on the disk for good: as the folder's own, or in the file that was named, where it may have been lost meanwhile.
    fn keep_new_key(&self, file: Option<&Path>) -> Result<(), MasterKeyError> {
        let Sealing { folder, given, .. } = &self.0.sealing;
        let newest = self.0.sealing.newest().clone();
        if let Some(given) = given.as_ref().filter(|given| given.key == newest) {
            return given.sync();
        }
        let Some(file) = file else { return Ok(()) };
        if file == Path::new(key_file::NEXT_OWN) {
            key_file::put(&key_file::own(folder), &newest, folder)?;
            return key_file::remove(&folder.join(file));
        }
        match key_file::read(file)? {
            Some(found) if found == newest => key_file::sync(file),
            Some(_) => Err(MasterKeyError::Changed { file: file.into(), key: newest.id() }),
            None => key_file::put(file, &newest, folder),
        }
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

/// Why sealing does not end, and what to do.
fn cannot_end(unreadable: u64) -> String {
    format!(
        "versions of webhooks that cannot be read, and so are not sealed with the new key: {unreadable}; all others are. The log names them \
         (store.unreadable_left_out). Start a loanhook that can read them, or delete their rows from the database: that start ends it. \
         Until then the key before, if there is one, stays in the database, sealed with the new key"
    )
}

fn failed(error: &MasterKeyError) -> StoreError {
    StoreError::Failed(error.to_string().into())
}

fn log_end(state: &SealingState, rotation: &RotationState, is_own: bool) {
    let advice = match is_own {
        true => "only copies of the database that were made before need the old key",
        false => {
            "give the new key at every start from now on; only copies of the database that were made before need the old one"
        }
    };
    info!(from = state.key, to = rotation.next, advice, "master_key.rotated");
}
