//! Health of the engine.

use crate::engine::Aws;
use loanhook_core::ports::Health;

impl Health for Aws {
    /// Always true: anybody may ask, and each check would be a call that is paid for. What DynamoDB, S3 and SQS refuse shows
    /// in their own metrics.
    async fn is_healthy(&self) -> bool {
        true
    }
}
