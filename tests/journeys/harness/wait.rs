//! Waiting: for an event, under a deadline that only a fault reaches, and seldom for time to pass.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long anything may take before the journey calls it lost. Elsewhere functions start cold, and share a machine.
pub(crate) fn deadline() -> Duration {
    Duration::from_secs(if is_elsewhere() { 150 } else { 45 })
}

/// So many seconds as a journey gives to what it must do meanwhile: more of them elsewhere.
pub(crate) fn room(seconds: u32) -> u32 {
    if is_elsewhere() { 8 * seconds } else { seconds }
}

fn is_elsewhere() -> bool {
    std::env::var_os("LOANHOOK_TEST_URL").is_some()
}

/// Asks again and again until `probe` has an answer.
pub(crate) async fn eventually<T>(what: &str, probe: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(deadline(), what, probe).await
}

/// The same with a deadline of its own, for what is long by nature.
pub(crate) async fn eventually_within<T>(
    deadline: Duration,
    what: &str,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(start.elapsed() < deadline, "never happened within {deadline:?}: {what}");
        pause(Duration::from_millis(20)).await;
    }
}

/// Awaits one event, which must come before the deadline.
pub(crate) async fn within<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(deadline(), event).await {
        Ok(came) => came,
        Err(_) => panic!("never came within {:?}: {what}", deadline()),
    }
}

/// Lets time pass. Outside this file only those do so that wait until they are told to come again, that stop a process
/// at a random moment, or that send slowly.
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
