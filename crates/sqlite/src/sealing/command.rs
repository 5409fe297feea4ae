//! `loanhook master-key rotate`: asks the loanhook that runs on a folder for a rotation, and waits for its end; or, where none runs,
//! carries it out itself.

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

use super::erase::EraseLimit;
use super::requests::{self, RequestState};
use super::state::SealingState;
use super::{MasterKey, MasterKeyError, master_key};

/// The time between two looks at what became of a request.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How long a look waits for the loanhook that runs: it may write its file anew.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

/// A rotation that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The ID of the key that seals now.
    pub key: String,
    /// Whether the file holds nothing any more of what it held before.
    pub is_erased: bool,
}

/// Why a rotation has not ended.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
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
    #[error("the rotation has not ended, and goes on at the next start: {0}")]
    Store(StoreError),
}

impl From<rusqlite::Error> for RotateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(errors::store_error(&error))
    }
}

impl From<StoreError> for RotateError {
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
) -> Result<Rotation, RotateError> {
    if !data_folder::database(folder).exists() {
        return Err(RotateError::NoFolder(folder.into()));
    }
    let file = new_key_file.map(absolute).transpose()?;
    loop {
        match SqliteEngine::open_with(folder, EngineOptions::with_master_key(&given)) {
            Ok(engine) => return carry_out(&engine, file.as_deref()).await,
            Err(OpenError::InUse(_)) => {
                // None: it has ended meanwhile.
                if let Some(rotation) = ask_for(folder, file.as_deref()).await? {
                    return Ok(rotation);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
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
async fn carry_out(engine: &SqliteEngine, file: Option<&str>) -> Result<Rotation, RotateError> {
    engine.take_out_stored_credentials().await?;
    let file = file.map(str::to_owned);
    let put = move |connection: &Connection| requests::put(connection, file.as_deref());
    let id = engine.0.writer.run(Priority::ExistingWork, put, |_| ()).await?;
    loop {
        // The first may end a rotation that was cut off.
        engine.keep_secrets_sealed(EraseLimit::None).await?;
        let (done, rotation) = engine.read(move |connection| look(connection, id)).await?;
        match done {
            RequestState::Waiting => {}
            RequestState::Done => return Ok(rotation),
            RequestState::Refused(why) => {
                engine
                    .0
                    .writer
                    .run(Priority::ExistingWork, move |c| requests::delete(c, id), |()| ())
                    .await?;
                return Err(RotateError::Refused(why));
            }
        }
    }
}

/// Asks the loanhook that runs, and waits for what becomes of it. None where it ends meanwhile.
async fn ask_for(folder: &Path, file: Option<&str>) -> Result<Option<Rotation>, RotateError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(data_folder::database(folder), flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    if !matches!(schema::version(&connection)?, SchemaVersion::Known { applied } if applied == schema::NEWEST)
    {
        return Err(RotateError::OtherVersion(folder.into()));
    }
    let id = requests::put(&connection, file)?;
    loop {
        match look(&connection, id)? {
            (RequestState::Done, rotation) => return Ok(Some(rotation)),
            (RequestState::Refused(why), _) => {
                requests::delete(&connection, id)?;
                return Err(RotateError::Refused(why));
            }
            (RequestState::Waiting, _) => {}
        }
        if DataFolder::is_free(folder)? {
            return Ok(None);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// What became of a request, and what the database is sealed with.
fn look(connection: &Connection, id: i64) -> rusqlite::Result<(RequestState, Rotation)> {
    let done = requests::state_of(connection, id)?;
    let state = SealingState::read(connection)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok((done, Rotation { key: state.key, is_erased: !state.is_unerased }))
}
