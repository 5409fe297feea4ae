//! The signature of a webhook, by which a receiver knows that loanhook sent it.
//!
//! A webhook changes money and statuses in other systems, and its URL may leak. So the request sender signs each request
//! as the
//! [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)
//! specification says, and receivers verify it with any of its libraries.
//!
//! A signature is `v1,` and the base64 of the HMAC-SHA256, under the secret, of `<id>.<timestamp>.<body>`. While a secret
//! is being rotated, both secrets sign, and a receiver can change from one to the other at any time.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const SECRET_PREFIX: &str = "whsec_";

/// The value of `webhook-signature`: one `v1,…` for each secret, in the order given, separated by spaces.
///
/// `id` is the value of `webhook-id`; `timestamp_seconds` (since 1970, UTC) that of `webhook-timestamp`. A secret is
/// `whsec_` and base64, as `loanhook_core::model::secret` makes it. One of another shape has no signature.
pub(crate) fn sign<S: AsRef<str>>(secrets: &[S], id: &str, timestamp_seconds: i64, body: &[u8]) -> String {
    let signatures: Vec<String> = secrets
        .iter()
        .filter_map(|secret| {
            let mut mac = mac(secret.as_ref())?;
            mac.update(format!("{id}.{timestamp_seconds}.").as_bytes());
            mac.update(body);
            Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
        })
        .collect();
    signatures.join(" ")
}

fn mac(secret: &str) -> Option<Hmac<Sha256>> {
    let key = STANDARD.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
    Hmac::new_from_slice(&key).ok()
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use http::HeaderMap;
    use standardwebhooks::Webhook;

    use super::*;
    use loanhook_core::model::secret::SigningSecret;

    fn generate_secret() -> String {
        SigningSecret::generate().expect("randomness").expose().to_owned()
    }

    /// The example of the specification, which its libraries test against too.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_signature_is_that_of_the_specifications_example() {
        assert_eq!(sign(&[SECRET], ID, TIMESTAMP, BODY), SIGNATURE);
    }

    #[test]
    fn each_secret_adds_a_signature_in_order() {
        let other = generate_secret();
        let signed = sign(&[SECRET, &other], ID, TIMESTAMP, BODY);
        let (first, second) = signed.split_once(' ').expect("two signatures");
        assert_eq!(first, SIGNATURE);
        assert_eq!(second, sign(&[other], ID, TIMESTAMP, BODY));
    }

    #[test]
    fn a_secret_of_another_shape_has_no_signature() {
        assert_eq!(sign(&["whsec_not base64!", SECRET, "MfKQ"], ID, TIMESTAMP, BODY), SIGNATURE);
        assert_eq!(sign::<&str>(&[], ID, TIMESTAMP, BODY), "");
    }

    #[test]
    fn another_implementation_verifies_both_signatures_during_a_rotation() {
        let (old, new) = (generate_secret(), generate_secret());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let timestamp = i64::try_from(now).expect("a timestamp");
        let body = "{\"borrower\": \"Zoë\"}".as_bytes();

        let mut headers = HeaderMap::new();
        let signature = sign(&[&new, &old], ID, timestamp, body);
        for (name, value) in [
            ("webhook-id", ID.to_owned()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signature),
        ] {
            headers.insert(name, value.parse().expect("a header value"));
        }
        for secret in [&old, &new] {
            let webhook = Webhook::new(secret).expect("a secret");
            assert!(webhook.verify(body, &headers).is_ok());
            assert!(webhook.verify(b"something else", &headers).is_err());
        }
        let stranger = Webhook::new(&generate_secret()).expect("a secret");
        assert!(stranger.verify(body, &headers).is_err());
    }
}
