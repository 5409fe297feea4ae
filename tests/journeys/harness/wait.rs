//! The only place that lets time pass: everything else awaits an event, under a deadline that only a fault reaches.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long anything may take before the journey calls it lost.
pub(crate) const DEADLINE: Duration = Duration::from_secs(45);

/// Asks again and again until `probe` has an answer.
pub(crate) async fn eventually<T>(what: &str, probe: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(DEADLINE, what, probe).await
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
    match tokio::time::timeout(DEADLINE, event).await {
        Ok(came) => came,
        Err(_) => panic!("never came within {DEADLINE:?}: {what}"),
    }
}

/// Lets time pass. Outside this file only the crash test does so: there the moment itself is what is random.
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
