use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;
use crate::model::subscription::{AuthInput, AuthKind, CriteriaInput, Settings, SubscriptionInput};
use crate::model::validation::ValidationErrors;

const URL: &str = "https://core.example.com/hooks";

fn pair(year: i32) -> (String, String) {
    let mut params = CertificateParams::new(vec!["client.example.test".to_owned()]).expect("parameters");
    params.not_after = date_time_ymd(year, 12, 31);
    let key = KeyPair::generate().expect("a key");
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

fn tls(certificate: Option<&str>, key: Option<&str>, ca: Option<&str>) -> TlsInput {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    TlsInput { client_certificate: owned(certificate), client_key: owned(key), ca: owned(ca) }
}

fn check(
    url: &str,
    token_url: Option<&str>,
    tls: TlsInput,
    stored: Option<&Settings>,
) -> Result<Settings, ValidationErrors> {
    let criteria = CriteriaInput { events: Some(vec!["*".into()]), ..CriteriaInput::default() };
    let mut input = SubscriptionInput::with_defaults("Core banking".into(), criteria, url.into());
    input.request.tls = Some(tls);
    input.request.auth = token_url.map(|token_url| AuthInput {
        kind: AuthKind::OAuth2,
        username: None,
        password: None,
        token_url: Some(token_url.into()),
        client_id: Some("loanhook".into()),
        client_secret: Some("s3cret-of-the-client".into()),
        scopes: None,
        style: None,
        parameters: None,
    });
    input.check(stored)
}

#[test]
fn what_breaks_a_rule_is_said_at_its_pointer() {
    let ((certificate, key), (other, _), (expired, its_key)) = (pair(2099), pair(2099), pair(2020));
    let long = "x".repeat(MAX_CA_BYTES + 1);
    for (input, pointer, said) in [
        (tls(Some(&certificate), Some(&key), Some(&other)), "", ""),
        (tls(Some(&certificate), Some(&key), None), "", ""),
        (tls(None, None, Some(&other)), "", ""),
        (tls(None, None, None), "/request/tls", "must have"),
        (tls(Some(&certificate), None, None), KEY, "is required"),
        (tls(None, Some(&key), None), CERTIFICATE, "is required"),
        (tls(Some(&other), Some(&key), None), KEY, "does not fit"),
        (tls(Some(&expired), Some(&its_key), None), CERTIFICATE, "expired at 2020-12-31T00:00:00.000Z"),
        (tls(Some("no PEM"), Some(&key), None), CERTIFICATE, "is not PEM"),
        (tls(Some(&certificate), Some("no PEM"), None), KEY, "is not PEM"),
        (tls(Some(&key), Some(&key), None), CERTIFICATE, "private key"),
        (tls(Some(&certificate), Some("***"), None), KEY, "there is none"),
        (tls(None, None, Some("no PEM")), CA, "is not PEM"),
        (tls(None, None, Some(&long)), CA, "at most 64 KiB"),
        (tls(Some(&long), Some(&key), None), CERTIFICATE, "at most 32 KiB"),
        (tls(Some(&certificate), Some(&long), None), KEY, "at most 16 KiB"),
    ] {
        let errors = check(URL, None, input, None).err().unwrap_or_default().0;
        let found: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(found.concat(), pointer, "{said}");
        assert!(errors.iter().all(|error| error.detail.contains(said)), "{errors:?}");
        assert!(errors.iter().all(|error| !error.detail.contains("BEGIN CERT")), "{errors:?}");
    }
}

#[test]
fn the_key_is_kept_by_three_stars_for_the_hosts_that_it_was_given_for() {
    let (certificate, key) = pair(2099);
    let stored = check(URL, None, tls(Some(&certificate), Some(&key), None), None).expect("good settings");
    let hidden = || tls(Some(&certificate), Some("***"), None);
    let mut kept = check("https://core.example.com/other", None, hidden(), Some(&stored)).expect("kept");
    assert_eq!(kept.request.secret_texts_mut().map(|part| part.clone()).collect::<Vec<_>>(), [key]);
    let (other, _) = pair(2099);
    for (url, token_url, input) in [
        ("https://evil.example/", None, hidden()),
        // The token endpoint is shown the certificate too.
        (URL, Some("https://evil.example/token"), hidden()),
        // The stored key does not fit another certificate.
        (URL, None, tls(Some(&other), Some("***"), None)),
    ] {
        let refused = check(url, token_url, input, Some(&stored)).expect_err("refused");
        assert_eq!(refused.0[0].pointer, KEY, "{url} {token_url:?}");
    }
}

#[test]
fn settings_with_a_certificate_that_expired_meanwhile_can_be_changed() {
    let (certificate, key) = pair(2099);
    let mut stored =
        check(URL, None, tls(Some(&certificate), Some(&key), None), None).expect("good settings");
    let (expired, its_key) = pair(2020);
    let client = ClientCertificate { certificate: expired.clone(), key: its_key };
    stored.request.tls = Some(Tls { client: Some(client), ca: None });
    assert!(check(URL, None, tls(Some(&expired), Some("***"), None), Some(&stored)).is_ok());
}
