//! While it runs, after it ended and after it was killed, a data folder shows no secret.

use super::{Secrets, holds_sealed_with, sealed_with};
use crate::harness::Server;

#[tokio::test]
async fn no_byte_of_the_data_folder_shows_a_secret() {
    let Some(server) = Server::own_process().await else { return };
    let secrets = Secrets::on(server).await;
    secrets.assert_hidden();
    secrets.j.server.kill();
    secrets.assert_hidden();
    secrets.j.server.restart().await;
    secrets.assert_sent().await;
    secrets.assert_hidden();
    secrets.j.server.stop().await;
    secrets.assert_hidden();
    let key = sealed_with(secrets.data()).await;
    assert!(holds_sealed_with(secrets.data(), &key), "they are there, sealed");
}

#[tokio::test]
async fn a_row_that_cannot_be_opened_hides_no_other() {
    let Some(server) = Server::own_process().await else { return };
    let secrets = Secrets::on(server).await;
    secrets.j.server.stop().await;
    // The secrets of one webhook are moved to another, as only somebody with the file could.
    let database = rusqlite::Connection::open(secrets.data().join("loanhook.db")).expect("the database");
    let copied = "INSERT INTO subscriptions (tenant, id, version, current, doc)
                  SELECT tenant, x'00112233445566778899aabbccddeeff', 1, 1, doc FROM subscriptions WHERE current = 1";
    assert_eq!(database.execute(copied, []).expect("a copy"), 1);
    drop(database);
    secrets.j.server.restart().await;
    let output = secrets.j.server.output();
    assert!(output.contains("store.unreadable_left_out") && !output.contains("panicked"), "{output}");
    secrets.assert_sent().await;
    secrets.assert_hidden();
}
