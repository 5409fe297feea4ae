//! `loanhook master-key rotate`: asks the loanhook that runs on a folder for a rotation, and waits for its end; or, where none runs,
//! carries it out itself. `loanhook master-key erase` erases, where none runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use loanhook_core::ports::StoreError;
use rusqlite::{Connection, OpenFlags};

use crate::data_folder::{self, DataFolder};
use crate::errors::OpenError;
use crate::options::EngineOptions;
use crate::schema::{self, SchemaVersion};
use crate::writer::Priority;
use crate::{SqliteEngine, errors};

use super::erase::{EraseLimit, Erasing};
use super::requests::{self, RequestState};
use super::state::SealingState;
use super::{MasterKey, MasterKeyError, master_key};

/// The time between two looks at what became of a request.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How long a look waits for the loanhook that runs: it may write its file anew.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);
/// Why something is left, where another process is to erase it.
const ITS_LOG_SAYS: &str = "the log of the loanhook that runs says when they no longer do (secrets.erased), or why they still do (secrets.not_erased)";

/// A rotation that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The ID of the key that seals now.
    pub key: String,
    /// Why the file may still hold what it held before; none where it does not.
    pub not_erased: Option<String>,
}

/// Why a rotation or an erasing has not ended.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyCommandError {
    #[error("there is no loanhook.db in {0}: name the data folder with --data")]
    NoFolder(PathBuf),
    #[error(
        "the loanhook that runs on {0} is of another version: use its own `loanhook master-key rotate`, or stop it first"
    )]
    OtherVersion(PathBuf),
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(
        "the loanhook that ran on {0} has ended: its next start carries the rotation out, or this command does if it is repeated"
    )]
    Ended(PathBuf),
    #[error("not all is done, and the next start goes on with what is left: {0}")]
    Store(StoreError),
}

impl From<rusqlite::Error> for MasterKeyCommandError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(errors::store_error(&error))
    }
}

impl From<StoreError> for MasterKeyCommandError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Has everything in a folder sealed anew with the key in a file, or with a new one that takes the place of the folder's own. `given` is the
/// key as it is given to a start, needed where no loanhook runs there.
///
/// # Errors
///
/// Where the folder or the file cannot be used, or the loanhook that runs refuses. What has begun goes on at its next start.
pub async fn rotate_master_key(
    folder: &Path,
    given: MasterKey,
    new_key_file: Option<&Path>,
) -> Result<Rotation, MasterKeyCommandError> {
    if !data_folder::database(folder).exists() {
        return Err(MasterKeyCommandError::NoFolder(folder.into()));
    }
    let file = new_key_file.map(absolute).transpose()?;
    let open = |given: &MasterKey| SqliteEngine::open_with(folder, EngineOptions::with_master_key(given));
    match (open(&given), new_key_file) {
        (Ok(engine), _) => carry_out(&engine, file.as_deref()).await,
        (Err(OpenError::InUse(_)), _) => ask_for(folder, file.as_deref()).await,
        // The new key may be in use already: this is repeated after a crash.
        (Err(error @ OpenError::MasterKey(_)), Some(new)) => match open(&MasterKey::from_file(new)?) {
            Ok(engine) => carry_out(&engine, file.as_deref()).await,
            Err(_) => Err(error.into()),
        },
        (Err(error), _) => Err(error.into()),
    }
}

/// Erases what is left in the file of a folder, where no loanhook runs. `given` is the key as it is given to a start.
///
/// # Errors
///
/// Where the folder cannot be used, or is in use.
pub async fn erase_secrets(folder: &Path, given: &MasterKey) -> Result<Rotation, MasterKeyCommandError> {
    if !data_folder::database(folder).exists() {
        return Err(MasterKeyCommandError::NoFolder(folder.into()));
    }
    let engine = SqliteEngine::open_with(folder, EngineOptions::with_master_key(given))?;
    engine.take_out_stored_credentials().await?;
    engine.keep_secrets_sealed(EraseLimit::None).await?;
    what_is_left(&engine).await
}

/// The path of a key file, as the loanhook that runs finds it.
fn absolute(file: &Path) -> Result<String, MasterKeyError> {
    master_key::required(file)?;
    let unusable = |error| MasterKeyError::File(file.into(), error);
    let path = file.canonicalize().map_err(unusable)?;
    let no_text = || unusable(std::io::Error::other("its path is not UTF-8"));
    path.to_str().map(str::to_owned).ok_or_else(no_text)
}

/// Rotates where nothing else uses the folder.
async fn carry_out(engine: &SqliteEngine, file: Option<&str>) -> Result<Rotation, MasterKeyCommandError> {
    engine.take_out_stored_credentials().await?;
    let file = file.map(str::to_owned);
    let put = move |connection: &Connection| requests::put(connection, file.as_deref());
    let id = engine.0.writer.run(Priority::ExistingWork, put, |_| ()).await?;
    loop {
        // The first may end a rotation that was cut off.
        engine.keep_secrets_sealed(EraseLimit::None).await?;
        match engine.read(move |connection| requests::state_of(connection, id)).await? {
            RequestState::Waiting => {}
            RequestState::Done => return what_is_left(engine).await,
            RequestState::Refused(why) => {
                engine
                    .0
                    .writer
                    .run(Priority::ExistingWork, move |c| requests::delete(c, id), |()| ())
                    .await?;
                return Err(MasterKeyCommandError::Refused(why));
            }
        }
    }
}

/// What the database is sealed with, and whether something is left in its file.
async fn what_is_left(engine: &SqliteEngine) -> Result<Rotation, MasterKeyCommandError> {
    let state = engine.read(sealing_state).await?;
    let why = match &engine.0.sealing.progress().erasing {
        Erasing::GivenUp(why) => why.clone(),
        Erasing::NotBegun | Erasing::LogLeft(_) => "not all is sealed yet".to_owned(),
    };
    Ok(Rotation { key: state.key, not_erased: state.is_unerased.then_some(why) })
}

fn sealing_state(connection: &Connection) -> rusqlite::Result<SealingState> {
    SealingState::read(connection)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// Asks the loanhook that runs, and waits for what becomes of it.
async fn ask_for(folder: &Path, file: Option<&str>) -> Result<Rotation, MasterKeyCommandError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(data_folder::database(folder), flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    if !matches!(schema::version(&connection)?, SchemaVersion::Known { applied } if applied == schema::NEWEST)
    {
        return Err(MasterKeyCommandError::OtherVersion(folder.into()));
    }
    let id = requests::put(&connection, file)?;
    loop {
        // Before the look: what it did last is seen.
        let has_ended = DataFolder::is_free(folder)?;
        match requests::state_of(&connection, id)? {
            RequestState::Done => {
                let SealingState { key, is_unerased, .. } = sealing_state(&connection)?;
                return Ok(Rotation { key, not_erased: is_unerased.then(|| ITS_LOG_SAYS.to_owned()) });
            }
            RequestState::Refused(why) => {
                requests::delete(&connection, id)?;
                return Err(MasterKeyCommandError::Refused(why));
            }
            RequestState::Waiting if has_ended => return Err(MasterKeyCommandError::Ended(folder.into())),
            RequestState::Waiting => {}
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
