//! Waiting for an event, under a deadline that is only reached in a failure, and, rarely, for time to pass.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long anything may take before the test fails. Functions of an external server start cold and may share a machine.
pub(crate) fn deadline() -> Duration {
    Duration::from_secs(if is_external() { 150 } else { 45 })
}

/// Seconds that a test needs for something else, such as a retry delay: more of them for an external server, which is slow.
pub(crate) fn scaled_seconds(seconds: u32) -> u32 {
    if is_external() { 8 * seconds } else { seconds }
}

fn is_external() -> bool {
    std::env::var_os("LOANHOOK_TEST_URL").is_some()
}

/// Calls `probe` again and again until it returns something, which must happen before the deadline.
pub(crate) async fn eventually<T>(what: &str, probe: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(deadline(), what, probe).await
}

/// The same with another deadline, for what takes long.
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
        assert!(start.elapsed() < deadline, "did not happen within {deadline:?}: {what}");
        pause(Duration::from_millis(20)).await;
    }
}

/// Awaits one event, which must come before the deadline.
pub(crate) async fn within<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(deadline(), event).await {
        Ok(came) => came,
        Err(_) => panic!("did not come within {:?}: {what}", deadline()),
    }
}

/// Lets time pass. Outside this file that is only for what waits for a `Retry-After`, kills a process at a random moment,
/// sends slowly, or takes its time for an answer.
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
