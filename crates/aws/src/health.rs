//! Health of the engine.

use std::time::Duration;

use tokio::time::timeout;

use crate::engine::Aws;
use loanhook_core::model::key::KeyHash;
use loanhook_core::ports::{Health, Keys as _, NotReady};

/// How long a read may take.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// The hash of no key.
const NO_KEY: KeyHash = KeyHash([0; 32]);

impl Health for Aws {
    /// Always true: anybody may ask, and each check would be a call that is paid for. What DynamoDB, S3 and SQS refuse shows
    /// in their own metrics.
    async fn is_healthy(&self) -> bool {
        true
    }

    /// Reads from the table the item of a key that there is not.
    async fn readiness(&self) -> Result<(), NotReady> {
        match timeout(READ_TIMEOUT, self.key(NO_KEY)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(failure)) => {
                tracing::error!(%failure, "store.not_ready");
                Err(NotReady::Failed)
            }
            Err(_) => Err(NotReady::TooSlow),
        }
    }
}
