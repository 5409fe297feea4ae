//! The HTTP client that all three services share.
//!
//! Left to itself, each client of the SDK has one of its own, and makes its TLS configuration when it is built and
//! again for its first call: six times over, certificates that the system trusts are parsed before a cold function
//! has answered anything. Here that is done once, on a thread beside, while the function asks for its first event.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;

/// As the SDK makes its own, but for when.
#[derive(Debug, Clone)]
pub(super) struct Wire(SharedHttpClient);

impl Wire {
    pub(super) fn new() -> Self {
        let client = Builder::new().build_with_connector_fn(|settings, components| {
            let provider = Provider::Rustls(CryptoMode::AwsLc);
            let mut connector = ConnectorBuilder::default().tls_provider(provider);
            connector.set_connector_settings(settings.cloned());
            connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
            connector.set_proxy_config(Some(ProxyConfig::from_env()));
            connector.build()
        });
        Self(client)
    }

    /// Reads the certificates that the system trusts, on a thread of its own; a call that comes first waits.
    pub(super) fn warm_up(&self) {
        let client = self.0.clone();
        std::thread::spawn(move || {
            // Nothing is wrong yet where this fails: whoever calls is told what is.
            let _ = client
                .validate_base_client_config(&RuntimeComponentsBuilder::new("warm-up"), &ConfigBag::base());
        });
    }
}

impl HttpClient for Wire {
    /// One for all that wait equally long.
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    // The check of a client's configuration, which would make a connector for each, is left at its default.
}
