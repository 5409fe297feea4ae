//! A fake AWS: DynamoDB, S3, SQS, KMS and a receiver of webhooks, on one port of this machine.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::fake_table::Tables;
use crate::http_server::{Body, Received, answer, serve};

/// The response of the receiver: short, as most are.
const RECEIVED: &[u8] = br#"{"received": true}"#;

/// 32 bytes in base64.
const DATA_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Clones share their state.
#[derive(Clone, Default)]
pub(crate) struct FakeAws(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    tables: Tables,
    objects: HashMap<String, Bytes>,
    /// Messages that wait, oldest first.
    queue: Vec<String>,
    webhooks: usize,
}

impl FakeAws {
    /// Starts to serve, and returns the address.
    pub(crate) async fn start(&self) -> std::io::Result<SocketAddr> {
        let aws = self.clone();
        serve(move |request| {
            let aws = aws.clone();
            async move { aws.answer(&request) }
        })
        .await
    }

    /// The messages that were sent, and the number of webhooks that came, since the last call.
    pub(crate) fn take(&self) -> (Vec<String>, usize) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut state.queue), std::mem::take(&mut state.webhooks))
    }

    /// Takes the message that was sent although no webhook came. False where a webhook came, or there is no message.
    pub(crate) fn take_message_sent_on(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.webhooks == 0 && state.queue.pop().is_some()
    }

    fn answer(&self, request: &Received) -> Response<Body> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let target = request.head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let Some((service, operation)) = target.and_then(|target| target.split_once('.')) else {
            return state.bytes(request);
        };
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let result = if service.starts_with("DynamoDB") {
            state.tables.call(operation, &body)
        } else if service == "TrentService" {
            data_key(operation)
        } else {
            state.send(operation, &body)
        };
        let mut response = answer(StatusCode::OK, result.to_string().into());
        response.headers_mut().insert(CONTENT_TYPE, "application/x-amz-json-1.0".parse().expect("a header"));
        response
    }
}

/// The answer of KMS: there is one data key.
fn data_key(operation: &str) -> Value {
    match operation {
        "GenerateDataKey" => {
            json!({ "Plaintext": DATA_KEY, "CiphertextBlob": "ZW5jcnlwdGVk", "KeyId": "key" })
        }
        "Decrypt" => json!({ "Plaintext": DATA_KEY, "KeyId": "key" }),
        other => panic!("the fake KMS does not know {other}"),
    }
}

impl State {
    /// A webhook, or an object of the bucket.
    fn bytes(&mut self, request: &Received) -> Response<Body> {
        let path = request.head.uri.path();
        match request.head.method {
            _ if path == "/hook" => {
                self.webhooks += 1;
                answer(StatusCode::OK, Bytes::from_static(RECEIVED))
            }
            Method::PUT => {
                self.objects.insert(path.to_owned(), request.body.clone());
                answer(StatusCode::OK, Bytes::new())
            }
            _ => match self.objects.get(path) {
                Some(bytes) => answer(StatusCode::OK, bytes.clone()),
                None => answer(StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>".into()),
            },
        }
    }

    fn send(&mut self, operation: &str, request: &Value) -> Value {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match operation {
            "SendMessage" => {
                self.queue.push(text(&request["MessageBody"]));
                json!({ "MessageId": "1" })
            }
            other => panic!("the fake SQS does not know {other}"),
        }
    }
}
