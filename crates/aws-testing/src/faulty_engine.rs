//! The engine for AWS behind a proxy that injects faults into its calls. What a case itself reads through the SDK
//! clients of its stack does not pass the proxy.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use loanhook_aws::{Aws, Stack};
use loanhook_contract::engine::{Engine, Kept};
use loanhook_contract::scene::{LEASE, Scene};
use loanhook_contract::sender::Scripted;
use loanhook_core::deliver::Deliver;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::ports::{QueueMessage, StoreResult};

use crate::service::Endpoints;
use crate::{AwsEngine, FaultProxy};

/// An engine with a stack of its own, whose calls pass a proxy.
pub struct FaultyAwsEngine {
    /// Its calls pass the proxy.
    engine: Aws,
    pub proxy: FaultProxy,
    /// The same stack, without the proxy.
    pub direct: AwsEngine,
}

impl FaultyAwsEngine {
    /// Another engine on the same stack, with changed settings and empty caches.
    pub fn another(&self, change: impl FnOnce(&mut Stack)) -> Aws {
        let mut resources = self.direct.stack.resources();
        change(&mut resources);
        Aws::new(&self.config(), resources)
    }

    /// As many retries as in a function, with short waits.
    fn config(&self) -> SdkConfig {
        let short_waits = RetryConfig::standard()
            .with_max_attempts(4)
            .with_initial_backoff(Duration::from_millis(1))
            .with_max_backoff(Duration::from_millis(5));
        let config = &self.direct.stack.config;
        let mut builder = SdkConfig::builder().endpoint_url(&self.proxy.endpoint).retry_config(short_waits);
        // Copied by hand: a copy of the whole would still look for endpoints in the environment.
        builder
            .set_region(config.region().cloned())
            .set_credentials_provider(config.credentials_provider())
            .set_identity_cache(config.identity_cache())
            .set_http_client(config.http_client())
            .set_sleep_impl(config.sleep_impl())
            .set_time_source(config.time_source())
            .set_timeout_config(config.timeout_config().cloned())
            .set_behavior_version(config.behavior_version());
        builder.build()
    }
}

impl Engine for FaultyAwsEngine {
    type Ports = Aws;

    fn missing() -> Option<&'static str> {
        if std::env::var_os("AWS_ENDPOINT_URL").is_some() {
            return None;
        }
        Some("faults need an endpoint to stand before: set AWS_ENDPOINT_URL")
    }

    async fn fresh() -> Self {
        let direct = AwsEngine::fresh().await;
        let proxy =
            FaultProxy::start(Endpoints::from_env(direct.stack.config.endpoint_url().expect("an endpoint")))
                .await;
        let mut faulty = Self { engine: direct.engine.clone(), proxy, direct };
        // Payloads go to S3 in every case, so that each meets its faults too; `small_payloads` uses their table.
        faulty.engine = faulty.another(|stack| stack.small_payload = 0);
        faulty
    }

    fn ports(&self) -> &Aws {
        &self.engine
    }

    async fn receive(&self) -> QueueMessage {
        self.direct.receive().await
    }

    async fn drain(&self) -> Vec<QueueMessage> {
        self.direct.drain().await
    }

    fn put_row(&self, row: &Attempt) {
        self.direct.put_row(row);
    }

    fn lose_row(&self, row: &Attempt) {
        self.direct.lose_row(row);
    }

    fn lose_payload(&self, tenant: &TenantId, key: PayloadKey) {
        self.direct.lose_payload(tenant, key);
    }

    fn spoil(&self, what: Kept<'_>) {
        self.direct.spoil(what);
    }

    async fn count(&self) {
        self.direct.count().await;
    }

    /// They are in no partition of their subscription.
    fn counts_what_waits_for_order() -> bool {
        false
    }

    fn restarted(self) -> Self {
        let engine = self.another(|stack| stack.small_payload = 0);
        Self { engine, ..self }
    }
}

/// What handles messages, with a sender that sends nothing.
pub type Worker = Arc<Deliver<Aws, Scripted>>;

/// A worker whose requests get these statuses, then 200.
pub fn worker(scene: &Scene<FaultyAwsEngine>, statuses: &[u16]) -> Worker {
    let mut deliver = scene.deliver(Some(LEASE));
    deliver.sender = Scripted::always(200).script(statuses);
    Arc::new(deliver)
}

/// Runs a case, where there is an endpoint for the proxy to stand before.
pub fn run_with_faults(case: impl Future<Output = StoreResult<()>>) {
    loanhook_contract::run_on::<FaultyAwsEngine>(case);
}
