//! The HTTP connector that the clients of all services share.
//!
//! By default each client of the SDK has its own, and makes its TLS configuration when it is built and again for its
//! first call: the system's trusted certificates are parsed six times before a cold function has responded to anything.
//! Here they are parsed once, on another thread. A call that comes earlier waits for them without holding up anything else of
//! its thread: meanwhile a function asks for its first event.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use aws_smithy_http_client::ConnectorBuilder;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::SetOnce;

/// How long a connection may take to be established.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A connector as the SDK makes it, made once. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct SharedConnector(Arc<SetOnce<SharedHttpConnector>>);

impl SharedConnector {
    /// Begins to make it, on another thread.
    pub(super) fn begin() -> Self {
        let made = Arc::new(SetOnce::new());
        let connector = Self(Arc::clone(&made));
        thread::spawn(move || {
            let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
            let connector = ConnectorBuilder::default()
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .connector_settings(settings)
                .proxy_config(ProxyConfig::from_env())
                .build();
            // It is set here only.
            let _ = made.set(SharedHttpConnector::new(connector));
        });
        connector
    }
}

impl HttpClient for SharedConnector {
    /// The shared one, whatever the settings: every client has the timeouts of `sdk_config`.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SharedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Some(connector) = self.0.get() {
            return connector.call(request);
        }
        let made = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move { made.wait().await.call(request).await })
    }
}
