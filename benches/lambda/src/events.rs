//! Events that the functions are invoked with, in the shapes of AWS, as in `events/`.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::KEY;

/// A request that creates a subscription to every event, for a receiver at this address.
pub(crate) fn subscription(receiver: SocketAddr) -> Value {
    let subscription = json!({
        "title": "Core banking: payment posted",
        "criteria": { "events": ["*"] },
        "request": { "url": format!("http://{receiver}/hook") },
    });
    request("/v1/subscriptions", &subscription)
}

/// A request with an event whose webhook has a payload of 1 KiB, different for each number.
pub(crate) fn event(number: usize) -> Value {
    let context = json!({
        "loan-display-id": "727",
        "last-payment-amount": 250.5,
        "status-days-past-due": 13,
        "number": format!("{number:010}"),
        "note": "Paid by check at the branch. ".repeat(31),
    });
    request(
        "/v1/events",
        &json!({ "eventName": "Payment Posted to Account", "loanId": "727", "context": context }),
    )
}

/// A request for the catalogue of events.
pub(crate) fn event_types() -> Value {
    let mut request = request("/v1/event-types", &Value::Null);
    request["requestContext"]["http"]["method"] = json!("GET");
    request
}

/// A direct invocation that resends the delivery of this queue message.
pub(crate) fn resend(message: &Value) -> Value {
    json!({ "tenant": message["tenant"], "traceId": message["traceId"] })
}

/// A request, as an HTTP API passes it on.
fn request(path: &str, body: &Value) -> Value {
    let body = body.to_string();
    json!({
        "version": "2.0",
        "routeKey": format!("ANY {path}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "authorization": format!("Bearer {KEY}"),
            "content-length": body.len().to_string(),
            "content-type": "application/json",
            "host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "x-forwarded-for": "198.51.100.23",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "198.51.100.23",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": format!("ANY {path}"),
            "stage": "$default",
            "time": "23/Nov/2026:10:00:00 +0000",
            "timeEpoch": 1_795_428_000_000_u64,
        },
        "body": body,
        "isBase64Encoded": false,
    })
}

/// A batch of one message, as SQS passes it on.
pub(crate) fn batch(message: &str) -> Value {
    json!({ "Records": [{
        "messageId": "059f36b4-87a3-44ab-83d2-661975730001",
        "receiptHandle": "AQEB0001",
        "body": message,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795428000000",
            "SenderId": "AROAEXAMPLE:loanhook",
            "ApproximateFirstReceiveTimestamp": "1795428000009",
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:loanhook-Queue",
        "awsRegion": "us-east-1",
    }] })
}
