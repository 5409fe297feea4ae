//! The HTTP client that all three services share.
//!
//! Left to itself, each client of the SDK has one of its own, and makes its TLS configuration when it is built and
//! again for its first call: six times over, the certificates that the system trusts are parsed before a cold
//! function has answered anything. Here that is done once, on a thread beside, while the function asks for its first
//! event.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_http_client::ConnectorBuilder;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// What a connection may take to stand.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// As the SDK makes its own, but once. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedConnector(Arc<OnceLock<SharedHttpConnector>>);

impl SharedConnector {
    /// Begins to make it, on a thread of its own; a call that comes first waits.
    pub(super) fn warm_up(&self) {
        let wire = self.clone();
        std::thread::spawn(move || {
            wire.connector();
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
    /// The one for all: every client has the time-outs of `sdk_config`.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.connector()
    }
}
