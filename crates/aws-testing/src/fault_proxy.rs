//! A proxy between the engine and AWS that injects faults.
//!
//! It knows nothing of the engine: it records the calls ([`AwsCall`]) in their order, and does to some of them what a case
//! asked for. A call that is held tells the case when it has arrived, and the case can then end its caller exactly
//! there: every call before it has happened, and this one never does.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::AwsCall;
use crate::service::{Endpoints, Service};

/// What happens to a call.
#[derive(Clone)]
pub enum Fault {
    /// It fails with this status and error code, and never reaches AWS.
    Error(u16, &'static str),
    /// It gets the response that this makes of its body, and never reaches AWS.
    Respond(fn(&Value) -> Value),
    /// Its connection ends, and it never reaches AWS.
    Drop,
    /// AWS does it, and the connection ends before the response.
    LoseResponse,
    /// It waits until it may pass.
    Hold(HeldCall),
}

pub const THROTTLED: Fault = Fault::Error(400, "ThrottlingException");
pub const SLOW_DOWN: Fault = Fault::Error(503, "SlowDown");
pub const CONFLICT: Fault = Fault::Error(400, "TransactionConflictException");
pub const BROKEN: Fault = Fault::Error(500, "InternalServerError");

/// A fault, and the calls that get it.
struct Rule {
    call_name: String,
    /// Text that the call's body must contain.
    body_contains: String,
    /// How many such calls still pass.
    calls_to_pass: usize,
    /// How many calls after those still get the fault.
    calls_to_fault: usize,
    fault: Fault,
}

/// A call that is held.
#[derive(Clone)]
pub struct HeldCall {
    arrived: Arc<Semaphore>,
    may_pass: Arc<Semaphore>,
}

impl HeldCall {
    /// Waits until the call has arrived.
    pub async fn arrived(&self) {
        self.arrived.acquire().await.expect("open").forget();
    }

    /// Lets the call pass, now or when it arrives.
    pub fn pass(&self) {
        self.may_pass.add_permits(1);
    }

    async fn hold(&self) {
        self.arrived.add_permits(1);
        self.may_pass.acquire().await.expect("open").forget();
    }
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    calls: Vec<AwsCall>,
}

/// A running proxy. Clones share it.
#[derive(Clone)]
pub struct FaultProxy {
    /// Its own address, as a URL.
    pub endpoint: String,
    state: Arc<Mutex<State>>,
}

impl FaultProxy {
    /// Starts a proxy that passes each call on to the endpoint of its service.
    pub(crate) async fn start(endpoints: Endpoints) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let proxy = Self { endpoint, state: Arc::default() };
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let serving = proxy.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, client, endpoints) = (serving.clone(), client.clone(), endpoints.clone());
                let service = service_fn(move |request| {
                    let (serving, client, endpoints) = (serving.clone(), client.clone(), endpoints.clone());
                    async move { serving.serve(&client, &endpoints, request).await }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        proxy
    }

    /// Has the `nth` call of this name, counted from now, get the fault, and no other.
    pub fn fault_nth(&self, name: &str, nth: usize, fault: Fault) {
        self.add_rule(name, "", nth, 1, fault);
    }

    /// Has the `nth` call of this name, counted from now, and every one after it get the fault.
    pub fn fault_from(&self, name: &str, nth: usize, fault: Fault) {
        self.add_rule(name, "", nth, usize::MAX, fault);
    }

    /// Has every call of this name whose body contains this text get the fault.
    pub fn fault_containing(&self, name: &str, text: &str, fault: Fault) {
        self.add_rule(name, text, 1, usize::MAX, fault);
    }

    /// Holds the `nth` call of this name, counted from now, until it may pass.
    pub fn hold(&self, name: &str, nth: usize) -> HeldCall {
        let call = HeldCall { arrived: Arc::new(Semaphore::new(0)), may_pass: Arc::new(Semaphore::new(0)) };
        self.fault_nth(name, nth, Fault::Hold(call.clone()));
        call
    }

    fn add_rule(&self, name: &str, text: &str, nth: usize, calls_to_fault: usize, fault: Fault) {
        let (call_name, body_contains) = (name.into(), text.into());
        self.state().rules.push(Rule {
            call_name,
            body_contains,
            calls_to_pass: nth - 1,
            calls_to_fault,
            fault,
        });
    }

    /// No call gets a fault from now on.
    pub fn clear_faults(&self) {
        self.state().rules.clear();
    }

    /// The calls since they were taken last, but for reads of slow marks: whether there is one depends on how long ago the
    /// last one was.
    pub fn take_calls(&self) -> Vec<AwsCall> {
        let calls = std::mem::take(&mut self.state().calls);
        calls.into_iter().filter(|call| call.name != "Query H").collect()
    }

    /// The names of the calls since they were taken last.
    pub fn take_call_names(&self) -> Vec<String> {
        self.take_calls().into_iter().map(|call| call.name).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a call; gives the fault that it gets.
    fn record(&self, call: &AwsCall) -> Option<Fault> {
        let state = &mut *self.state();
        state.calls.push(call.clone());
        let matches = |rule: &&mut Rule| {
            rule.call_name == call.name
                && rule.calls_to_fault > 0
                && call.body.to_string().contains(&rule.body_contains)
        };
        let rule = state.rules.iter_mut().find(matches)?;
        if rule.calls_to_pass > 0 {
            rule.calls_to_pass -= 1;
            return None;
        }
        rule.calls_to_fault -= 1;
        Some(rule.fault.clone())
    }

    async fn serve(
        &self,
        client: &reqwest::Client,
        endpoints: &Endpoints,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, ConnectionEnded> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| ConnectionEnded)?.to_bytes();
        let call = AwsCall::read(&head, &body);
        let fault = self.record(&call);
        match &fault {
            Some(Fault::Error(status, code)) => return Ok(error(&call, *status, code)),
            Some(Fault::Respond(response)) => {
                return Ok(Response::new(Full::from(response(&call.body).to_string())));
            }
            Some(Fault::Drop) => return Err(ConnectionEnded),
            Some(Fault::Hold(held)) => held.hold().await,
            Some(Fault::LoseResponse) | None => {}
        }
        let mut headers = head.headers;
        // Those of this connection, not of the next.
        for name in [http::header::HOST, http::header::CONNECTION, http::header::TRANSFER_ENCODING] {
            headers.remove(name);
        }
        let url = format!("{}{}", endpoints.of(call.service), head.uri);
        let passed = client.request(head.method, url).headers(headers).body(body);
        let response = passed.send().await.expect("AWS responds");
        let (status, mut headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.expect("AWS responds to the end");
        if matches!(fault, Some(Fault::LoseResponse)) {
            return Err(ConnectionEnded);
        }
        headers.remove(http::header::TRANSFER_ENCODING);
        let mut response = Response::new(Full::new(body));
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        Ok(response)
    }
}

/// Ends the connection without a response.
#[derive(Debug)]
struct ConnectionEnded;

impl fmt::Display for ConnectionEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection ended")
    }
}

impl std::error::Error for ConnectionEnded {}

/// An error response as AWS words it: S3 in XML, the others in JSON.
fn error(call: &AwsCall, status: u16, code: &str) -> Response<Full<Bytes>> {
    let body = if call.service == Service::S3 {
        format!("<Error><Code>{code}</Code><Message>the case says so</Message></Error>")
    } else {
        json!({ "__type": format!("com.amazonaws#{code}"), "message": "the case says so" }).to_string()
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}
