//! The receiver: a process with one thread that answers each request at once and measures how long its event took.
//!
//! Paths that begin with `/hook` are answered 200, `/fail` 500, `/hang` never. `/stats` says what arrived at `/hook…`
//! since the last `/reset`, `/count` how many, and `/times` when each did. It listens on ten hosts, 127.0.0.1 to 127.0.0.10, at one port.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::rc::Rc;

use bench_measure::{Latencies, processor_ticks_ms};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
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

const HOSTS: u8 = 10;
const LOAN_HEADER: &str = "loanhook-loan";
const SEQUENCE_HEADER: &str = "loanhook-sequence";

/// What arrived.
#[derive(Serialize, Deserialize, Clone, Copy, Default, Debug)]
pub(crate) struct Arrived {
    pub count: u64,
    /// Of the first and of the last, nanoseconds since 1970.
    pub first: u64,
    pub last: u64,
    /// From the start of the POST, in milliseconds.
    pub latencies: Latencies,
    /// Connections that were opened, without those that asked for these figures.
    pub connections: u64,
    /// Those with a number in the order of their loan that was not the next one.
    pub out_of_order: u64,
    /// Processor time of this process, in milliseconds.
    pub cpu: f64,
}

#[derive(Default)]
struct Seen {
    arrived: Arrived,
    nanos: Vec<u64>,
    /// When each arrived, nanoseconds since 1970.
    times: Vec<u64>,
    /// The number in its order that came last of each loan.
    sequences: HashMap<String, u64>,
}

/// Serves until it is killed; prints its address first.
pub(crate) async fn run() -> std::io::Result<()> {
    let first = TcpListener::bind("127.0.0.1:0").await?;
    let address = first.local_addr()?;
    let seen = Rc::new(RefCell::new(Seen::default()));
    for host in 2..=HOSTS {
        let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, host), address.port())).await?;
        tokio::task::spawn_local(serve(listener, Rc::clone(&seen)));
    }
    writeln!(std::io::stdout(), "{address}")?;
    serve(first, seen).await
}

async fn serve(listener: TcpListener, seen: Rc<RefCell<Seen>>) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        seen.borrow_mut().arrived.connections += 1;
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
        "/count" | "/stats" | "/times" | "/reset" => body = say(&path, &mut seen.borrow_mut()).into(),
        "/hang" => std::future::pending().await,
        _ => {
            let (head, body) = request.into_parts();
            match body.collect().await.map(|body| body.to_bytes()) {
                Ok(payload) if path.starts_with("/hook") => {
                    let seen = &mut *seen.borrow_mut();
                    record(seen, &payload);
                    record_order(seen, &head.headers);
                }
                _ => status = StatusCode::INTERNAL_SERVER_ERROR,
            }
        }
    }
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    Ok(response)
}

/// An answer about what was seen. Its connection, which has this one request, is not counted.
fn say(path: &str, seen: &mut Seen) -> Vec<u8> {
    seen.arrived.connections = seen.arrived.connections.saturating_sub(1);
    match path {
        "/count" => seen.arrived.count.to_string().into(),
        "/stats" => stats(seen),
        "/times" => serde_json::to_vec(&seen.times).unwrap_or_default(),
        _ => {
            *seen = Seen::default();
            Vec::new()
        }
    }
}

fn record(seen: &mut Seen, payload: &[u8]) {
    let at = now_nanoseconds();
    if seen.arrived.count == 0 {
        seen.arrived.first = at;
    }
    seen.arrived.count += 1;
    seen.arrived.last = at;
    seen.times.push(at);
    if let Some(sent) = sent_at(payload) {
        seen.nanos.push(at.saturating_sub(sent));
    }
}

/// Counts a request that is not the next of its loan; those without a number are in no order.
fn record_order(seen: &mut Seen, headers: &HeaderMap) {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let (Some(loan), Some(number)) = (text(LOAN_HEADER), text(SEQUENCE_HEADER)) else { return };
    let number = number.parse().unwrap_or_default();
    let last = seen.sequences.entry(loan.to_owned()).or_default();
    seen.arrived.out_of_order += u64::from(number != *last + 1);
    *last = number;
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
