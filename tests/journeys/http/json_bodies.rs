//! JSON bodies of every route: empty, not JSON, not UTF-8, with a byte order mark, or encoded.

use serde_json::{Value, json};

use crate::harness::{Journey, emulator_differs, event, subscription, text};

#[tokio::test]
async fn a_byte_order_mark_before_json_is_accepted_and_a_content_encoding_is_415() {
    let j = Journey::start().await;
    let marked = |body: &Value| [b"\xef\xbb\xbf", body.to_string().as_bytes()].concat();
    let settings = subscription(&j.receiver.url("/hook"), json!({"criteria": {"events": ["Never"]}}));
    let key = json!({"name": "new", "scopes": ["history:read"]});
    for (path, body, status) in [
        ("/v1/events", event("727"), 202),
        ("/v1/events/batch", json!({"events": [event("727")]}), 200),
        ("/v1/subscriptions", settings, 201),
        ("/v1/keys", key, 201),
        ("/v1/formulas/evaluate", json!({"formula": "(> 2 1)", "context": {}}), 200),
        ("/v1/portal-links", json!({"loanId": "727", "scopes": ["history:read"]}), 201),
    ] {
        j.api.request("POST", path).bytes(marked(&body)).send().await.expect_status(status);
        for encoding in ["gzip", "br", "identity, gzip", "nonsense"] {
            let asked = j.api.request("POST", path).header("content-encoding", encoding);
            let problem = asked.bytes(body.to_string()).send().await.expect_problem(415);
            assert!(text(&problem["detail"]).contains("Content-Encoding"), "{problem}");
        }
        let plain = j.api.request("POST", path).header("content-encoding", "identity");
        plain.bytes(body.to_string()).send().await.expect_status(status);
    }
}

const TAKING_BODIES: [&str; 4] = ["/v1/events", "/v1/events/batch", "/v1/subscriptions", "/v1/keys"];

#[tokio::test]
async fn a_body_that_is_empty_or_not_json_is_400() {
    let j = Journey::start().await;
    for body in ["", "  ", "{", "loanId=727", "{} {}"] {
        for path in TAKING_BODIES {
            let answer = j.api.request("POST", path).body(body).send().await;
            assert_eq!(answer.status, 400, "{path} with {body:?}: {answer:?}");
            answer.expect_problem(400);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_utf8_is_400() {
    let j = Journey::start().await;
    const BODIES: [&[u8]; 2] = [b"{\"loanId\": \"\xff\"}", b"\xef\xbb\xbf\xff"];
    for (body, path) in BODIES.iter().flat_map(|body| TAKING_BODIES.map(|path| (*body, path))) {
        // Without a content type, a gateway passes the body on unchanged.
        let answer = j.api.request("POST", path).bytes(body).send().await;
        assert_eq!(answer.status, 400, "{path} with {body:?}: {answer:?}");
        answer.expect_problem(400);
    }
    if emulator_differs("decodes a body that is said to be JSON, whatever its bytes are") {
        return;
    }
    for (body, path) in BODIES.iter().flat_map(|body| TAKING_BODIES.map(|path| (*body, path))) {
        j.api.request("POST", path).body(body).send().await.expect_problem(400);
    }
}
