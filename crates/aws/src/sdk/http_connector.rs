//! The HTTP connector that the clients of all services share.
//!
//! By default each client of the SDK has its own, and makes its TLS configuration when it is built and again for its
//! first call: the system's trusted certificates are parsed six times before a cold function has responded to anything.
//! Here they are parsed once, on another thread, while the function asks for its first event.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_http_client::ConnectorBuilder;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// How long a connection may take to be established.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A connector as the SDK makes it, made once. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedConnector(Arc<OnceLock<SharedHttpConnector>>);

impl SharedConnector {
    /// Starts to make it, on another thread; an earlier call waits for it.
    pub(super) fn warm_up(&self) {
        let connector = self.clone();
        std::thread::spawn(move || {
            connector.connector();
        });
    }

    fn connector(&self) -> SharedHttpConnector {
        let make = || {
            let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
            let connector = ConnectorBuilder::default()
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .connector_settings(settings)
                .proxy_config(ProxyConfig::from_env())
                .build();
            SharedHttpConnector::new(connector)
        };
        self.0.get_or_init(make).clone()
    }
}

impl HttpClient for SharedConnector {
    /// The shared one, whatever the settings: every client has the timeouts of `sdk_config`.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.connector()
    }
}
