//! What stands in the way of a rotation loses no key, and lets nobody wait without end.

use super::*;

/// The version number of a document that no loanhook reads.
const UNREADABLE: &str = r#"{"v": 4711}"#;

fn own_key(folder: &Path) -> SealingKey {
    key_file::read(&key_file::own(folder)).expect("read").expect("a key")
}

#[tokio::test]
async fn a_new_key_whose_file_is_lost_is_written_again_before_the_old_one_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = cut_off(folder.path(), &MasterKey::default(), None, Cut::AfterItBegan).await;
    let engine = SqliteEngine::open(folder.path()).expect("it starts");
    std::fs::remove_file(folder.path().join(key_file::NEXT_OWN)).expect("removed");
    engine.keep_secrets_sealed(EraseLimit::None).await.expect("kept");
    assert_eq!(own_key(folder.path()).id().as_str(), state_of(&engine).await.key);

    let (new_file, new) = key_in(folder.path(), "new", 2);
    let request = put_request(&engine, Some(&new_file)).await;
    let asked = request.id;
    engine.begin(&request).await.expect("begun");
    let (_, other) = key_in(folder.path(), "new", 3);
    let error =
        engine.keep_secrets_sealed(EraseLimit::None).await.expect_err("its file has another").to_string();
    assert!(error.contains(new.id().as_str()) && error.contains("put it back there"), "{error}");
    let answer = engine.read(move |connection| requests::state_of(connection, asked)).await.expect("read");
    assert!(matches!(answer, requests::RequestState::Refused(why) if why.contains("put it back there")));
    assert!(state_of(&engine).await.rotation.is_some() && key_file::own(folder.path()).exists());
    assert_eq!(key_file::read(&new_file).expect("read"), Some(other), "it stays");

    std::fs::remove_file(&new_file).expect("removed");
    engine.keep_secrets_sealed(EraseLimit::None).await.expect("kept");
    assert_eq!(key_file::read(&new_file).expect("read"), Some(new));
    assert!(state_of(&engine).await.rotation.is_none() && !key_file::own(folder.path()).exists());
    assert_opens(&engine, id).await;
}

#[tokio::test]
async fn a_rotation_does_not_end_while_a_document_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = cut_off(folder.path(), &MasterKey::default(), None, Cut::BeforeItBegan).await;
    let engine = SqliteEngine::open(folder.path()).expect("it starts");
    let before = own_key(folder.path());
    let copied = "INSERT INTO subscriptions (tenant, id, version, current, doc)
                  SELECT tenant, id, version + 1, 0, ?1 FROM subscriptions";
    write(&engine, move |connection| connection.execute(copied, [UNREADABLE])).await;
    for _ in 0..2 {
        let asked = put_request(&engine, None).await.id;
        engine.keep_secrets_sealed(EraseLimit::None).await.expect("kept");
        let answer =
            engine.read(move |connection| requests::state_of(connection, asked)).await.expect("read");
        assert!(matches!(answer, requests::RequestState::Refused(why) if why.contains("cannot be read")));
    }
    let state = state_of(&engine).await;
    let newest = engine.0.sealing.newest().clone();
    let kept = state.rotation.expect("it has not ended").old_key(&newest);
    assert_eq!((kept, own_key(folder.path())), (Some(before.clone()), before));
    drop(engine);
    let error =
        rotate_master_key(folder.path(), MasterKey::default(), None).await.expect_err("nor does it end");
    assert!(error.to_string().contains("delete their rows"), "{error}");

    let engine = SqliteEngine::open(folder.path()).expect("it starts");
    assert_opens(&engine, id).await;
    write(&engine, |connection| connection.execute("DELETE FROM subscriptions WHERE doc = ?1", [UNREADABLE]))
        .await;
    engine.keep_secrets_sealed(EraseLimit::None).await.expect("kept");
    let state = state_of(&engine).await;
    assert!(state.rotation.is_none() && !state.is_unsealed && !state.is_unerased, "{state:?}");
    assert_eq!(own_key(folder.path()), newest);
    assert_opens(&engine, id).await;
}

#[tokio::test]
async fn a_rotation_whose_old_key_cannot_be_found_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = cut_off(folder.path(), &MasterKey::default(), None, Cut::AfterItBegan).await;
    let old = own_key(folder.path());
    let database = Connection::open(crate::data_folder::database(folder.path())).expect("the database");
    database.execute("UPDATE sealing SET old_sealed = 'damaged'", []).expect("damaged");
    drop(database);
    let new = key_file::read(&folder.path().join(key_file::NEXT_OWN)).expect("read").expect("a key");
    std::fs::remove_file(key_file::own(folder.path())).expect("removed");
    let error = SqliteEngine::open(folder.path()).err().expect("half of it cannot be opened").to_string();
    assert!(error.contains(old.id().as_str()) && error.contains("LOANHOOK_MASTER_KEY_OLD"), "{error}");
    let given = MasterKey::from_text(&new.expose(), "LOANHOOK_MASTER_KEY").expect("a key");
    let given = given.with_key_before(&old.expose(), "LOANHOOK_MASTER_KEY_OLD").expect("a key");
    let engine =
        SqliteEngine::open_with(folder.path(), EngineOptions::with_master_key(&given)).expect("it starts");
    assert_opens(&engine, id).await;
}

#[tokio::test]
async fn a_rotation_to_a_file_is_repeated_where_only_erasing_was_cut_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let (new_file, _) = key_in(folder.path(), "new", 2);
    let data = folder.path().join("data");
    let id = cut_off(&data, &MasterKey::default(), Some(&new_file), Cut::AfterTheState).await;
    key_file::remove(&key_file::own(&data)).expect("removed");
    let error = SqliteEngine::open(&data).err().expect("its key is in the file").to_string();
    assert!(error.contains("is gone") && error.contains(&new_file.display().to_string()), "{error}");
    let repeated = rotate_master_key(&data, MasterKey::default(), Some(&new_file)).await.expect("repeated");
    assert_eq!(repeated.not_erased, None);
    let given = MasterKey::from_file(&new_file).expect("a key");
    let engine = SqliteEngine::open_with(&data, EngineOptions::with_master_key(&given)).expect("it starts");
    assert_opens(&engine, id).await;
}

#[tokio::test]
async fn a_reader_that_keeps_the_log_keeps_nobody_waiting() {
    for limit in [EraseLimit::None, EraseLimit::Bytes(4096)] {
        let folder = tempfile::tempdir().expect("a folder");
        cut_off(folder.path(), &MasterKey::default(), None, Cut::BeforeItBegan).await;
        let engine = SqliteEngine::open(folder.path()).expect("it starts");
        let reader = Connection::open(crate::data_folder::database(folder.path())).expect("the database");
        reader.execute_batch("BEGIN; SELECT count(*) FROM sealing").expect("a snapshot");
        engine.keep_secrets_sealed(limit).await.expect_err("the log is not empty");
        let ended = engine.read(requests::have_ended).await.expect("read");
        assert!(!ended && state_of(&engine).await.rotation.is_none(), "who asked is answered");
        reader.execute_batch("COMMIT").expect("it ends");
        drop(reader);
        engine.keep_secrets_sealed(limit).await.expect("kept");
        let log = folder.path().join("loanhook.db-wal");
        let is_erased = !state_of(&engine).await.is_unerased;
        // The note that it was erased is in the log.
        assert!(is_erased || std::fs::metadata(log).expect("the log").len() == 0, "{limit:?}");
        assert_eq!(is_erased, limit == EraseLimit::None);
    }
}

#[tokio::test]
async fn each_who_asks_for_the_same_is_told_that_it_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let given = MasterKey::from_text(&SealingKey::from_bytes([1; 32]).expose(), "it").expect("a key");
    let engine =
        SqliteEngine::open_with(folder.path(), EngineOptions::with_master_key(&given)).expect("a folder");
    let asked = [put_request(&engine, None).await.id, put_request(&engine, None).await.id];
    for id in asked {
        engine.keep_secrets_sealed(EraseLimit::None).await.expect("kept");
        let answer = engine.read(move |connection| requests::state_of(connection, id)).await.expect("read");
        assert!(matches!(answer, requests::RequestState::Refused(_)));
        write(&engine, move |connection| requests::delete(connection, id)).await;
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_written_anew_while_nothing_else_uses_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let id = cut_off(folder.path(), &MasterKey::default(), None, Cut::AfterItBegan).await;
    let engine = SqliteEngine::open(folder.path()).expect("it starts");
    for _ in 0..2 {
        engine.keep_secrets_sealed(EraseLimit::Bytes(4096)).await.expect("kept");
        let state = state_of(&engine).await;
        assert!(state.rotation.is_none() && state.is_unerased, "{state:?}");
    }
    assert_opens(&engine, id).await;
    drop(engine);
    let erased = erase_secrets(folder.path(), &MasterKey::default()).await.expect("erased");
    assert_eq!(erased.not_erased, None);
    let engine = SqliteEngine::open(folder.path()).expect("it starts");
    assert_opens(&engine, id).await;
    let state = state_of(&engine).await;
    assert!(state.key == erased.key && !state.is_unerased, "{state:?}");
}
