//! A wrong or missing key ends the start with a line that says what to do, before anything is taken in.

use std::path::Path;

use super::{KEY, OTHER_KEY, Secrets, private_file, with_environment};
use crate::harness::server::{new_folder, run_to_exit, serve_command, start_error};
use crate::harness::{Launch, Server};

/// The line with which a start ends. No key stands in it.
async fn refusal(data: &Path, launch: &Launch) -> String {
    let error = start_error(&run_to_exit(serve_command(data, launch)).await);
    assert!(!error.contains("panicked") && !error.contains(KEY) && !error.contains(OTHER_KEY), "{error}");
    error
}

fn with_file(file: &Path) -> Launch {
    let arguments = ["--master-key-file".to_owned(), file.to_string_lossy().into_owned()];
    Launch { arguments: arguments.to_vec(), ..Launch::default() }
}

#[tokio::test]
async fn what_is_no_key_is_refused_and_nothing_is_made() {
    let folder = new_folder();
    let data = folder.path().join("data");
    let file = private_file(folder.path().join("key"), "hush hush");
    let missing = folder.path().join("missing");
    let both =
        Launch { arguments: with_file(&file).arguments, ..with_environment(&[("LOANHOOK_MASTER_KEY", KEY)]) };
    let given = |key: &str| with_environment(&[("LOANHOOK_MASTER_KEY", key)]);
    let old = with_environment(&[("LOANHOOK_MASTER_KEY", KEY), ("LOANHOOK_MASTER_KEY_OLD", "hush")]);
    for (launch, says) in [
        (given("hush hush"), "LOANHOOK_MASTER_KEY is no master key"),
        (given("aHVzaCBodXNo"), "has 32 bytes, and this has 9"),
        (given(""), "LOANHOOK_MASTER_KEY is no master key"),
        (given(" "), "LOANHOOK_MASTER_KEY is no master key"),
        (old, "LOANHOOK_MASTER_KEY_OLD is no master key"),
        (with_file(&file), "openssl rand -base64 32"),
        (with_file(&missing), "missing cannot be used"),
        (both, "leave one out"),
    ] {
        let error = refusal(&data, &launch).await;
        assert!(error.contains(says) && !error.contains("hush"), "{error}");
        assert!(!data.exists(), "{error}");
    }
    let no_file = with_environment(&[("LOANHOOK_MASTER_KEY_FILE", "")]);
    let output = run_to_exit(serve_command(&data, &no_file)).await;
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && error.contains("--master-key-file"), "{error}");
    assert!(!data.exists());
}

#[tokio::test]
async fn a_folder_with_a_key_of_its_own_takes_no_other_and_says_what_to_do() {
    let folder = new_folder();
    let secrets = Secrets::on(Server::own_process_in(&folder, Launch::default()).await).await;
    let own = secrets.data().join("master.key");
    let kept = folder.path().join("kept");
    let file = private_file(folder.path().join("other"), OTHER_KEY);
    secrets.j.server.stop().await;
    let data = secrets.data();

    let other = with_environment(&[("LOANHOOK_MASTER_KEY", OTHER_KEY)]);
    for launch in [other.clone(), with_file(&file)] {
        let error = refusal(data, &launch).await;
        for says in ["its own master key", "LOANHOOK_MASTER_KEY_OLD", "master-key rotate"] {
            assert!(error.contains(says), "{says}: {error}");
        }
    }
    let wrong_old = [("LOANHOOK_MASTER_KEY", OTHER_KEY), ("LOANHOOK_MASTER_KEY_OLD", KEY)];
    assert!(refusal(data, &with_environment(&wrong_old)).await.contains("its own master key"));

    std::fs::rename(&own, &kept).expect("moved");
    let error = refusal(data, &Launch::default()).await;
    assert!(error.contains("master.key is gone: put it back"), "{error}");
    assert!(!own.exists(), "no new key is made for what it cannot open");
    assert!(refusal(data, &other).await.contains("give the one that they are sealed with"));
    private_file(own.clone(), OTHER_KEY);
    let error = refusal(data, &Launch::default()).await;
    assert!(
        error.contains("what is in") && error.contains("give the one that they are sealed with"),
        "{error}"
    );

    // The right one opens everything, wherever it comes from.
    std::fs::rename(&kept, &own).expect("moved back");
    secrets.j.server.restart().await;
    secrets.assert_sent().await;
    secrets.assert_hidden();
}
