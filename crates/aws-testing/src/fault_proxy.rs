//! A proxy between the engine and AWS, that lets calls fail as they fail in earnest.
//!
//! It knows nothing of the engine: it sees calls ([`Call`]), keeps them in their order, and does to some of
//! them what a case asked for. A call that is held tells the case that it has come, so that the case can end
//! its caller exactly there: what was called before has happened, and this call never does.

use std::convert::Infallible;
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

pub(crate) use super::call::Call;

/// What becomes of a call.
#[derive(Clone)]
pub(crate) enum Fault {
    /// AWS answers with an error.
    Error(u16, &'static str),
    /// AWS answers with what this makes of the call's body, and does nothing.
    Answer(fn(&Value) -> Value),
    /// It never reaches AWS.
    Drop,
    /// AWS does it, and the answer is lost on its way back.
    LoseAnswer,
    /// It waits for ever, and never reaches AWS.
    Hold(Arc<Semaphore>),
}

pub(crate) const THROTTLED: Fault = Fault::Error(400, "ThrottlingException");
pub(crate) const SLOW_DOWN: Fault = Fault::Error(503, "SlowDown");
pub(crate) const CONFLICT: Fault = Fault::Error(400, "TransactionConflictException");
pub(crate) const BROKEN: Fault = Fault::Error(500, "InternalServerError");

struct Rule {
    name: String,
    /// What must stand in its body.
    about: String,
    /// How many such calls pass before the first that it strikes.
    pass: usize,
    /// How many it strikes.
    strike: usize,
    fault: Fault,
}

/// A call that is held.
pub(crate) struct Held(Arc<Semaphore>);

impl Held {
    /// Waits until the call has come.
    pub(crate) async fn arrived(&self) {
        self.0.acquire().await.expect("open").forget();
    }
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    calls: Vec<Call>,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) endpoint: String,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// One that passes on to `behind` what no rule strikes.
    pub(crate) async fn before(behind: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let proxy = Self { endpoint, state: Arc::default() };
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let (serving, behind) = (proxy.clone(), behind.trim_end_matches('/').to_owned());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, client, behind) = (serving.clone(), client.clone(), behind.clone());
                let service = service_fn(move |request| {
                    let (serving, client, behind) = (serving.clone(), client.clone(), behind.clone());
                    async move { serving.serve(&client, &behind, request).await }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        proxy
    }

    /// Lets the `nth` call from now that is named so fail, and no other.
    pub(crate) fn on(&self, name: &str, nth: usize, fault: Fault) {
        self.rule(name, "", nth, 1, fault);
    }

    /// Lets the `nth` call that is named so fail, and every one after it.
    pub(crate) fn from(&self, name: &str, nth: usize, fault: Fault) {
        self.rule(name, "", nth, usize::MAX, fault);
    }

    /// Lets every call fail that is named so and has this in its body.
    pub(crate) fn on_all_about(&self, name: &str, about: &str, fault: Fault) {
        self.rule(name, about, 1, usize::MAX, fault);
    }

    /// Holds the `nth` call from now that is named so.
    pub(crate) fn hold(&self, name: &str, nth: usize) -> Held {
        let came = Arc::new(Semaphore::new(0));
        self.on(name, nth, Fault::Hold(Arc::clone(&came)));
        Held(came)
    }

    fn rule(&self, name: &str, about: &str, nth: usize, strike: usize, fault: Fault) {
        let (name, about) = (name.into(), about.into());
        self.state().rules.push(Rule { name, about, pass: nth - 1, strike, fault });
    }

    /// From now on all goes well.
    pub(crate) fn mend(&self) {
        self.state().rules.clear();
    }

    /// The calls since this was asked last.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    /// Their names.
    pub(crate) fn take_names(&self) -> Vec<String> {
        self.take_calls().into_iter().map(|call| call.name).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call, and says what becomes of it.
    fn note(&self, call: &Call) -> Option<Fault> {
        let state = &mut *self.state();
        state.calls.push(call.clone());
        let strikes = |rule: &&mut Rule| {
            rule.name == call.name && rule.strike > 0 && call.body.to_string().contains(&rule.about)
        };
        let rule = state.rules.iter_mut().find(strikes)?;
        if rule.pass > 0 {
            rule.pass -= 1;
            return None;
        }
        rule.strike -= 1;
        Some(rule.fault.clone())
    }

    async fn serve(
        &self,
        client: &reqwest::Client,
        behind: &str,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Lost> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Lost)?.to_bytes();
        let call = Call::read(&head, &body);
        let fault = self.note(&call);
        match &fault {
            Some(Fault::Error(status, code)) => return Ok(error(&call, *status, code)),
            Some(Fault::Answer(answer)) => {
                return Ok(Response::new(Full::from(answer(&call.body).to_string())));
            }
            Some(Fault::Drop) => return Err(Lost),
            Some(Fault::Hold(came)) => {
                came.add_permits(1);
                std::future::pending::<Infallible>().await;
            }
            Some(Fault::LoseAnswer) | None => {}
        }
        let mut headers = head.headers;
        // Those of this connection, not of the next.
        for name in [http::header::HOST, http::header::CONNECTION, http::header::TRANSFER_ENCODING] {
            headers.remove(name);
        }
        let passed = client.request(head.method, format!("{behind}{}", head.uri)).headers(headers).body(body);
        let answer = passed.send().await.expect("AWS answers");
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.expect("AWS answers to the end");
        if matches!(fault, Some(Fault::LoseAnswer)) {
            return Err(Lost);
        }
        headers.remove(http::header::TRANSFER_ENCODING);
        let mut response = Response::new(Full::new(body));
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        Ok(response)
    }
}

/// The connection ends, without an answer.
#[derive(Debug)]
struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lost")
    }
}

impl std::error::Error for Lost {}

/// An error as AWS words it: S3 in XML, the others in JSON.
fn error(call: &Call, status: u16, code: &str) -> Response<Full<Bytes>> {
    let body = if call.is_of_s3() {
        format!("<Error><Code>{code}</Code><Message>the case says so</Message></Error>")
    } else {
        json!({ "__type": format!("com.amazonaws#{code}"), "message": "the case says so" }).to_string()
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}
