//! The engine: its clients of AWS and the names of what it stores in. The ports are implemented in the other modules.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_types::SdkConfig;
use tokio::task::JoinSet;

use crate::cache::Cache;
use crate::queue::slow_marks::SlowMarks;
use crate::sdk::retry_classifier::TransactionConflicts;
use crate::sealing::KnownKeys;
use crate::tokens::KnownTokens;
use loanhook_core::model::key::KeyHash;
use loanhook_core::model::ledger::LedgerScope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::readiness::LastReadiness;

/// The names of what the engine stores in, and how long it keeps it.
#[derive(Debug, Clone)]
pub struct Stack {
    pub table: String,
    /// The table of small payloads.
    pub payloads: String,
    /// The bucket of all other payloads.
    pub bucket: String,
    /// The ID or ARN of the key of KMS that encrypts new data keys, for the functions that may make one.
    pub kms_key: Option<String>,
    /// How long after a rotation of the data key began something may still be stored that is sealed with the former one: as long
    /// as an invocation takes that read the data keys before, and as much again for clocks that differ.
    pub former_key_in_use: Duration,
    /// The table of the counts of reports.
    pub reports: String,
    /// The stream of the table, for the function that counts what is in it.
    pub stream_arn: Option<String>,
    /// How many bytes a payload may take in the table, packed or not; with 0 all are in the bucket.
    pub small_payload: usize,
    /// Which events the ledger keeps.
    pub event_ledger: LedgerScope,
    /// The queue of first attempts and resends.
    pub queue_url: String,
    /// The queue of retries, and of what is for a receiver that is slow or fails.
    pub slow_queue_url: String,
    /// How many instances of the delivery function take batches from the slow queue at most.
    pub slow_instances: u32,
    /// The queue of the messages that drive recovery jobs.
    pub job_queue_url: String,
    /// The queue for messages that cannot be handled; needed only where messages are received.
    pub dead_letters_url: Option<String>,
    /// How long a delivery and all of its rows are kept.
    pub retention: Duration,
    /// The addresses that requests leave from, where they are static.
    pub egress: Vec<IpAddr>,
    /// The hash of the key that the stack was deployed with: the key is added when it is first used.
    pub deployed_key: Option<KeyHash>,
    pub clock: Clock,
}

/// The current time; tests set another.
pub type Clock = fn() -> Timestamp;

/// The engine. Clones share it.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

/// A client that is made when it is first used: that takes some tenths of a millisecond. Where all payloads are small
/// nothing is stored in S3, a delivery that succeeds sends no message, and KMS is called where a secret is met first.
type Lazy<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

struct Inner {
    dynamodb: aws_sdk_dynamodb::Client,
    streams: Lazy<aws_sdk_dynamodbstreams::Client>,
    s3: Lazy<aws_sdk_s3::Client>,
    sqs: Lazy<aws_sdk_sqs::Client>,
    kms: Lazy<aws_sdk_kms::Client>,
    stack: Stack,
    cache: Cache,
    slow_marks: SlowMarks,
    known_keys: KnownKeys,
    tokens: KnownTokens,
    readiness: LastReadiness,
    background: Mutex<JoinSet<()>>,
}

impl Aws {
    /// An engine on this stack, with empty caches.
    pub fn new(config: &SdkConfig, stack: Stack) -> Self {
        Self::with_interceptors(config, stack, &[])
    }

    /// An engine whose calls to AWS pass through these interceptors; tests count calls with one.
    pub fn with_interceptors(config: &SdkConfig, stack: Stack, interceptors: &[SharedInterceptor]) -> Self {
        let mut dynamodb =
            aws_sdk_dynamodb::config::Builder::from(config).retry_classifier(TransactionConflicts);
        let mut sqs = aws_sdk_sqs::config::Builder::from(config);
        // An emulator is reached by one name, not by one for each bucket.
        let mut s3 =
            aws_sdk_s3::config::Builder::from(config).force_path_style(config.endpoint_url().is_some());
        let mut streams = aws_sdk_dynamodbstreams::config::Builder::from(config);
        let mut kms = aws_sdk_kms::config::Builder::from(config);
        for interceptor in interceptors {
            kms.push_interceptor(interceptor.clone());
            streams.push_interceptor(interceptor.clone());
            dynamodb.push_interceptor(interceptor.clone());
            sqs.push_interceptor(interceptor.clone());
            s3.push_interceptor(interceptor.clone());
        }
        let (dynamodb, s3, sqs, streams) = (dynamodb.build(), s3.build(), sqs.build(), streams.build());
        let kms = kms.build();
        Self(Arc::new(Inner {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb),
            streams: LazyLock::new(Box::new(|| aws_sdk_dynamodbstreams::Client::from_conf(streams))),
            s3: LazyLock::new(Box::new(|| aws_sdk_s3::Client::from_conf(s3))),
            sqs: LazyLock::new(Box::new(|| aws_sdk_sqs::Client::from_conf(sqs))),
            kms: LazyLock::new(Box::new(|| aws_sdk_kms::Client::from_conf(kms))),
            stack,
            cache: Cache::default(),
            slow_marks: SlowMarks::default(),
            known_keys: KnownKeys::default(),
            tokens: KnownTokens::default(),
            readiness: LastReadiness::default(),
            background: Mutex::default(),
        }))
    }

    pub(crate) fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        &self.0.dynamodb
    }

    pub(crate) fn streams(&self) -> &aws_sdk_dynamodbstreams::Client {
        &self.0.streams
    }

    pub(crate) fn s3(&self) -> &aws_sdk_s3::Client {
        &self.0.s3
    }

    pub(crate) fn sqs(&self) -> &aws_sdk_sqs::Client {
        &self.0.sqs
    }

    pub(crate) fn kms(&self) -> &aws_sdk_kms::Client {
        &self.0.kms
    }

    pub(crate) fn last_readiness(&self) -> &LastReadiness {
        &self.0.readiness
    }

    pub(crate) fn stack(&self) -> &Stack {
        &self.0.stack
    }

    /// The name of the table.
    pub(crate) fn table(&self) -> &str {
        &self.0.stack.table
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.0.cache
    }

    pub(crate) fn slow_marks(&self) -> &SlowMarks {
        &self.0.slow_marks
    }

    pub(crate) fn known_keys(&self) -> &KnownKeys {
        &self.0.known_keys
    }

    pub(crate) fn known_tokens(&self) -> &KnownTokens {
        &self.0.tokens
    }

    pub(crate) fn background(&self) -> &Mutex<JoinSet<()>> {
        &self.0.background
    }
}
