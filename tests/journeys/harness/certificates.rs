//! Certificates of receivers and of clients, made anew by each test.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The year at whose end a certificate ends that does not in a test.
pub(crate) const FOREVER: i32 = 2099;

/// An authority that issues certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    /// Its own certificate.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// What trusts this authority.
    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("an authority");
        roots
    }

    /// A client's certificate and key in PEM; it ends with the year.
    pub(crate) fn client(&self, name: &str, year: i32) -> (String, String) {
        self.client_until(name, (year, 12, 31))
    }

    /// The same; it ends when this day (year, month, day) begins, in UTC.
    pub(crate) fn client_until(&self, name: &str, day: (i32, u32, u32)) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        (self.issue(name, day, &key).pem(), key.serialize_pem())
    }

    /// A receiver's certificate and key; it ends with the year.
    pub(crate) fn server(&self, host: &str, year: i32) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().expect("a key");
        let der = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        (self.issue(host, (year, 12, 31), &key).der().clone(), der)
    }

    fn issue(&self, name: &str, (year, month, day): (i32, u32, u32), key: &KeyPair) -> rcgen::Certificate {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        let number = |of: u32| u8::try_from(of).expect("a month or a day");
        params.not_after = date_time_ymd(year, number(month), number(day));
        params.signed_by(key, &self.0).expect("a certificate")
    }
}
