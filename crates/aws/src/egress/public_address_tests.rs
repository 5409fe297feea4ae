use std::collections::BTreeMap;

use bytes::Bytes;

use super::*;
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::id::{AttemptId, EventId, LoanId, SubscriptionId, TenantId, TraceId};
use loanhook_core::model::subscription::Method;
use loanhook_core::model::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

/// A sender whose requests all leave from one local address, or from none that is known.
struct LeavingFrom(Option<IpAddr>);

impl Sender for LeavingFrom {
    async fn send(&self, request: WebhookRequest) -> Result<SendOutcome, NotSent> {
        Ok(SendOutcome { elapsed: request.timeout, source_ip: self.0, result: Ok(200), response: None })
    }
}

fn request() -> WebhookRequest {
    WebhookRequest {
        tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
        subscription_id: SubscriptionId::at(NOW),
        fresh_connection: false,
        test: false,
        method: Method::Post,
        url: "https://core.example.com/hooks/loans".into(),
        headers: BTreeMap::new(),
        content_type: None,
        body: Bytes::new(),
        trace_id: TraceId::of(EventId::at(NOW), SubscriptionId::at(NOW)),
        attempt_id: AttemptId::at(NOW),
        number: AttemptNumber::Auto(1),
        event_name: "Payment Posted to Account".into(),
        loan_id: LoanId::try_from("727".to_owned()).expect("a loan"),
        occurred_at: None,
        sequence: None,
        trace_context: None,
        oauth2: None,
        tls: None,
        secrets: Vec::new(),
        sent_at: NOW,
        timeout: Duration::from_secs(15),
    }
}

#[tokio::test]
async fn the_source_address_is_the_public_one_unless_the_connection_is_on_loopback() {
    let address = |text: &str| (!text.is_empty()).then(|| text.parse::<IpAddr>().expect("an address"));
    for (local, public, seen) in [
        ("169.254.76.1", "203.0.113.7", "203.0.113.7"),
        ("10.83.4.9", "203.0.113.7", "203.0.113.7"),
        ("fd00::9", "2001:db8::7", "2001:db8::7"),
        ("10.83.4.9", "", ""),
        ("127.0.0.1", "203.0.113.7", "127.0.0.1"),
        ("127.0.0.2", "", "127.0.0.2"),
        ("::1", "203.0.113.7", "::1"),
        ("", "203.0.113.7", ""),
        ("", "", ""),
    ] {
        let public_address = address(public).map_or(PublicAddress::Unknown, PublicAddress::Fixed);
        let sender = PublicAddressSender { sender: LeavingFrom(address(local)), address: public_address };
        let sent = sender.send(request()).await.expect("it was sent");
        assert_eq!(sent.source_ip, address(seen), "from {local:?} behind {public:?}");
        assert_eq!((sent.elapsed, sent.result), (Duration::from_secs(15), Ok(200)), "all else stays");
    }
}

#[tokio::test]
async fn a_failed_lookup_is_not_repeated_by_every_request() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let asked = tokio::spawn(async move {
        let mut asked = 0;
        while let Ok((connection, _)) = listener.accept().await {
            // The connection ends without a response.
            drop(connection);
            asked += 1;
            if asked == 2 {
                break;
            }
        }
        asked
    });
    let address = PublicAddress::looked_up(url);
    for _ in 0..3 {
        assert_eq!(address.get().await, None);
    }
    assert!(!asked.is_finished(), "the failure is known from the first request on");
    asked.abort();
}
