//! Where the master key comes from: the data folder, the environment, or a file.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::{KEY, Secrets, sealed_with, with_environment};
use crate::harness::server::new_folder;
use crate::harness::stored_bytes::holds;
use crate::harness::{Journey, Launch, Server};

const MADE: &str = "master key: ";

#[tokio::test]
async fn the_first_start_makes_a_key_and_says_once_what_it_protects_from() {
    let Some(j) = Journey::on_own_process().await else { return };
    let file = j.server.data_folder().join("master.key");
    let text = std::fs::read_to_string(&file).expect("the key");
    let output = j.server.output();
    let line = output.lines().find(|line| line.starts_with(MADE)).unwrap_or_else(|| panic!("{output}"));
    assert!(
        line.contains(&*file.to_string_lossy()) && line.contains("a copy of the whole folder does"),
        "{line}"
    );
    assert!(!output.contains(text.trim()), "{output}");
    let mode = std::fs::metadata(&file).expect("the key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    j.server.kill();
    j.server.restart().await;
    assert_eq!(j.server.output().matches(MADE).count(), 1, "{}", j.server.output());
    assert_eq!(std::fs::read_to_string(&file).expect("the key"), text);
}

#[tokio::test]
async fn a_key_of_the_environment_stands_nowhere_else_and_may_come_from_a_file_later() {
    let folder = new_folder();
    let launch = with_environment(&[("LOANHOOK_MASTER_KEY", KEY)]);
    let secrets = Secrets::on(Server::own_process_in(&folder, launch).await).await;
    secrets.assert_hidden();
    let process = format!("/proc/{}/environ", secrets.j.server.process_id());
    let environment = std::fs::read(process).expect("the process may be looked at");
    assert!(!environment.is_empty() && !holds(&environment, KEY.as_bytes()));
    assert!(!secrets.data().join("master.key").exists());
    assert!(!secrets.j.server.output().contains(MADE) && !secrets.j.server.output().contains(KEY));
    let id = sealed_with(secrets.data()).await;
    secrets.j.server.stop().await;

    let file = folder.path().join("key");
    std::fs::write(&file, format!("{KEY}\n")).expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    let path = file.to_string_lossy().into_owned();
    let argument = Launch { arguments: vec!["--master-key-file".into(), path.clone()], ..Launch::default() };
    for launch in [argument, with_environment(&[("LOANHOOK_MASTER_KEY_FILE", &path)])] {
        let server = Server::own_process_in(&folder, launch).await;
        assert_eq!(sealed_with(server.data_folder()).await, id);
        assert!(!server.data_folder().join("master.key").exists());
        assert!(server.output().contains("master_key.file_can_be_read_by_others"), "{}", server.output());
        server.stop().await;
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o400)).expect("a mode");
    let arguments = vec!["--master-key-file".to_owned(), path];
    let server = Server::own_process_in(&folder, Launch { arguments, ..Launch::default() }).await;
    assert!(!server.output().contains("master_key."), "{}", server.output());
}

#[tokio::test]
async fn a_key_of_the_environment_is_changed_by_a_start_with_both() {
    let folder = new_folder();
    let server = Server::own_process_in(&folder, Launch::default()).await;
    let mut secrets = Secrets::on(server).await;
    let data: PathBuf = secrets.data().to_owned();
    let own = sealed_with(&data).await;
    let own_key = std::fs::read_to_string(data.join("master.key")).expect("the key");
    secrets.j.server.stop().await;
    let both = [("LOANHOOK_MASTER_KEY", KEY), ("LOANHOOK_MASTER_KEY_OLD", own_key.trim())];
    // Again it changes nothing.
    let mut ids = Vec::new();
    for _ in 0..2 {
        secrets.j.move_to(Server::own_process_in(&folder, with_environment(&both)).await);
        secrets.assert_sent().await;
        ids.push(sealed_with(&data).await);
        secrets.assert_hidden();
        secrets.j.server.stop().await;
    }
    assert!(ids[0] == ids[1] && ids[0] != own, "{ids:?}");
    assert!(
        secrets.j.server.output().contains("master_key.key_before_is_not_used"),
        "{}",
        secrets.j.server.output()
    );
    assert!(!super::holds_sealed_with(&data, &own));
    assert!(!data.join("master.key").exists(), "the folder's own key opens nothing any more");
    let alone = with_environment(&[("LOANHOOK_MASTER_KEY", KEY)]);
    secrets.j.move_to(Server::own_process_in(&folder, alone).await);
    secrets.assert_sent().await;
}
