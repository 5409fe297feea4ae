//! What a webhook says of itself.

use std::collections::BTreeMap;

use tokio::join;

use super::{
    PATIENCE, client,
    receiver::{OK, Receiver, Request},
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
        test: false,
        secrets: Vec::new(),
        sent_at: NOW,
        timeout: PATIENCE,
    }
}

async fn sent(change: impl FnOnce(&mut WebhookRequest)) -> Request {
    let receiver = Receiver::start().await;
    let mut outgoing = webhook(receiver.url("/"));
    change(&mut outgoing);
    let client = client();
    let (sent, (request, _)) = join!(Sender::send(&client, outgoing), receiver.answer(OK));
    assert_eq!(sent.expect("nothing is missing").result, Ok(200));
    request
}

#[tokio::test]
async fn a_webhook_names_its_loan_and_when_it_occurred() {
    let request = sent(|_| {}).await;
    assert_eq!(request.header("loanhook-loan"), Some("7%20%C3%BC%2D27"));
    assert_eq!(request.header("loanhook-attempt"), Some("2"));
    assert_eq!(request.header("loanhook-occurred-at"), None, "the event has none");
    assert_eq!(request.header("loanhook-test"), None);

    let request = sent(|outgoing| outgoing.occurred_at = Some("2026-11-23T10:00:00Z".into())).await;
    assert_eq!(request.header("loanhook-occurred-at"), Some("2026%2D11%2D23T10%3A00%3A00Z"));
}

#[tokio::test]
async fn a_webhook_that_is_tried_out_says_so() {
    assert_eq!(sent(|outgoing| outgoing.test = true).await.header("loanhook-test"), Some("1"));
}
