//! Secrets at rest while the process serves: what an earlier version stored in clear is sealed, and a rotation that is asked for is
//! carried out.

use std::time::Duration;

use loanhook_sqlite::{EraseLimit, SqliteEngine};
use tokio::sync::watch;
use tracing::error;

/// The time between two looks for something to do.
const INTERVAL: Duration = Duration::from_secs(1);
/// The time between a try that failed and the next.
const RETRY_DELAY: Duration = Duration::from_secs(30);

/// Runs until `stop` changes: the next start goes on.
pub(super) async fn keep(engine: SqliteEngine, mut stop: watch::Receiver<bool>) {
    let mut has_failed = false;
    loop {
        let round = async {
            let kept = engine.keep_secrets_sealed(EraseLimit::WHILE_USED).await;
            if let Err(failure) = &kept
                && !has_failed
            {
                error!(%failure, "secrets.not_sealed_yet");
            }
            tokio::time::sleep(if kept.is_ok() { INTERVAL } else { RETRY_DELAY }).await;
            kept.is_err()
        };
        tokio::select! {
            failed = round => has_failed = failed,
            _ = stop.changed() => return,
        }
    }
}
