//! The receiver: answers whatever comes at once, on one thread, and knows how long each event was on its way.
//!
//! `/hook` answers 200, `/fail` 503, `/hang` never. `/stats` says what arrived at `/hook` since the last
//! `/reset`.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io::Write as _;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::measure::{Latencies, cpu_of, now};

/// What stands before the time at which an event's POST began, in every payload.
pub(crate) const MARK: &[u8] = b"\"sent-at\":";

/// What arrived.
#[derive(Serialize, Deserialize, Clone, Copy, Default, Debug)]
pub(crate) struct Arrived {
    pub count: u64,
    /// Of the first and of the last, nanoseconds since 1970.
    pub first: u64,
    pub last: u64,
    /// From the start of the POST, in milliseconds.
    pub latencies: Latencies,
    /// What this process used since it began, in milliseconds.
    pub cpu: f64,
}

#[derive(Default)]
struct Seen {
    arrived: Arrived,
    nanos: Vec<u64>,
}

/// Serves until it is killed; says its address on standard output.
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
                Ok(payload) if path == "/hook" => note(&mut seen.borrow_mut(), &payload),
                _ => status = StatusCode::SERVICE_UNAVAILABLE,
            }
        }
    }
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    Ok(response)
}

fn note(seen: &mut Seen, payload: &[u8]) {
    let at = now();
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
    let at = payload.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    let digits = payload[at..].split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn stats(seen: &mut Seen) -> Vec<u8> {
    seen.arrived.latencies = Latencies::of(&mut seen.nanos);
    seen.arrived.cpu = cpu_of(std::process::id());
    serde_json::to_vec(&seen.arrived).unwrap_or_default()
}
