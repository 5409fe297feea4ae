//! A receiver with TLS, which may ask for client certificates, and answers every request with 200.

use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::certificates::Authority;
use super::locked;
use super::receiver::{Received, external_receiver_host};
use super::receiver_connection::read_request;

pub(crate) struct TlsReceiver {
    authority: String,
    seen: Arc<Mutex<Vec<Received>>>,
}

impl TlsReceiver {
    /// With a certificate of `issuer` that ends with the year; with `clients`, only for clients with a certificate of that
    /// authority.
    pub(crate) async fn start(issuer: &Authority, year: i32, clients: Option<&Authority>) -> Self {
        let host = external_receiver_host();
        let interface = if host.is_some() { "0.0.0.0:0" } else { "127.0.0.1:0" };
        let host = host.unwrap_or_else(|| "127.0.0.1".to_owned());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_safe_default_protocol_versions().expect("versions");
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(clients) => {
                let roots = Arc::new(clients.roots());
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
                config.with_client_cert_verifier(verifier.expect("a verifier"))
            }
        };
        let (certificate, key) = issuer.server(&host, year);
        let config = config.with_single_cert(vec![certificate], key).expect("a configuration");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(interface).await.expect("a port for the receiver");
        let port = listener.local_addr().expect("a bound port has an address").port();
        let seen: Arc<Mutex<Vec<Received>>> = Arc::default();
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, log) = (acceptor.clone(), Arc::clone(&log));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(socket).await else { return };
                    let mut unread = Vec::new();
                    while let Ok(Some(request)) = read_request(&mut stream, &mut unread).await {
                        locked(&log).push(request);
                        if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { authority: format!("{host}:{port}"), seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.authority)
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Received> {
        locked(&self.seen).clone()
    }
}
