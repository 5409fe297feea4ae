//! TLS settings of a webhook: client certificates that a receiver takes or refuses, and private authorities.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::PrivateKeyDer,
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
};
use tokio::join;
use tokio_rustls::TlsAcceptor;

use super::{
    client, post,
    scripted_receiver::{OK, Peer, Receiver},
    send, whole_response,
};
use crate::{http_outcome::HttpOutcome, http_request::HttpRequest};
use loanhook_core::model::failure::{ErrorKind, Failure};
use loanhook_core::model::subscription::{ClientCertificate, Tls};

const NAME: &str = "core.example.test";

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    fn issue(&self, name: &str, year: i32) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        params.not_after = date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().expect("a key");
        (params.signed_by(&key, &self.0).expect("a certificate"), key)
    }

    fn client_certificate(&self, year: i32) -> ClientCertificate {
        let (certificate, key) = self.issue("loanhook", year);
        ClientCertificate { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// The receiver's side of TLS in this version, for clients of this authority alone.
    fn acceptor(&self, version: &'static SupportedProtocolVersion) -> TlsAcceptor {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("an authority");
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
        let (certificate, key) = self.issue(NAME, 2099);
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_client_cert_verifier(verifier.expect("a verifier"))
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a configuration");
        TlsAcceptor::from(Arc::new(config))
    }

    fn tls(&self, client: Option<ClientCertificate>) -> Arc<Tls> {
        Arc::new(Tls { client, ca: Some(self.0.pem()) })
    }
}

fn request(receiver: &Receiver, tls: &Arc<Tls>) -> HttpRequest {
    let url = format!("https://{NAME}:{}/hooks", receiver.port());
    HttpRequest { tls: Some(Arc::clone(tls)), ..post(&url, "1") }
}

async fn outcome(acceptor: &TlsAcceptor, tls: &Arc<Tls>) -> HttpOutcome {
    let (receiver, client) = (Receiver::start().await, client());
    let request = request(&receiver, tls);
    let (outcome, ()) = join!(send(&client, request), async {
        let stream = receiver.accept().await.into_stream();
        // A refusal of TLS 1.3 comes after the client's handshake is done.
        let Ok(stream) = acceptor.accept(stream).await else { return };
        let mut peer = Peer::new(stream);
        if peer.read_request().await.is_some() {
            peer.write(OK).await;
        }
    });
    outcome
}

#[tokio::test]
async fn a_receiver_takes_the_certificate_or_says_why_not() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    for version in [&TLS12, &TLS13] {
        let acceptor = ours.acceptor(version);
        let taken = outcome(&acceptor, &ours.tls(Some(ours.client_certificate(2099)))).await;
        assert_eq!(whole_response(taken).status, 200, "{version:?}");
        for (client, said) in [
            (None, "asks for a client certificate"),
            (
                Some(theirs.client_certificate(2099)),
                "refused our client certificate: it does not know the authority that issued it",
            ),
            (
                Some(ours.client_certificate(2020)),
                "refused our client certificate: it expired at 2020-12-31T00:00:00.000Z; give the webhook a new one",
            ),
        ] {
            let Failure { kind, detail, .. } =
                outcome(&acceptor, &ours.tls(client)).await.result.expect_err("a failure");
            assert_eq!(kind, ErrorKind::Tls, "{version:?}: {detail}");
            assert!(detail.contains(said), "{version:?}: {detail}");
        }
    }
}

#[tokio::test]
async fn connections_with_other_settings_are_not_shared() {
    let ours = Authority::new("ours");
    let (receiver, client) = (Receiver::start().await, client());
    let acceptor = ours.acceptor(&TLS13);
    let accept = async || {
        let stream = receiver.accept().await.into_stream();
        Peer::new(acceptor.accept(stream).await.expect("TLS"))
    };
    let (first, second) = (ours.client_certificate(2099), ours.client_certificate(2099));
    let (first, second) = (ours.tls(Some(first)), ours.tls(Some(second)));
    let mut peers = Vec::new();
    for tls in [&first, &second] {
        let (outcome, peer) = join!(send(&client, request(&receiver, tls)), async {
            let mut peer = accept().await;
            peer.read_request().await.expect("a request");
            peer.write(OK).await;
            peer
        });
        assert_eq!(whole_response(outcome).status, 200);
        peers.push(peer);
    }
    // The same settings, in another allocation, use the connection that is there.
    let same = Arc::new((*first).clone());
    let (outcome, ()) = join!(send(&client, request(&receiver, &same)), async {
        peers[0].read_request().await.expect("a request");
        peers[0].write(OK).await;
    });
    assert_eq!(whole_response(outcome).status, 200);
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_a_failure_without_a_request() {
    let receiver = Receiver::start().await;
    let tls = Arc::new(Tls { client: None, ca: Some("no PEM".into()) });
    let failure = send(&client(), request(&receiver, &tls)).await.result.expect_err("a failure");
    assert_eq!(failure.kind, ErrorKind::Tls);
    assert!(failure.detail.starts_with("request.tls.ca is not PEM"), "{}", failure.detail);
}
