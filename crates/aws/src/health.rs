//! Health of the tables: whether they answer.

use super::Aws;
use loanhook_core::ports::Health;

impl Health for Aws {
    /// Anybody may ask, and each look would be a call that somebody pays for: what DynamoDB, S3 and SQS refuse shows
    /// in their own metrics.
    async fn is_healthy(&self) -> bool {
        true
    }
}
