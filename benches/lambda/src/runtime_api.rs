//! The Lambda runtime API for one process of a function: it gives out events and takes in responses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use hyper::{Method, Response, StatusCode};
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

use crate::http_server::{Body, Received, answer, serve};

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:bench";

/// What a function did, and when.
enum Call {
    Polled(Instant),
    Responded(Instant, Result<Value, String>),
}

pub(crate) struct Runtime {
    pub(crate) address: SocketAddr,
    events: mpsc::UnboundedSender<Value>,
    calls: mpsc::UnboundedReceiver<Call>,
}

impl Runtime {
    pub(crate) async fn start() -> std::io::Result<Self> {
        let (events, waiting) = mpsc::unbounded_channel();
        let (reports, calls) = mpsc::unbounded_channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let address = serve(move |request| {
            let (waiting, reports) = (Arc::clone(&waiting), reports.clone());
            async move { serve_request(request, &waiting, &reports).await }
        })
        .await?;
        Ok(Self { address, events, calls })
    }

    /// When the function first polled for an event.
    pub(crate) async fn first_poll(&mut self) -> Result<Instant, String> {
        match self.calls.recv().await {
            Some(Call::Polled(at)) => Ok(at),
            Some(Call::Responded(_, answer)) => Err(format!("it responded without an event: {answer:?}")),
            None => Err("the runtime API has ended".into()),
        }
    }

    /// Gives this event to the function, and returns when it responded, and with what.
    pub(crate) async fn invoke(&mut self, event: Value) -> Result<(Instant, Value), String> {
        self.events.send(event).map_err(|_| "the runtime API has ended")?;
        loop {
            match self.calls.recv().await {
                Some(Call::Polled(_)) => {}
                Some(Call::Responded(at, answer)) => return answer.map(|answer| (at, answer)),
                None => return Err("the runtime API has ended".into()),
            }
        }
    }
}

async fn serve_request(
    request: Received,
    waiting: &Mutex<mpsc::UnboundedReceiver<Value>>,
    reports: &mpsc::UnboundedSender<Call>,
) -> Response<Body> {
    let now = Instant::now();
    if request.head.method == Method::GET {
        // Nobody listens after the last response.
        let _ = reports.send(Call::Polled(now));
        return match waiting.lock().await.recv().await {
            Some(event) => invocation(&event),
            None => answer(StatusCode::GONE, Bytes::new()),
        };
    }
    let body = String::from_utf8_lossy(&request.body);
    let answered = if request.head.uri.path().ends_with("/response") {
        serde_json::from_str(&body).map_err(|error| format!("its response is not JSON: {error}"))
    } else {
        Err(body.into_owned())
    };
    let _ = reports.send(Call::Responded(now, answered));
    answer(StatusCode::ACCEPTED, Bytes::from_static(b"{}"))
}

fn invocation(event: &Value) -> Response<Body> {
    let ends = SystemTime::now() + Duration::from_secs(60);
    let ends = ends.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis().to_string();
    let mut response = answer(StatusCode::OK, event.to_string().into());
    for (name, value) in [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", ends.as_str()),
        ("lambda-runtime-invoked-function-arn", ARN),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"),
    ] {
        response.headers_mut().insert(name, value.parse().expect("a header"));
    }
    response
}
