//! The engine for AWS behind a proxy, so that its calls can fail; what the case itself reads goes straight.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use loanhook_aws::{Aws, Stack};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::ports::QueueMessage;

use super::InTheCloud;
use super::proxy::Proxy;
use loanhook_contract::engine::{Engine, Kept};

pub(crate) struct Faulty {
    /// Through the proxy.
    engine: Aws,
    pub(crate) proxy: Proxy,
    pub(crate) cloud: InTheCloud,
}

impl Faulty {
    /// The same stack, changed; nothing is in its caches.
    pub(crate) fn another(&self, change: impl FnOnce(&mut Stack)) -> Aws {
        let mut stack = self.cloud.made.stack();
        change(&mut stack);
        Aws::new(&self.config(), stack)
    }

    /// Retries as in a function, but soon.
    fn config(&self) -> SdkConfig {
        let soon = RetryConfig::standard()
            .with_max_attempts(4)
            .with_initial_backoff(Duration::from_millis(1))
            .with_max_backoff(Duration::from_millis(5));
        let config = &self.cloud.made.config;
        let mut builder = SdkConfig::builder().endpoint_url(&self.proxy.endpoint).retry_config(soon);
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

impl Engine for Faulty {
    type Ports = Aws;

    fn missing() -> Option<&'static str> {
        if std::env::var_os("AWS_ENDPOINT_URL").is_some() {
            return None;
        }
        Some("faults need an endpoint to stand before: set AWS_ENDPOINT_URL")
    }

    async fn fresh() -> Self {
        let cloud = InTheCloud::fresh().await;
        let proxy = Proxy::before(cloud.made.config.endpoint_url().expect("an endpoint")).await;
        let mut faulty = Self { engine: cloud.engine.clone(), proxy, cloud };
        // Each case has S3 in it; `payloads` has the table of small ones.
        faulty.engine = faulty.another(|stack| stack.small_payload = 0);
        faulty
    }

    fn ports(&self) -> &Aws {
        &self.engine
    }

    async fn receive(&self) -> QueueMessage {
        self.cloud.receive().await
    }

    async fn drain(&self) -> Vec<QueueMessage> {
        self.cloud.drain().await
    }

    fn put_row(&self, row: &Attempt) {
        self.cloud.put_row(row);
    }

    fn lose_row(&self, row: &Attempt) {
        self.cloud.lose_row(row);
    }

    fn lose_payload(&self, tenant: &TenantId, key: PayloadKey) {
        self.cloud.lose_payload(tenant, key);
    }

    fn spoil(&self, what: Kept<'_>) {
        self.cloud.spoil(what);
    }

    fn restarted(self) -> Self {
        let engine = self.another(|stack| stack.small_payload = 0);
        Self { engine, ..self }
    }
}
