//! The receiver: a process with one thread that answers each request at once and measures how long its event took.
//!
//! `/hook` answers 200, `/fail` 503, `/hang` never. `/stats` says what arrived at `/hook` since the last
//! `/reset`.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io::Write as _;
use std::rc::Rc;

use bench_measure::{Latencies, processor_ticks_ms};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::now_nanoseconds;

/// Precedes the time at which the POST of an event began, in every payload.
const SENT_AT: &[u8] = b"\"sent-at\":";

/// What arrived.
#[derive(Serialize, Deserialize, Clone, Copy, Default, Debug)]
pub(crate) struct Arrived {
    pub count: u64,
    /// Of the first and of the last, nanoseconds since 1970.
    pub first: u64,
    pub last: u64,
    /// From the start of the POST, in milliseconds.
    pub latencies: Latencies,
    /// Processor time of this process, in milliseconds.
    pub cpu: f64,
}

#[derive(Default)]
struct Seen {
    arrived: Arrived,
    nanos: Vec<u64>,
}

/// Serves until it is killed; prints its address first.
pub(crate) async fn run() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    let seen = Rc::new(RefCell::new(Seen::default()));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let seen = Rc::clone(&seen);
        let service = service_fn(move |request| answer(request, Rc::clone(&seen)));
        tokio::task::spawn_local(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    seen: Rc<RefCell<Seen>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let mut status = StatusCode::OK;
    let mut body = Bytes::from_static(b"{\"received\":true}");
    match path.as_str() {
        "/stats" => body = stats(&mut seen.borrow_mut()).into(),
        "/reset" => *seen.borrow_mut() = Seen::default(),
        "/hang" => std::future::pending().await,
        _ => {
            let payload = request.into_body().collect().await.map(|body| body.to_bytes());
            match payload {
                Ok(payload) if path == "/hook" => record(&mut seen.borrow_mut(), &payload),
                _ => status = StatusCode::SERVICE_UNAVAILABLE,
            }
        }
    }
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    Ok(response)
}

fn record(seen: &mut Seen, payload: &[u8]) {
    let at = now_nanoseconds();
    if seen.arrived.count == 0 {
        seen.arrived.first = at;
    }
    seen.arrived.count += 1;
    seen.arrived.last = at;
    if let Some(sent) = sent_at(payload) {
        seen.nanos.push(at.saturating_sub(sent));
    }
}

fn sent_at(payload: &[u8]) -> Option<u64> {
    let at = payload.windows(SENT_AT.len()).position(|window| window == SENT_AT)? + SENT_AT.len();
    let digits = payload[at..].split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn stats(seen: &mut Seen) -> Vec<u8> {
    seen.arrived.latencies = Latencies::of(&mut seen.nanos);
    seen.arrived.cpu = processor_ticks_ms(std::process::id());
    serde_json::to_vec(&seen.arrived).unwrap_or_default()
}
