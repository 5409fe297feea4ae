//! The headers that the request sender adds to a webhook.

use std::collections::BTreeMap;

use tokio::join;

use super::{
    TEST_TIMEOUT, client,
    scripted_receiver::{OK, ReceivedRequest, Receiver},
    tenant,
};
use loanhook_core::model::{
    attempt::AttemptNumber,
    id::{AttemptId, EventId, LoanId, SubscriptionId, TraceId},
    subscription::Method,
    time::Timestamp,
};
use loanhook_core::ports::{Sender, WebhookRequest};

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

fn webhook(url: String) -> WebhookRequest {
    WebhookRequest {
        tenant: tenant("acme"),
        subscription_id: SubscriptionId::at(NOW),
        fresh_connection: false,
        method: Method::Post,
        url,
        headers: BTreeMap::new(),
        content_type: None,
        body: "{}".into(),
        trace_id: TraceId::of(EventId::at(NOW), SubscriptionId::at(NOW)),
        attempt_id: AttemptId::at(NOW),
        number: AttemptNumber::Auto(2),
        event_name: "Payment Posted to Account".into(),
        loan_id: LoanId::try_from("7 ü/27".replace('/', "-")).expect("a loan"),
        occurred_at: None,
        sequence: None,
        trace_context: None,
        test: false,
        oauth2: None,
        tls: None,
        secrets: Vec::new(),
        sent_at: NOW,
        timeout: TEST_TIMEOUT,
    }
}

async fn received(change: impl FnOnce(&mut WebhookRequest)) -> ReceivedRequest {
    let receiver = Receiver::start().await;
    let mut webhook = webhook(receiver.url("/"));
    change(&mut webhook);
    let client = client();
    let (outcome, (request, _)) = join!(Sender::send(&client, webhook), receiver.respond(OK));
    assert_eq!(outcome.expect("nothing is missing").result, Ok(200));
    request
}

#[tokio::test]
async fn the_headers_contain_the_loan_and_the_time_of_the_event() {
    let request = received(|_| {}).await;
    assert_eq!(request.header("loanhook-loan"), Some("7%20%C3%BC%2D27"));
    assert_eq!(request.header("loanhook-attempt"), Some("2"));
    assert_eq!(request.header("loanhook-occurred-at"), None, "the event has none");
    assert_eq!(request.header("loanhook-test"), None);

    let request = received(|webhook| webhook.occurred_at = Some("2026-11-23T10:00:00Z".into())).await;
    assert_eq!(request.header("loanhook-occurred-at"), Some("2026%2D11%2D23T10%3A00%3A00Z"));
}

#[tokio::test]
async fn a_test_of_a_subscription_has_the_test_header() {
    assert_eq!(received(|webhook| webhook.test = true).await.header("loanhook-test"), Some("1"));
    assert_eq!(received(|_| {}).await.header("loanhook-sequence"), None);
    let numbered = received(|webhook| webhook.sequence = Some(12)).await;
    assert_eq!(numbered.header("loanhook-sequence"), Some("12"));
}
