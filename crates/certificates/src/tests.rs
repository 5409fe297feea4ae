use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;

fn pair(year: i32) -> (String, String) {
    let mut params = CertificateParams::new(vec!["client.example.test".to_owned()]).expect("parameters");
    params.not_after = date_time_ymd(year, 12, 31);
    let key = KeyPair::generate().expect("a key");
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

#[test]
fn a_pair_is_read_with_the_earliest_end_of_its_chain() {
    let (certificate, key) = pair(2099);
    let (other, _) = pair(2050);
    let identity = ClientIdentity::read(&format!("{certificate}{other}"), &key).expect("an identity");
    assert_eq!(identity.key.cert.len(), 2);
    // 2050-12-31T00:00:00Z
    assert_eq!(identity.expires_at, 2_556_057_600);
    assert_eq!(expires_at(&other), Ok(2_556_057_600));
    assert_eq!(authorities(&format!("{certificate}{other}")).expect("authorities").len(), 2);
    assert!(!format!("{identity:?}").contains("PRIVATE"));
}

#[test]
fn what_is_wrong_with_a_pair_is_said() {
    let ((certificate, key), (other, _)) = (pair(2099), pair(2099));
    let damaged = certificate.replace("MII", "AAA");
    let not_base64 = certificate.replace("MII", "!!!");
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let certificate_fault = IdentityFault::Certificate;
    for (certificate, key, fault) in [
        (other.as_str(), key.as_str(), IdentityFault::Mismatch),
        ("", &key, certificate_fault(PemFault::NotPem)),
        ("no PEM", &key, certificate_fault(PemFault::NotPem)),
        (&not_base64, &key, certificate_fault(PemFault::NotPem)),
        (&damaged, &key, certificate_fault(PemFault::Unreadable(1))),
        (&key, &key, certificate_fault(PemFault::KeyAmongCertificates)),
        (&certificate, &certificate, IdentityFault::Key(PemFault::NotOnlyAKey)),
        (&certificate, "", IdentityFault::Key(PemFault::NotPem)),
        (&certificate, &encrypted, IdentityFault::Key(PemFault::EncryptedKey)),
        (&certificate, &format!("{key}{key}"), IdentityFault::Key(PemFault::NotOnlyAKey)),
    ] {
        let read = ClientIdentity::read(certificate, key).map(|_| ());
        assert_eq!(read, Err(fault));
    }
    assert_eq!(authorities("").map(|_| ()), Err(PemFault::NotPem));
}
