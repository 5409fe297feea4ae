//! Receivers behind TLS, with certificates that are good and bad.

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
    LOOPBACK, SHORT, always, answer, assert_failed, client, loopback, post,
    scripted_receiver::{OK, Peer, Receiver},
    send,
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

    /// A client that trusts this authority, and for which every name is loopback's.
    fn trusted(&self, resolved: Vec<IpAddr>) -> WebhookClient {
        WebhookClient::build(
            loopback(),
            always(resolved),
            &[self.0.der().clone()],
            ConnectionLimits::default(),
        )
        .expect("a client")
    }

    /// A receiver's side of TLS, with a certificate for `name` that is valid until the end of `year`.
    fn acceptor(&self, name: &str, year: i32) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        params.not_after = date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        acceptor(certificate.der().clone(), &key)
    }

    /// The authority's own certificate in the place of a receiver's.
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

/// Accepts a connection and shakes hands; none when the sender does not trust us.
async fn secured(receiver: &Receiver, acceptor: &TlsAcceptor) -> Option<Peer<TlsStream<TcpStream>>> {
    let stream = receiver.accept().await.into_stream();
    Some(Peer::new(acceptor.accept(stream).await.ok()?))
}

#[tokio::test]
async fn a_trusted_receiver_answers_over_a_connection_that_is_reused() {
    let (authority, receiver) = (Authority::new("ours"), Receiver::start().await);
    let client = authority.trusted(vec![LOOPBACK]);
    let acceptor = authority.acceptor(NAME, 2099);
    let url = https(&receiver, NAME);
    let (sent, mut peer) = join!(send(&client, post(&url, "1")), async {
        let mut peer = secured(&receiver, &acceptor).await.expect("TLS");
        let request = peer.request().await.expect("a request");
        assert_eq!(request.line, "POST /hooks?token=secret HTTP/1.1");
        peer.write(OK).await;
        peer
    });
    assert_eq!(sent.source_ip, Some(LOOPBACK));
    assert_eq!(answer(sent).status, 200);
    let (sent, ()) = join!(send(&client, post(&url, "2")), async {
        assert_eq!(peer.request().await.expect("a request").body, b"2");
        peer.write(OK).await;
    });
    assert_eq!(answer(sent).status, 200);
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn certificates_that_are_not_trusted() {
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
        let client = authority.trusted(vec![LOOPBACK]);
        let acceptor = issuer.acceptor(NAME, year);
        let url = https(&receiver, host);
        let (sent, peer) = join!(send(&client, post(&url, "{}")), secured(&receiver, &acceptor));
        assert!(peer.is_none(), "the sender ends the handshake");
        assert_failed(sent, Phase::Tls, ErrorKind::Tls, detail);
        receiver.assert_no_other_connection().await;
    }
}

/// What `openssl req -x509` makes unless told otherwise.
#[tokio::test]
async fn a_self_signed_certificate_that_calls_itself_an_authority() {
    let receiver = Receiver::start().await;
    let client = client();
    let acceptor = Authority::new("self").own_acceptor();
    let url = https(&receiver, NAME);
    let (sent, peer) = join!(send(&client, post(&url, "{}")), secured(&receiver, &acceptor));
    assert!(peer.is_none(), "the sender ends the handshake");
    let detail = "the receiver's certificate is not trusted: it is an authority's own, most often a \
                  self-signed one";
    assert_failed(sent, Phase::Tls, ErrorKind::Tls, detail);
}

#[tokio::test]
async fn a_receiver_without_tls() {
    let receiver = Receiver::start().await;
    let client = client();
    let url = https(&receiver, NAME);
    let (sent, ()) = join!(send(&client, post(&url, "{}")), async {
        let mut peer = receiver.accept().await;
        peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        peer.until_end().await;
    });
    let detail = format!("{NAME}:{} does not speak TLS on this port", receiver.port());
    assert_failed(sent, Phase::Tls, ErrorKind::Tls, &detail);
}

#[tokio::test]
async fn a_receiver_that_leaves_during_the_handshake() {
    for reset in [false, true] {
        let receiver = Receiver::start().await;
        let client = client();
        let url = https(&receiver, NAME);
        let (sent, ()) = join!(send(&client, post(&url, "{}")), async {
            let mut peer = receiver.accept().await;
            peer.more().await.expect("the sender's first words");
            if reset { peer.reset() } else { drop(peer) }
        });
        let detail = format!(
            "{NAME}:{} closed the connection during the TLS handshake; it may not speak TLS on this port",
            receiver.port()
        );
        assert_failed(sent, Phase::Tls, ErrorKind::Tls, &detail);
        receiver.assert_no_other_connection().await;
    }
}

#[tokio::test]
async fn a_receiver_that_never_shakes_hands() {
    let receiver = Receiver::start().await;
    let client = client();
    let mut outgoing = post(&https(&receiver, NAME), "{}");
    outgoing.timeout = SHORT;
    let (sent, ()) = join!(send(&client, outgoing), async {
        receiver.accept().await.until_end().await;
    });
    let place = format!("{NAME}:{}", receiver.port());
    let detail =
        format!("the TLS handshake with {place} was not done within 200 ms; nothing of the request was sent");
    assert_failed(sent, Phase::Tls, ErrorKind::Timeout, &detail);
}

#[tokio::test]
async fn an_answer_that_breaks_off_without_a_farewell() {
    let (authority, receiver) = (Authority::new("ours"), Receiver::start().await);
    let client = authority.trusted(vec![LOOPBACK]);
    let acceptor = authority.acceptor(NAME, 2099);
    let url = https(&receiver, NAME);
    let (sent, ()) = join!(send(&client, post(&url, "{}")), async {
        let mut peer = secured(&receiver, &acceptor).await.expect("TLS");
        peer.request().await.expect("a request");
        peer.write(b"HTTP/1.1 200 OK\r\n\r\npart").await;
    });
    // Whether this was all, nobody can know: the length is missing, and so is the end of the TLS session.
    assert_eq!(sent.partial_response.as_ref().map(|part| &part.body[..]), Some(&b"part"[..]));
    let detail = "the answer broke off after 4 bytes (its status was 200); the receiver has seen the request";
    assert_failed(sent, Phase::Read, ErrorKind::Protocol, detail);
}
