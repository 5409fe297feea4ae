//! Start: the key that fits a data folder is found, or the start ends with an error that says what to do.

use std::path::Path;
use std::sync::Mutex;

use loanhook_seal::{Keyring, SealingKey};
use rusqlite::Connection;
use tracing::{info, warn};

use super::errors::MasterKeyError;
use super::master_key::{GivenKey, MasterKey};
use super::state::{RotationState, SealingState};
use super::{Progress, Sealing, key_file};

/// Why a start has no keys.
pub(crate) enum StartError {
    MasterKey(MasterKeyError),
    Database(rusqlite::Error),
}

impl From<MasterKeyError> for StartError {
    fn from(error: MasterKeyError) -> Self {
        Self::MasterKey(error)
    }
}

impl From<rusqlite::Error> for StartError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// The keys of a start: the newest, which seals, and the one before it, while there is a rotation.
struct Keys {
    newest: SealingKey,
    old: Option<SealingKey>,
}

impl Sealing {
    /// The keys for a folder that this process has locked, by its database.
    pub(crate) fn of(folder: &Path, connection: &Connection, given: &MasterKey) -> Result<Self, StartError> {
        let own = key_file::read(&key_file::own(folder))?;
        let state = SealingState::read(connection)?;
        let is_own_key_new = state.is_none() && given.given.is_none();
        let keys = match &state {
            None => first_key(folder, connection, given)?,
            Some(state) => match &state.rotation {
                Some(rotation) => keys_of_rotation(folder, (state, rotation), given, own.as_ref())?,
                None => keys_of_sealed(folder, connection, state, given, own.as_ref())?,
            },
        };
        let keyring = Keyring::new(&keys.newest);
        if let Some(old) = &keys.old {
            keyring.add(old);
        }
        Ok(Self {
            keyring,
            folder: folder.into(),
            given: given.given.clone(),
            newest: Mutex::new(keys.newest),
            is_own_key_new,
            progress: Mutex::new(Progress::default()),
        })
    }
}

/// The key of a database that has none yet.
fn first_key(folder: &Path, connection: &Connection, given: &MasterKey) -> Result<Keys, StartError> {
    let newest = match &given.given {
        Some(given) => {
            given.sync()?;
            given.key.clone()
        }
        None => key_file::read_or_make(&key_file::own(folder), folder)?,
    };
    SealingState::put_first(connection, &newest)?;
    Ok(Keys { newest, old: None })
}

/// The key of a database that is sealed with one. With that one as the key before, a rotation begins.
fn keys_of_sealed(
    folder: &Path,
    connection: &Connection,
    state: &SealingState,
    given: &MasterKey,
    own: Option<&SealingKey>,
) -> Result<Keys, StartError> {
    let fits = |key: &SealingKey| key.id().as_str() == state.key;
    let own_is_old = own.is_some_and(|own| !fits(own));
    let newest = match given.given.as_ref().map(|given| given.key.clone()).or_else(|| own.cloned()) {
        Some(key) => key,
        None => return Err(mismatch((folder, state), &state.key, None, None).into()),
    };
    if fits(&newest) {
        if given.before.is_some() {
            info!(advice = "unset LOANHOOK_MASTER_KEY_OLD", "master_key.key_before_is_not_used");
        }
        if own_is_old {
            let file = key_file::own(folder);
            warn!(
                file = %file.display(),
                advice = "move it away, and keep it as long as copies of the database that it may have sealed",
                "master_key.own_key_is_not_used"
            );
        }
        return Ok(Keys { newest, old: None });
    }
    match &given.before {
        Some(before) if fits(before) => {
            if let Some(given) = &given.given {
                given.sync()?;
            }
            SealingState::begin_rotation(connection, (before, &newest), None)?;
            Ok(Keys { newest, old: Some(before.clone()) })
        }
        _ => Err(mismatch((folder, state), &state.key, given.given.as_ref(), own).into()),
    }
}

/// The keys of a database whose rotation was cut off. The new one alone is enough.
fn keys_of_rotation(
    folder: &Path,
    (state, rotation): (&SealingState, &RotationState),
    given: &MasterKey,
    own: Option<&SealingKey>,
) -> Result<Keys, StartError> {
    let is_of_rotation =
        |key: &SealingKey| [state.key.as_str(), rotation.next.as_str()].contains(&key.id().as_str());
    if let Some(foreign) = given.given.as_ref().filter(|given| !is_of_rotation(&given.key)) {
        return Err(mismatch((folder, state), &rotation.next, Some(foreign), own).into());
    }
    let file = state.file.as_ref().map(|file| folder.join(file));
    // Where it cannot be read, another may have the key.
    let of_file = file.as_ref().and_then(|file| key_file::read(file).ok().flatten());
    let given_key = given.given.as_ref().map(|given| given.key.clone());
    let known: Vec<_> =
        [given_key, own.cloned(), given.before.clone(), of_file].into_iter().flatten().collect();
    let with_id = |id: &str| known.iter().find(|key| key.id().as_str() == id).cloned();
    match (with_id(&rotation.next), with_id(&state.key)) {
        (Some(newest), old) => {
            let Some(old) = old.or_else(|| rotation.old_key(&newest)) else {
                return Err(MasterKeyError::OldGone { folder: folder.into(), old: state.key.clone() }.into());
            };
            info!(from = state.key, to = rotation.next, "master_key.rotation_goes_on");
            Ok(Keys { newest, old: Some(old) })
        }
        (None, Some(_)) => {
            let (folder, next) = (folder.into(), rotation.next.clone());
            Err(MasterKeyError::NextGone { folder, next, file }.into())
        }
        (None, None) => Err(mismatch((folder, state), &rotation.next, given.given.as_ref(), own).into()),
    }
}

/// Why none of these keys is the one that the database is sealed with.
fn mismatch(
    (folder, state): (&Path, &SealingState),
    sealed_with: &str,
    given: Option<&GivenKey>,
    own: Option<&SealingKey>,
) -> MasterKeyError {
    let (file, sealed_with) = (key_file::own(folder), sealed_with.to_owned());
    let folder = folder.to_owned();
    match (given, own) {
        (Some(given), Some(own)) if own.id().as_str() == sealed_with => {
            MasterKeyError::SealedWithOwn { folder, own: file, by: given.by.clone(), found: given.key.id() }
        }
        (Some(given), _) => {
            MasterKeyError::Other { folder, sealed_with, by: given.by.clone(), found: given.key.id() }
        }
        (None, Some(own)) => {
            let by = format!("what is in {}", file.display());
            MasterKeyError::Other { folder, sealed_with, by, found: own.id() }
        }
        (None, None) => {
            let named = state.file.as_ref().map(|named| folder.join(named));
            MasterKeyError::Gone { folder, file, named, sealed_with }
        }
    }
}
