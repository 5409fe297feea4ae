//! The driver: a process with one thread that posts events over kept connections, at a given rate or as fast as they are
//! answered.

use std::cell::Cell;
use std::io::Write as _;
use std::rc::Rc;
use std::time::Duration;

use bench_measure::{Latencies, processor_ticks_ms};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, spawn_local};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout_at};

use crate::server::KEY;
use crate::{Outcome, now_nanoseconds};

/// Stands for the context of the event in [`Plan::foreign_body`].
pub(crate) const PAYLOAD: &str = "PAYLOAD";
/// Events are of so many loans, 0 and up, in turn.
pub(crate) const LOANS: u64 = 1000;
/// A poster that was answered 503 posts its next event after this.
const REFUSED_PAUSE: Duration = Duration::from_millis(5);

/// What the driver does.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub(crate) struct Plan {
    pub address: String,
    pub path: String,
    pub key: String,
    /// Taken in turn.
    pub event_names: Vec<String>,
    /// How many connections post at once.
    pub posters: usize,
    /// Events a second; without a rate, as fast as they are answered.
    pub rate: Option<u32>,
    /// Ends after so many events,
    pub events: u64,
    /// or after so many seconds.
    pub seconds: f64,
    pub loans: u64,
    /// How many bytes an event has, about.
    pub bytes: usize,
    /// What is posted to a server that is no loanhook, with [`PAYLOAD`] where the context of the event belongs.
    pub foreign_body: Option<String>,
}

/// What the driver did.
#[derive(Serialize, Deserialize, Clone, Copy, Default, Debug)]
pub(crate) struct Posted {
    /// Answered with 2xx.
    pub accepted: u64,
    pub refused: u64,
    pub seconds: f64,
    /// When the first POST began, nanoseconds since 1970.
    pub began: u64,
    /// From the start of a POST to its answer, in milliseconds.
    pub latencies: Latencies,
    /// Processor time of this process, in milliseconds.
    pub cpu: f64,
}

impl Plan {
    /// One that posts events to a server from 64 connections as fast as they are answered, and has no end.
    pub(crate) fn new(address: &str, event_name: &str) -> Self {
        Self {
            address: address.to_owned(),
            path: "/v1/events".into(),
            key: KEY.into(),
            event_names: vec![event_name.to_owned()],
            posters: 64,
            rate: None,
            events: u64::MAX,
            seconds: 3600.0,
            loans: LOANS,
            bytes: 1024,
            foreign_body: None,
        }
    }
}

struct Load {
    plan: Plan,
    next: Cell<u64>,
    accepted: Cell<u64>,
    refused: Cell<u64>,
    nanos: std::cell::RefCell<Vec<u64>>,
    until: Instant,
}

/// Carries out the plan, and prints what was done as JSON.
pub(crate) async fn run(plan: &str) -> Outcome {
    let plan: Plan = serde_json::from_str(plan)?;
    let mut connections = Vec::new();
    for _ in 0..plan.posters {
        connections.push(connect(&plan.address).await?);
    }
    let (began, start) = (now_nanoseconds(), Instant::now());
    let load = Rc::new(Load {
        next: Cell::new(0),
        accepted: Cell::new(0),
        refused: Cell::new(0),
        nanos: Vec::new().into(),
        until: start + Duration::from_secs_f64(plan.seconds),
        plan,
    });
    let mut posters = JoinSet::new();
    for (place, connection) in connections.into_iter().enumerate() {
        posters.spawn_local(post_all(Rc::clone(&load), connection, place));
    }
    while let Some(ended) = posters.join_next().await {
        ended??;
    }
    let posted = Posted {
        accepted: load.accepted.get(),
        refused: load.refused.get(),
        seconds: start.elapsed().as_secs_f64(),
        began,
        latencies: Latencies::of(&mut load.nanos.borrow_mut()),
        cpu: processor_ticks_ms(std::process::id()),
    };
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&posted)?)?;
    Ok(())
}

async fn connect(address: &str) -> Outcome<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    spawn_local(connection);
    Ok(sender)
}

/// One poster. Where a rate is set, it posts its share of it, at moments between those of the others.
async fn post_all(load: Rc<Load>, mut connection: SendRequest<Full<Bytes>>, place: usize) -> Outcome {
    let mut pace = load.plan.rate.map(|rate| {
        let period = Duration::from_secs_f64(load.plan.posters as f64 / f64::from(rate));
        let offset = period.mul_f64(place as f64 / load.plan.posters as f64);
        let mut pace = interval_at(Instant::now() + offset, period);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        pace
    });
    loop {
        if let Some(pace) = &mut pace
            && timeout_at(load.until, pace.tick()).await.is_err()
        {
            return Ok(());
        }
        let number = load.next.get();
        if number >= load.plan.events || Instant::now() >= load.until {
            return Ok(());
        }
        load.next.set(number + 1);
        let began = now_nanoseconds();
        connection.ready().await?;
        let response = connection.send_request(request(&load.plan, number, began)?).await?;
        let status = response.status();
        response.into_body().collect().await?;
        load.nanos.borrow_mut().push(now_nanoseconds().saturating_sub(began));
        let counter = if status.is_success() { &load.accepted } else { &load.refused };
        counter.set(counter.get() + 1);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            tokio::time::sleep(REFUSED_PAUSE).await;
        }
    }
}

fn request(plan: &Plan, number: u64, began: u64) -> Outcome<Request<Full<Bytes>>> {
    let loan = number % plan.loans;
    let event_name = &plan.event_names[(number % plan.event_names.len() as u64) as usize];
    let event = format!(r#"{{"eventName":"{event_name}","loanId":"{loan}","context":"#);
    let (before, after) = match &plan.foreign_body {
        Some(body) => body.split_once(PAYLOAD).unwrap_or((body, "")),
        None => (event.as_str(), "}"),
    };
    let start = format!(r#"{before}{{"number":{number},"sent-at":{began},"note":""#);
    let filler = plan.bytes.saturating_sub(start.len() + 2 + after.len());
    let body = format!("{start}{:x<filler$}\"}}{after}", "");
    let request = Request::post(&plan.path)
        .header(HOST, &plan.address)
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, format!("Bearer {}", plan.key));
    Ok(request.body(Full::new(body.into()))?)
}
