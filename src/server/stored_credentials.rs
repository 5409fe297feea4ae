//! Copies of credentials that an earlier version of loanhook stored with its deliveries: taken out while the process serves.

use std::time::Duration;

use loanhook_sqlite::SqliteEngine;
use tokio::sync::watch;
use tracing::{error, info};

/// The time between a try that failed and the next.
const RETRY_DELAY: Duration = Duration::from_secs(60);

/// Runs until all are taken out, or `stop` changes: the next start goes on.
pub(super) async fn take_out(engine: SqliteEngine, mut stop: watch::Receiver<bool>) {
    let mut has_failed = false;
    loop {
        let step = async {
            match engine.take_out_stored_credentials().await {
                Ok(0) => return true,
                Ok(deliveries) => {
                    info!(deliveries, "deliveries.stored_credentials_taken_out");
                    return true;
                }
                Err(failure) if !has_failed => error!(%failure, "deliveries.stored_credentials_stay"),
                Err(_) => {}
            }
            tokio::time::sleep(RETRY_DELAY).await;
            false
        };
        tokio::select! {
            is_done = step => if is_done { return },
            _ = stop.changed() => return,
        }
        has_failed = true;
    }
}
