//! The AWS SDK's configuration: timeouts, retries and the connector that all clients share.

pub(crate) mod back_off;
mod environment;
mod http_connector;
pub(crate) mod retry_classifier;

use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, IdentityCache};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;

use crate::config::Variables;
use http_connector::{CONNECT_TIMEOUT, SharedConnector};

/// How many calls of one event are under way at once.
pub(crate) const MAX_CONCURRENT_CALLS: usize = 16;

const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// With all retries: an invocation has time for several such calls.
const CALL_TIMEOUT: Duration = Duration::from_secs(12);
const MAX_ATTEMPTS: u32 = 4;

/// The configuration of this environment, with timeouts that leave an invocation time for retries.
pub fn sdk_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    environment::configuration(&Variables::of_this_process())
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(SharedConnector::begin())
        .identity_cache(IdentityCache::lazy().build())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
        .build()
}
