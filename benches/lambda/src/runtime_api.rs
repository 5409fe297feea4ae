//! The Lambda runtime API, for one process of a function: it hands events out and takes answers in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use hyper::{Method, Response, StatusCode};
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

use crate::http_server::{Asked, Body, answer, serve};

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:bench";

/// What a function did, and when.
enum Said {
    Asked(Instant),
    Answered(Instant, Result<Value, String>),
}

pub(crate) struct Runtime {
    pub(crate) address: SocketAddr,
    events: mpsc::UnboundedSender<Value>,
    said: mpsc::UnboundedReceiver<Said>,
}

impl Runtime {
    pub(crate) async fn start() -> std::io::Result<Self> {
        let (events, waiting) = mpsc::unbounded_channel();
        let (says, said) = mpsc::unbounded_channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let address = serve(move |asked| {
            let (waiting, says) = (Arc::clone(&waiting), says.clone());
            async move { speak(asked, &waiting, &says).await }
        })
        .await?;
        Ok(Self { address, events, said })
    }

    /// When the function first asked for an event.
    pub(crate) async fn asked(&mut self) -> Result<Instant, String> {
        match self.said.recv().await {
            Some(Said::Asked(at)) => Ok(at),
            Some(Said::Answered(_, answer)) => Err(format!("it answered unasked: {answer:?}")),
            None => Err("the runtime API has ended".into()),
        }
    }

    /// What the function, which has asked for an event, answers to this one, and when.
    pub(crate) async fn invoke(&mut self, event: Value) -> Result<(Instant, Value), String> {
        self.events.send(event).map_err(|_| "the runtime API has ended")?;
        loop {
            match self.said.recv().await {
                Some(Said::Asked(_)) => {}
                Some(Said::Answered(at, answer)) => return answer.map(|answer| (at, answer)),
                None => return Err("the runtime API has ended".into()),
            }
        }
    }
}

async fn speak(
    asked: Asked,
    waiting: &Mutex<mpsc::UnboundedReceiver<Value>>,
    says: &mpsc::UnboundedSender<Said>,
) -> Response<Body> {
    let now = Instant::now();
    if asked.head.method == Method::GET {
        // Nobody listens once the last answer is in.
        let _ = says.send(Said::Asked(now));
        return match waiting.lock().await.recv().await {
            Some(event) => invocation(&event),
            None => answer(StatusCode::GONE, Bytes::new()),
        };
    }
    let body = String::from_utf8_lossy(&asked.body);
    let answered = if asked.head.uri.path().ends_with("/response") {
        serde_json::from_str(&body).map_err(|error| format!("its answer is no JSON: {error}"))
    } else {
        Err(body.into_owned())
    };
    let _ = says.send(Said::Answered(now, answered));
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
