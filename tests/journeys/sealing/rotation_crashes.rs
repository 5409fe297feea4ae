//! A rotation that is killed in its middle goes on: at the next start, or when it is repeated.

use std::path::Path;
use std::process::{Child, Stdio};
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
const KILLS: u64 = 8;

/// Waits until a rotation has begun to seal anew, or its command has ended.
async fn has_begun(data: &Path, rotation: &mut Child) {
    while keys_of(data).1.is_none() && rotation.try_wait().expect("it can be asked").is_none() {
        pause(Duration::from_millis(1)).await;
    }
}

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
    let mut cut_off = 0;
    for kill in 0..KILLS {
        let mut rotation = rotate_command(data)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        // In its middle; or at any moment, also before it begins, which takes a second.
        match kill % 4 < 2 {
            true => has_begun(data, &mut rotation).await,
            false => pause(Duration::from_millis(random.u64(0..1500))).await,
        }
        // Both at once, or the process alone.
        let is_command_killed = kill % 2 == 0;
        if is_command_killed {
            rotation.kill().expect("it can be killed");
        }
        secrets.j.server.kill();
        cut_off += u32::from(keys_of(data).1.is_some());
        let ended = tokio::task::spawn_blocking(move || rotation.wait_with_output().expect("it ends"));
        let ended = ended.await.expect("it ends");
        if !is_command_killed {
            let error = String::from_utf8_lossy(&ended.stderr);
            let says = "its next start carries the rotation out";
            assert!(ended.status.success() || error.contains(says), "kill {kill}, seed {seed}: {ended:?}");
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
    assert!(cut_off > 0, "some were killed in their middle, seed {seed}");
}
