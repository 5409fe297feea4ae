//! Health of the engine.

use std::time::Duration;

use tokio::time::timeout;

use crate::engine::Aws;
use crate::items::item::number;
use crate::items::key_schema::{SEEN, readiness};
use crate::items::write_outcome::write_outcome;
use loanhook_core::ports::{Health, NotReady, StoreResult};
use loanhook_core::readiness::ANSWER_LIFETIME;

/// How long a write may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

impl Health for Aws {
    /// Always true: anybody may ask, and each check would be a call that is paid for. What DynamoDB, S3 and SQS refuse shows
    /// in their own metrics.
    async fn is_healthy(&self) -> bool {
        true
    }

    /// Writes an item of its own.
    async fn readiness(&self) -> Result<(), NotReady> {
        self.last_readiness().or_try(self.try_write()).await
    }
}

impl Aws {
    async fn try_write(&self) -> Result<(), NotReady> {
        match timeout(WRITE_TIMEOUT, self.write_readiness()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) => {
                tracing::error!(%failure, "store.not_ready");
                Err(NotReady::Failed)
            }
            Err(_) => Err(NotReady::TooSlow),
        }
    }

    /// One that is refused shows that another instance wrote a moment ago.
    async fn write_readiness(&self) -> StoreResult<()> {
        let now = (self.stack().clock)();
        let update = self
            .update(readiness())
            .update_expression("SET #seen = :now")
            .condition_expression("attribute_not_exists(#seen) OR #seen <= :before")
            .expression_attribute_names("#seen", SEEN)
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":before", number(now.minus(ANSWER_LIFETIME).millis()));
        write_outcome(update.send().await).map(drop)
    }
}
