//! The engine for AWS: a DynamoDB table (and one for small payloads), an S3 bucket, an SQS queue.
//!
//! Here a step of a delivery is several calls, and a sender can die between any two. So each step writes in
//! the order that its port names, every write that decides something is conditional, and each state that a
//! crash leaves is one that the delivery's next message heals. What a condition refuses comes back with the
//! refusal, so a lost race is answered without another read.
//!
//! - A claim is one conditional update of the delivery, which gives the whole delivery back.
//! - A message carries only where to look (`message`); the delivery says what is due.
//! - Subscriptions and keys are cached, and each use reads their tenant's counter, strongly (`settings`).
//! - Payloads are named by tenant and hash, so that equal bytes are kept once: small ones in a table of their
//!   own, others in S3.
//!
//! Nothing that a call answers was read from an index: those lag.

mod cache;
mod call_errors;
pub mod config;
mod deliveries;
mod delivery_attempts;
mod delivery_completion;
mod delivery_item;
mod deployed_key;
mod egress;
mod formula_errors;
mod grants;
mod health;
mod history;
mod http_connector;
mod intake;
mod item;
mod item_access;
mod key_schema;
mod keys;
mod message;
mod payloads;
mod queue;
mod releases;
mod resends;
mod retry_classifier;
mod row_completion;
mod row_item;
pub mod sqs_batch;
mod subscriptions;
mod tenant_version;
mod transaction;
mod unreadable;
mod watched_intake;

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;

use cache::Cache;
use http_connector::SharedConnector;
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::time::Timestamp;

pub use config::Config;
pub use egress::{PublicAddress, SendingFrom};
pub use message::read as read_message;

/// The names of what the engine stores in, and how it keeps it.
#[derive(Debug, Clone)]
pub struct Stack {
    pub table: String,
    /// The table of small payloads.
    pub payloads: String,
    /// The bucket of all others.
    pub bucket: String,
    /// How long a payload in the table may be, in bytes; 0 keeps all in the bucket.
    pub small_payload: usize,
    pub queue_url: String,
    /// Where messages go that nobody can read; needed only where messages are received.
    pub dead_letters_url: Option<String>,
    /// How long a delivery and all of its rows are kept.
    pub retention: Duration,
    /// The addresses that requests leave from, where they never change.
    pub egress: Vec<IpAddr>,
    /// The key that an operator chose: it is made when it is first shown.
    pub deployed_key: Option<KeyHash>,
    pub clock: Clock,
}

/// What time it is; a test may say otherwise.
pub type Clock = fn() -> Timestamp;

/// The engine. Clones share it.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

/// Made when it is first needed. A client takes most of a millisecond, and where payloads are small nothing
/// goes to S3.
type Lazy<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

struct Inner {
    dynamodb: aws_sdk_dynamodb::Client,
    s3: Lazy<aws_sdk_s3::Client>,
    sqs: aws_sdk_sqs::Client,
    stack: Stack,
    cache: Cache,
    background: std::sync::Mutex<tokio::task::JoinSet<()>>,
}

/// The configuration of the environment, with time-outs that leave room for retries in an invocation.
pub async fn sdk_config() -> SdkConfig {
    let wire = SharedConnector::default();
    wire.warm_up();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(http_connector::CONNECT_TIMEOUT)
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(12))
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(wire)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(4))
        .load()
        .await
}

impl Aws {
    /// An engine on these resources.
    pub fn new(config: &SdkConfig, stack: Stack) -> Self {
        Self::with_interceptors(config, stack, &[])
    }

    /// An engine whose calls to AWS pass through these interceptors; tests count calls with one.
    pub fn with_interceptors(config: &SdkConfig, stack: Stack, interceptors: &[SharedInterceptor]) -> Self {
        let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(config)
            .retry_classifier(retry_classifier::TransactionConflicts);
        let mut sqs = aws_sdk_sqs::config::Builder::from(config);
        // An emulator is reached by one name, not by one for each bucket.
        let mut s3 =
            aws_sdk_s3::config::Builder::from(config).force_path_style(config.endpoint_url().is_some());
        for interceptor in interceptors {
            dynamodb.push_interceptor(interceptor.clone());
            sqs.push_interceptor(interceptor.clone());
            s3.push_interceptor(interceptor.clone());
        }
        let (dynamodb, s3, sqs) = (dynamodb.build(), s3.build(), sqs.build());
        Self(Arc::new(Inner {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb),
            s3: LazyLock::new(Box::new(|| aws_sdk_s3::Client::from_conf(s3))),
            sqs: aws_sdk_sqs::Client::from_conf(sqs),
            stack,
            cache: Cache::default(),
            background: std::sync::Mutex::default(),
        }))
    }

    fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        &self.0.dynamodb
    }

    fn table(&self) -> &str {
        &self.0.stack.table
    }
}

/// Waits before the next try of a batch's rest: 50 ms, then twice as long each time, less a random part.
async fn back_off(tries: u32) {
    let longest = Duration::from_millis(50) * 2_u32.saturating_pow(tries.min(6));
    let mut byte = [0];
    // Without randomness all wait the same time.
    let _ = getrandom::fill(&mut byte);
    tokio::time::sleep(longest.mul_f64(1.0 - f64::from(byte[0]) / 512.0)).await;
}
