//! Receivers with TLS, whose certificates are trusted or not.

use std::{net::IpAddr, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tokio::{join, net::TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
    server::TlsStream,
};

use super::{
    LOOPBACK, SHORT_TIMEOUT, assert_failed, client, loopback_network, post, resolving_to,
    scripted_receiver::{OK, Peer, Receiver},
    send, whole_response,
};
use crate::{WebhookClient, connection::keep_alive::ConnectionLimits};
use loanhook_core::model::failure::{ErrorKind, Phase};

const NAME: &str = "core.example.test";

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![NAME.to_owned()]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    /// A client that trusts this authority, and resolves every name to these addresses.
    fn client_trusting(&self, resolved: Vec<IpAddr>) -> WebhookClient {
        WebhookClient::build(
            loopback_network(),
            resolving_to(resolved),
            &[self.0.der().clone()],
            ConnectionLimits::default(),
        )
        .expect("a client")
    }

    /// The receiver's side of TLS, with a certificate for `name` that is valid until the end of `year`.
    fn acceptor(&self, name: &str, year: i32) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        params.not_after = date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        acceptor(certificate.der().clone(), &key)
    }

    /// The receiver's side of TLS with the authority's own certificate.
    fn own_acceptor(&self) -> TlsAcceptor {
        acceptor(self.0.der().clone(), self.0.key())
    }
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a configuration");
    TlsAcceptor::from(Arc::new(config))
}

fn https(receiver: &Receiver, host: &str) -> String {
    format!("https://{host}:{}/hooks?token=secret", receiver.port())
}

/// Accepts a connection and a TLS handshake; none when the client does not trust the certificate.
async fn accept_tls(receiver: &Receiver, acceptor: &TlsAcceptor) -> Option<Peer<TlsStream<TcpStream>>> {
    let stream = receiver.accept().await.into_stream();
    Some(Peer::new(acceptor.accept(stream).await.ok()?))
}

#[tokio::test]
async fn a_tls_connection_to_a_trusted_receiver_is_reused() {
    let (authority, receiver) = (Authority::new("ours"), Receiver::start().await);
    let client = authority.client_trusting(vec![LOOPBACK]);
    let acceptor = authority.acceptor(NAME, 2099);
    let url = https(&receiver, NAME);
    let (outcome, mut peer) = join!(send(&client, post(&url, "1")), async {
        let mut peer = accept_tls(&receiver, &acceptor).await.expect("TLS");
        let received = peer.read_request().await.expect("a request");
        assert_eq!(received.line, "POST /hooks?token=secret HTTP/1.1");
        peer.write(OK).await;
        peer
    });
    assert_eq!(outcome.source_ip, Some(LOOPBACK));
    assert_eq!(whole_response(outcome).status, 200);
    let (outcome, ()) = join!(send(&client, post(&url, "2")), async {
        assert_eq!(peer.read_request().await.expect("a request").body, b"2");
        peer.write(OK).await;
    });
    assert_eq!(whole_response(outcome).status, 200);
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn an_untrusted_certificate_is_a_tls_failure() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    for (issuer, host, year, detail) in [
        (
            &stranger,
            NAME,
            2099,
            "the receiver's certificate is not trusted: it is self-signed, or no known authority issued it, or the \
             receiver does not send the certificates between",
        ),
        (
            &authority,
            "other.example.test",
            2099,
            "the receiver's certificate is not trusted: it is not for other.example.test, but for core.example.test",
        ),
        (
            &authority,
            "127.0.0.1",
            2099,
            "the receiver's certificate is not trusted: it is not for 127.0.0.1, but for core.example.test",
        ),
        (&authority, NAME, 2020, "the receiver's certificate has expired; renew it there"),
    ] {
        let receiver = Receiver::start().await;
        let client = authority.client_trusting(vec![LOOPBACK]);
        let acceptor = issuer.acceptor(NAME, year);
        let url = https(&receiver, host);
        let (outcome, peer) = join!(send(&client, post(&url, "{}")), accept_tls(&receiver, &acceptor));
        assert!(peer.is_none(), "the client ends the handshake");
        assert_failed(outcome, Phase::Tls, ErrorKind::Tls, detail);
        receiver.assert_no_other_connection().await;
    }
}

/// The kind that `openssl req -x509` makes by default.
#[tokio::test]
async fn a_self_signed_certificate_of_an_authority_is_a_tls_failure() {
    let receiver = Receiver::start().await;
    let client = client();
    let acceptor = Authority::new("self").own_acceptor();
    let url = https(&receiver, NAME);
    let (outcome, peer) = join!(send(&client, post(&url, "{}")), accept_tls(&receiver, &acceptor));
    assert!(peer.is_none(), "the client ends the handshake");
    let detail = "the receiver's certificate is not trusted: it is an authority's own, most often a \
                  self-signed one";
    assert_failed(outcome, Phase::Tls, ErrorKind::Tls, detail);
}

#[tokio::test]
async fn a_receiver_without_tls_is_a_tls_failure() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = https(&receiver, NAME);
    let (outcome, ()) = join!(send(&client, post(&url, "{}")), async {
        let mut peer = receiver.accept().await;
        peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        peer.read_until_closed().await;
    });
    let detail = format!("{NAME}:{} does not speak TLS on this port", receiver.port());
    assert_failed(outcome, Phase::Tls, ErrorKind::Tls, &detail);
}

#[tokio::test]
async fn a_connection_closed_during_the_handshake_is_a_tls_failure() {
    for reset in [false, true] {
        let receiver = Receiver::start().await;
        let client = client();
        let url = https(&receiver, NAME);
        let (outcome, ()) = join!(send(&client, post(&url, "{}")), async {
            let mut peer = receiver.accept().await;
            peer.read_more().await.expect("the client's first bytes");
            if reset { peer.reset() } else { drop(peer) }
        });
        let detail = format!(
            "{NAME}:{} closed the connection during the TLS handshake; it may not speak TLS on this port",
            receiver.port()
        );
        assert_failed(outcome, Phase::Tls, ErrorKind::Tls, &detail);
        receiver.assert_no_other_connection().await;
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_a_timeout_of_the_tls_phase() {
    let receiver = Receiver::start().await;
    let client = client();
    let mut request = post(&https(&receiver, NAME), "{}");
    request.timeout = SHORT_TIMEOUT;
    let (outcome, ()) = join!(send(&client, request), async {
        receiver.accept().await.read_until_closed().await;
    });
    let host_and_port = format!("{NAME}:{}", receiver.port());
    let detail = format!(
        "the TLS handshake with {host_and_port} was not done within 200 ms; nothing of the request was sent"
    );
    assert_failed(outcome, Phase::Tls, ErrorKind::Timeout, &detail);
}

#[tokio::test]
async fn a_response_without_length_and_without_close_notify_is_a_protocol_failure() {
    let (authority, receiver) = (Authority::new("ours"), Receiver::start().await);
    let client = authority.client_trusting(vec![LOOPBACK]);
    let acceptor = authority.acceptor(NAME, 2099);
    let url = https(&receiver, NAME);
    let (outcome, ()) = join!(send(&client, post(&url, "{}")), async {
        let mut peer = accept_tls(&receiver, &acceptor).await.expect("TLS");
        peer.read_request().await.expect("a request");
        peer.write(b"HTTP/1.1 200 OK\r\n\r\npart").await;
    });
    // Whether this was all cannot be known: there is no length, and no `close_notify` of TLS.
    assert_eq!(outcome.partial_response.as_ref().map(|part| &part.received.body[..]), Some(&b"part"[..]));
    let detail = "the answer broke off after 4 bytes (its status was 200); the receiver has seen the request";
    assert_failed(outcome, Phase::Read, ErrorKind::Protocol, detail);
}
