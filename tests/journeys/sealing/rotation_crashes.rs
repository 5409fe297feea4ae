//! A rotation that is killed in its middle goes on: at the next start, or when it is repeated.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use super::rotation::rotate_command;
use super::{Secrets, holds_sealed_with, keys_of, sealed_with};
use crate::crash::seed;
use crate::harness::server::run_to_exit;
use crate::harness::wait::pause;
use crate::harness::{Server, subscription_path};

/// How many versions are sealed anew: several slices.
const VERSIONS: usize = 200;
const KILLS: u64 = 6;

#[tokio::test]
async fn a_rotation_that_is_killed_at_any_moment_goes_on() {
    let Some(server) = Server::own_process().await else { return };
    let secrets = Secrets::on(server).await;
    let data = secrets.data();
    for version in 0..VERSIONS {
        let changed = json!({"description": format!("version {version}")});
        secrets.j.api.patch(&subscription_path(&secrets.webhook), &changed).await.expect_status(200);
    }
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut old = sealed_with(data).await;
    for kill in 0..KILLS {
        let asked = keys_of(data);
        let mut rotation = rotate_command(data).stdout(Stdio::null()).spawn().expect("the command starts");
        // A rotation takes about as long, and a second until it begins.
        pause(Duration::from_millis(random.u64(0..1500))).await;
        // Both at once, or the process alone: then the command goes on in its place.
        let is_command_killed = kill % 2 == 0;
        if is_command_killed {
            rotation.kill().expect("it can be killed");
        }
        secrets.j.server.kill();
        let ended =
            tokio::task::spawn_blocking(move || rotation.wait().expect("it ends")).await.expect("it ends");
        if !is_command_killed {
            assert!(ended.success(), "kill {kill}, seed {seed}: {ended:?}");
            assert_ne!(keys_of(data).0, asked.0, "kill {kill}, seed {seed}");
        }
        secrets.j.server.restart().await;
        secrets.assert_sent().await;
        // Repeated, whether it had begun or not.
        let output = run_to_exit(rotate_command(data)).await;
        assert!(output.status.success(), "kill {kill}, seed {seed}: {output:?}");
        let new = sealed_with(data).await;
        assert_ne!(new, old);
        assert!(holds_sealed_with(data, &new) && !holds_sealed_with(data, &old), "kill {kill}, seed {seed}");
        secrets.assert_sent().await;
        secrets.assert_hidden();
        old = new;
    }
}
