//! Client certificates and private authorities, at receivers with TLS.

use serde_json::{Value, json};

use crate::harness::certificates::{Authority, FOREVER};
use crate::harness::tls_receiver::TlsReceiver;
use crate::harness::{Journey, attempts_of, event, subscription, subscription_path, text};

/// The newest attempt of a delivery to this receiver, with these TLS settings.
async fn sent(j: &Journey, receiver: &TlsReceiver, tls: Value) -> Value {
    let body = subscription(&receiver.url("/hook"), json!({"request": {"tls": tls}}));
    let created = j.api.subscribe(&body).await;
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.ended_delivery(&trace).await;
    j.api.delete(&subscription_path(&created)).await.expect_status(204);
    attempts_of(&delivery)[0].clone()
}

#[track_caller]
fn assert_tls_failure(row: &Value, said: &str) {
    assert_eq!(row["error"]["kind"], "tls", "{said}: {row}");
    assert!(text(&row["error"]["detail"]).contains(said), "{said}: {row}");
}

#[tokio::test]
async fn a_receiver_with_a_private_authority_is_trusted_by_its_webhook_alone() {
    let j = Journey::start().await;
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let receiver = TlsReceiver::start(&ours, FOREVER, None).await;
    assert_eq!(sent(&j, &receiver, json!({"ca": ours.pem()})).await["responseCode"], 200);
    let unknown =
        "the receiver's certificate is not trusted: it is self-signed, or no known authority issued it";
    // Connections with other settings are others.
    assert_tls_failure(&sent(&j, &receiver, Value::Null).await, unknown);
    assert_tls_failure(&sent(&j, &receiver, json!({"ca": theirs.pem()})).await, unknown);
    let both = format!("{}{}", theirs.pem(), ours.pem());
    assert_eq!(sent(&j, &receiver, json!({"ca": both})).await["responseCode"], 200);
    let expired = TlsReceiver::start(&ours, 2020, None).await;
    let row = sent(&j, &expired, json!({"ca": ours.pem()})).await;
    assert_tls_failure(&row, "the receiver's certificate has expired");
    assert_eq!((receiver.requests().len(), expired.requests().len()), (2, 0));
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_receiver_that_asks_for_it() {
    let j = Journey::start().await;
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let receiver = TlsReceiver::start(&ours, FOREVER, Some(&ours)).await;
    let with = |(certificate, key): (String, String)| json!({"clientCertificate": certificate, "clientKey": key, "ca": ours.pem()});
    let row = sent(&j, &receiver, with(ours.client("loanhook", FOREVER))).await;
    assert_eq!(row["responseCode"], 200, "{row}");
    let row = sent(&j, &receiver, json!({"ca": ours.pem()})).await;
    assert_tls_failure(&row, "asks for a client certificate");
    let row = sent(&j, &receiver, with(theirs.client("loanhook", FOREVER))).await;
    assert_tls_failure(&row, "refused our client certificate: it does not know the authority that issued it");
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn a_rotated_certificate_reaches_a_retry() {
    let j = Journey::start().await;
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let receiver = TlsReceiver::start(&ours, FOREVER, Some(&ours)).await;
    let (certificate, key) = theirs.client("loanhook", FOREVER);
    let tls = json!({"clientCertificate": certificate, "clientKey": key, "ca": ours.pem()});
    let body = subscription(&receiver.url("/hook"), json!({"request": {"tls": tls}}));
    let created = j.api.subscribe(&body).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    let (certificate, key) = ours.client("loanhook", FOREVER);
    let rotated = json!({"request": {"tls": {"clientCertificate": certificate, "clientKey": key}}});
    j.api.patch(&subscription_path(&created), &rotated).await.expect_status(200);
    j.api.resend(&trace).await;
    let delivery = j.api.delivery_after_attempts(&trace, 2).await;
    let rows = attempts_of(&delivery);
    assert_eq!((&rows[0]["error"]["kind"], &rows[1]["responseCode"]), (&json!("tls"), &json!(200)));
    assert_eq!(rows[1]["subscriptionVersion"], 2);
}
