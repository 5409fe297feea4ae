//! Wherever a crash cuts a rotation off, the next start goes on, with the keys that an operator may give it then.

use std::path::{Path, PathBuf};

use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::ports::Subscriptions as _;
use loanhook_seal::SealingKey;
use loanhook_stored::Sealed;
use rusqlite::Connection;

use super::documents::{Pass, first_position};
use super::requests::{self, Request};
use super::state::SealingState;
use super::*;
use crate::errors::OpenError;
use crate::options::EngineOptions;
use crate::writer::Priority;

#[path = "faults_tests.rs"]
mod faults;

/// How far a rotation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Cut {
    BeforeItBegan,
    AfterItBegan,
    AfterTheDocuments,
    /// The folder's own key is replaced.
    AfterTheKeyFile,
    /// The database has forgotten the old key.
    AfterTheState,
}

const CUTS: [Cut; 5] =
    [Cut::BeforeItBegan, Cut::AfterItBegan, Cut::AfterTheDocuments, Cut::AfterTheKeyFile, Cut::AfterTheState];
const HEADER: &str = "Bearer a-token";

fn tenant() -> TenantId {
    TenantId::try_from("acme".to_owned()).expect("a name")
}

fn webhook() -> Subscription {
    let document = include_str!("../../../stored/tests/golden/subscription.events.json");
    let sealed: Sealed<Subscription> = loanhook_stored::read(document).expect("a document");
    let keyring = Keyring::new(&SealingKey::from_bytes([0; 32]));
    let mut webhook = sealed.open(&keyring, "").expect("an earlier version stored it in clear");
    webhook.tenant = tenant();
    webhook.settings.request.headers.insert("Authorization".into(), HEADER.into());
    webhook
}

async fn assert_opens(engine: &SqliteEngine, id: SubscriptionId) {
    let read = engine.subscription_version(&tenant(), id, webhook().version).await.expect("read");
    let read = read.expect("the version");
    assert_eq!(read.settings.request.headers.get("Authorization").map(String::as_str), Some(HEADER));
}

async fn put_request(engine: &SqliteEngine, file: Option<&Path>) -> Request {
    let file = file.map(|file| file.to_str().expect("text").to_owned());
    let put = file.clone();
    let id = write(engine, move |connection| requests::put(connection, put.as_deref())).await;
    Request { id, file }
}

async fn write<T: Send + 'static>(
    engine: &SqliteEngine,
    work: impl Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> T {
    engine.0.writer.run(Priority::ExistingWork, work, |_| ()).await.expect("written")
}

/// A folder whose rotation was cut off; its webhook.
async fn cut_off(folder: &Path, given: &MasterKey, file: Option<&Path>, cut: Cut) -> SubscriptionId {
    let engine = SqliteEngine::open_with(folder, EngineOptions::with_master_key(given)).expect("a folder");
    let webhook = webhook();
    let id = webhook.id;
    assert!(engine.create(webhook, 10).await.expect("stored"));
    let request = put_request(&engine, file).await;
    if cut >= Cut::AfterItBegan {
        engine.begin(&request).await.expect("begun");
    }
    if cut >= Cut::AfterTheDocuments {
        let all = Pass { sealed: 1, unreadable: 0 };
        assert_eq!(engine.seal_documents_anew().await.expect("sealed"), all);
    }
    if cut >= Cut::AfterTheKeyFile && file.is_none() {
        let newest = engine.0.sealing.newest().clone();
        key_file::put(&key_file::own(folder), &newest, folder).expect("in place");
    }
    if cut >= Cut::AfterTheState {
        if file.is_none() {
            key_file::remove(&folder.join(key_file::NEXT_OWN)).expect("removed");
        }
        let named = request.file.unwrap_or_else(|| key_file::NEXT_OWN.to_owned());
        write(&engine, move |connection| {
            SealingState::end_sealing(connection)?;
            requests::end_all_of(connection, &named)
        })
        .await;
    }
    id
}

async fn state_of(engine: &SqliteEngine) -> SealingState {
    engine.read(SealingState::read).await.expect("read").expect("a row")
}

fn key_in(folder: &Path, name: &str, byte: u8) -> (PathBuf, SealingKey) {
    let (path, key) = (folder.join(name), SealingKey::from_bytes([byte; 32]));
    std::fs::write(&path, key.expose()).expect("written");
    (path, key)
}

#[tokio::test]
async fn a_rotation_of_the_folders_own_key_goes_on() {
    for cut in CUTS {
        let folder = tempfile::tempdir().expect("a folder");
        let id = cut_off(folder.path(), &MasterKey::default(), None, cut).await;
        let before = key_file::read(&key_file::own(folder.path())).expect("read").expect("a key");

        let engine = SqliteEngine::open(folder.path()).expect("it starts");
        assert_opens(&engine, id).await;
        engine.keep_secrets_sealed(EraseLimit::WHILE_USED).await.expect("kept");
        let state = state_of(&engine).await;
        assert!(state.rotation.is_none() && !state.is_unsealed && !state.is_unerased, "{cut:?}: {state:?}");
        let after = key_file::read(&key_file::own(folder.path())).expect("read").expect("a key");
        assert_eq!((state.key.as_str(), after == before), (after.id().as_str(), cut >= Cut::AfterTheKeyFile));
        assert!(!folder.path().join(key_file::NEXT_OWN).exists());
        assert!(engine.read(requests::next).await.expect("read").is_none(), "{cut:?}: it is carried out");
        assert_opens(&engine, id).await;
        drop(engine);
        let engine = SqliteEngine::open(folder.path()).expect("it starts again");
        assert_opens(&engine, id).await;
    }
}

#[tokio::test]
async fn a_rotation_to_the_key_of_a_file_goes_on_with_either_key() {
    for cut in CUTS {
        for is_new_given in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let (old_file, old) = key_in(folder.path(), "old", 1);
            let (new_file, new) = key_in(folder.path(), "new", 2);
            let data = folder.path().join("data");
            let given = MasterKey::from_file(&old_file).expect("a key");
            let id = cut_off(&data, &given, Some(&new_file), cut).await;
            let has_begun = cut != Cut::BeforeItBegan;

            let given = if is_new_given {
                // The old one is gone: the database has it, sealed with the new one.
                std::fs::remove_file(&old_file).expect("removed");
                MasterKey::from_file(&new_file).expect("a key")
            } else {
                given
            };
            let opened = SqliteEngine::open_with(&data, EngineOptions::with_master_key(&given));
            let has_ended = cut == Cut::AfterTheState;
            if is_new_given && !has_begun || !is_new_given && has_ended {
                let error = opened.err().expect("it is sealed with the other one");
                assert!(matches!(error, OpenError::MasterKey(MasterKeyError::Other { .. })), "{error}");
                continue;
            }
            let engine = opened.expect("it starts");
            assert_opens(&engine, id).await;
            engine.keep_secrets_sealed(EraseLimit::WHILE_USED).await.expect("kept");
            let state = state_of(&engine).await;
            assert!(state.rotation.is_none() && !state.is_unsealed, "{cut:?}: {state:?}");
            assert_eq!(state.key, new.id().as_str());
            assert_opens(&engine, id).await;
            drop(engine);
            let given = MasterKey::from_text(&old.expose(), "LOANHOOK_MASTER_KEY").expect("a key");
            let error = SqliteEngine::open_with(&data, EngineOptions::with_master_key(&given)).err();
            assert!(matches!(error, Some(OpenError::MasterKey(MasterKeyError::Other { .. }))), "{error:?}");
        }
    }
}

#[tokio::test]
async fn where_the_new_key_is_gone_a_start_says_which_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (new_file, new) = key_in(folder.path(), "new", 2);
    let data = folder.path().join("data");
    let id = cut_off(&data, &MasterKey::default(), Some(&new_file), Cut::AfterTheDocuments).await;
    std::fs::remove_file(&new_file).expect("removed");
    let error = SqliteEngine::open(&data).err().expect("half of it is sealed with the new one").to_string();
    assert!(error.contains(new.id().as_str()) && error.contains(&new_file.display().to_string()), "{error}");
    let third = MasterKey::from_text(&SealingKey::from_bytes([3; 32]).expose(), "it").expect("a key");
    let error = SqliteEngine::open_with(&data, EngineOptions::with_master_key(&third)).err();
    assert!(matches!(error, Some(OpenError::MasterKey(MasterKeyError::Other { .. }))), "{error:?}");

    let given = MasterKey::from_text(&new.expose(), "LOANHOOK_MASTER_KEY").expect("a key");
    let engine = SqliteEngine::open_with(&data, EngineOptions::with_master_key(&given)).expect("it starts");
    assert_opens(&engine, id).await;
    engine.keep_secrets_sealed(EraseLimit::WHILE_USED).await.expect("kept");
    assert_eq!(state_of(&engine).await.key, new.id().as_str());
    assert!(!key_file::own(&data).exists());
}

#[tokio::test]
async fn a_document_that_changes_while_it_is_sealed_anew_keeps_the_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = cut_off(folder.path(), &MasterKey::default(), None, Cut::AfterItBegan).await;
    let engine = SqliteEngine::open(folder.path()).expect("it starts");
    let slice = engine.documents_after(first_position()).await.expect("read");
    let mut next = (*engine.subscription(&tenant(), id).await.expect("read").expect("it")).clone();
    next.version += 1;
    engine.replace(next).await.expect("stored");
    engine.write_documents(slice).await.expect("written");
    let retired =
        engine.subscription_version(&tenant(), id, webhook().version).await.expect("read").expect("it");
    assert_eq!(
        retired.secrets,
        loanhook_core::model::secret::Secrets::without_expired(),
        "it stays without secrets"
    );
}
