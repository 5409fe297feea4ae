//! `loanhook master-key rotate` seals everything anew, while loanhook runs or not.

use std::path::Path;
use std::process::{Command, Output};

use super::{KEY, OTHER_KEY, Secrets, holds_sealed_with, private_file, sealed_with, with_environment};
use crate::harness::server::{loanhook_command, new_folder, run_to_exit, serve_command, start_error};
use crate::harness::{Journey, Launch, Server, event};

pub(super) fn rotate_command(data: &Path) -> Command {
    let mut command = loanhook_command();
    command.args(["master-key", "rotate", "--data"]).arg(data);
    command
}

#[track_caller]
fn printed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn a_key_is_replaced_while_loanhook_runs_and_while_it_does_not() {
    let Some(server) = Server::own_process().await else { return };
    let secrets = Secrets::on(server).await;
    let (data, file) = (secrets.data(), secrets.data().join("master.key"));
    let mut before = (sealed_with(data).await, std::fs::read_to_string(&file).expect("the key"));
    for runs in [true, false, true] {
        if !runs {
            secrets.j.server.stop().await;
        }
        let said = printed(&run_to_exit(rotate_command(data)).await);
        assert!(said.contains("were made before need the old key"), "{said}");
        let after = (sealed_with(data).await, std::fs::read_to_string(&file).expect("the key"));
        assert!(after.0 != before.0 && after.1 != before.1 && said.contains(&after.0), "{said}");
        assert!(holds_sealed_with(data, &after.0) && !holds_sealed_with(data, &before.0));
        assert!(!data.join("master.key.new").exists());
        secrets.assert_hidden();
        if !runs {
            secrets.j.server.restart().await;
        }
        secrets.assert_sent().await;
        before = after;
    }
    secrets.j.server.kill();
    secrets.j.server.restart().await;
    secrets.assert_sent().await;
    secrets.assert_hidden();
}

#[tokio::test]
async fn what_is_left_is_erased_by_a_command_while_loanhook_does_not_run() {
    let folder = new_folder();
    let server = Server::own_process_in(&folder, with_environment(&[("LOANHOOK_MASTER_KEY", KEY)])).await;
    let secrets = Secrets::on(server).await;
    let key = sealed_with(secrets.data()).await;
    let erase = || {
        let mut command = loanhook_command();
        command.args(["master-key", "erase", "--data"]).arg(secrets.data()).env("LOANHOOK_MASTER_KEY", KEY);
        command
    };
    let error = start_error(&run_to_exit(erase()).await);
    assert!(error.contains("in use by another loanhook"), "{error}");
    secrets.j.server.stop().await;
    // As where the database was too large to be written anew.
    let database = rusqlite::Connection::open(secrets.data().join("loanhook.db")).expect("the database");
    database.execute("UPDATE sealing SET unerased = 1", []).expect("noted");
    drop(database);
    for _ in 0..2 {
        let said = printed(&run_to_exit(erase()).await);
        assert!(said.contains("shows a secret that it stored before"), "{said}");
        assert_eq!(sealed_with(secrets.data()).await, key);
    }
    secrets.j.server.restart().await;
    secrets.assert_sent().await;
    secrets.assert_hidden();
}

#[tokio::test]
async fn a_rotation_disturbs_no_delivery() {
    let Some(server) = Server::own_process().await else { return };
    let secrets = Secrets::on(server).await;
    let j: &Journey = &secrets.j;
    let sending = async {
        let mut traces = Vec::new();
        for loan in 0..200 {
            traces.push(j.api.send_one(&event(&format!("of {loan}"))).await);
        }
        traces
    };
    let (traces, output) = tokio::join!(sending, run_to_exit(rotate_command(secrets.data())));
    printed(&output);
    for trace in traces {
        assert_eq!(j.api.ended_delivery(&trace).await["status"], "succeeded");
        let requests = j.receiver.requests_of(&trace);
        let [request] = &requests[..] else { panic!("not one request: {requests:?}") };
        assert_eq!(request.header("authorization"), Some(&*secrets.header));
        assert!(request.is_signed_with(&secrets.signing_secret));
    }
}

#[tokio::test]
async fn a_folder_moves_to_the_key_of_a_file_and_from_there_to_another() {
    let folder = new_folder();
    let mut secrets = Secrets::on(Server::own_process_in(&folder, Launch::default()).await).await;
    let data = secrets.data().to_owned();
    let mut old = sealed_with(&data).await;
    let mut launch = Launch::default();
    for (name, key) in [("first", KEY), ("second", OTHER_KEY)] {
        let file = private_file(folder.path().join(name), key);
        let mut rotate = rotate_command(&data);
        let said = printed(
            &run_to_exit({
                rotate.arg("--new-key-file").arg(&file);
                rotate
            })
            .await,
        );
        assert!(said.contains("every start needs it: --master-key-file"), "{said}");
        assert!(!data.join("master.key").exists());
        let new = sealed_with(&data).await;
        assert!(new != old && !holds_sealed_with(&data, &old));
        secrets.assert_sent().await;
        secrets.assert_hidden();
        // Again it has nothing to do.
        let mut again = rotate_command(&data);
        printed(
            &run_to_exit({
                again.arg("--new-key-file").arg(&file);
                again
            })
            .await,
        );
        assert_eq!(sealed_with(&data).await, new);
        secrets.j.server.stop().await;

        let error = start_error(&run_to_exit(serve_command(&data, &launch)).await);
        assert!(error.contains("are sealed with the master key"), "{error}");
        let path = file.to_string_lossy().into_owned();
        launch = Launch { arguments: vec!["--master-key-file".into(), path], ..Launch::default() };
        secrets.j.move_to(Server::own_process_in(&folder, launch.clone()).await);
        secrets.assert_sent().await;
        old = new;
    }
}

#[tokio::test]
async fn a_rotation_that_cannot_be_is_refused_and_changes_nothing() {
    let folder = new_folder();
    let launch = with_environment(&[("LOANHOOK_MASTER_KEY", KEY)]);
    let server = Server::own_process_in(&folder, launch).await;
    let secrets = Secrets::on(server).await;
    let key = sealed_with(secrets.data()).await;
    let no_key = private_file(folder.path().join("no-key"), "hush");
    let with_file = |file: &Path| {
        let mut rotate = rotate_command(secrets.data());
        rotate.arg("--new-key-file").arg(file);
        rotate
    };
    for (command, says) in [
        (rotate_command(secrets.data()), "given by LOANHOOK_MASTER_KEY"),
        (with_file(&no_key), "is no master key"),
        (with_file(&folder.path().join("missing")), "cannot be used"),
        (rotate_command(folder.path()), "there is no loanhook.db"),
    ] {
        let error = start_error(&run_to_exit(command).await);
        assert!(error.contains(says) && !error.contains("hush"), "{error}");
    }
    assert_eq!(sealed_with(secrets.data()).await, key);
    assert!(!folder.path().join("loanhook.db").exists());
    secrets.assert_sent().await;
    secrets.j.server.stop().await;
    let error = start_error(&run_to_exit(rotate_command(secrets.data())).await);
    assert!(error.contains("master.key is gone"), "without a loanhook that runs it needs the key: {error}");
}
