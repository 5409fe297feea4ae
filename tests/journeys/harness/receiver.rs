//! A receiver of webhooks that records each request byte for byte and replies as the test tells it.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use http::{HeaderMap, HeaderName};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::locked;
use super::receiver_connection;
use super::reply::Reply;
use super::wait::within;

/// One request as it came. Header names are in lower case, in the order in which they were sent.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path_and_query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) at: SystemTime,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn required_header(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("each request carries {name}: {self:?}"))
    }

    /// Whether an implementation of Standard Webhooks that is not ours accepts the request under this secret.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().expect("a header name");
            headers.append(name, value.parse().expect("a header value"));
        }
        Webhook::new(secret).expect("a secret in the standard's form").verify(&self.body, &headers).is_ok()
    }

    pub(crate) fn trace_id(&self) -> &str {
        self.required_header("webhook-id")
    }

    pub(crate) fn attempt_id(&self) -> &str {
        self.required_header("loanhook-attempt-id")
    }

    /// `1`, `2`, … or `manual`.
    pub(crate) fn attempt_number(&self) -> &str {
        self.required_header("loanhook-attempt")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// What is the same in every attempt of a delivery: method, URL, headers in their order, and body.
    pub(crate) fn frozen_parts(&self) -> (&str, &str, Vec<&(String, String)>, &[u8]) {
        const MAY_DIFFER: [&str; 5] = [
            "webhook-timestamp",
            "webhook-signature",
            "loanhook-attempt-id",
            "loanhook-attempt",
            "user-agent",
        ];
        let headers = self.headers.iter().filter(|(name, _)| !MAY_DIFFER.contains(&name.as_str())).collect();
        (&self.method, &self.path_and_query, headers, &self.body)
    }
}

type Decide = dyn Fn(&Received) -> Reply + Send + Sync;

#[derive(Default)]
struct Script {
    once: HashMap<String, VecDeque<Reply>>,
    always: HashMap<String, Reply>,
}

pub(crate) struct Receiver {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    seen: Arc<Mutex<Vec<Received>>>,
    arrivals: tokio::sync::Mutex<mpsc::UnboundedReceiver<Received>>,
}

impl Receiver {
    /// Replies to each path from its script, and with 200 where there is none.
    pub(crate) async fn start() -> Self {
        let script: Arc<Mutex<Script>> = Arc::default();
        let same_script = Arc::clone(&script);
        Self::listen(script, move |request| locked(&same_script).next(request)).await
    }

    /// Replies to each request as `decide` says.
    pub(crate) async fn replying_by(decide: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(Arc::default(), decide).await
    }

    async fn listen(
        script: Arc<Mutex<Script>>,
        decide: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let interface = if external_receiver_host().is_some() { "0.0.0.0:0" } else { "127.0.0.1:0" };
        let listener = TcpListener::bind(interface).await.expect("a port for the receiver");
        let address = listener.local_addr().expect("a bound port has an address");
        let seen: Arc<Mutex<Vec<Received>>> = Arc::default();
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let log = Arc::clone(&seen);
        let decide: Arc<Decide> = Arc::new(decide);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (arrived, log, decide) = (arrived.clone(), Arc::clone(&log), Arc::clone(&decide));
                tokio::spawn(receiver_connection::serve_connection(socket, move |request| {
                    let reply = decide(&request);
                    locked(&log).push(request.clone());
                    let _ = arrived.send(request);
                    reply
                }));
            }
        });
        Self { address, script, seen, arrivals: tokio::sync::Mutex::new(arrivals) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority())
    }

    /// Host and port, as senders name them.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", external_receiver_host().as_deref().unwrap_or("127.0.0.1"), self.port())
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The replies to the next requests for `path`, in order.
    pub(crate) fn replies(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        locked(&self.script).once.entry(path.to_owned()).or_default().extend(replies);
    }

    /// The reply to every request for `path` for which no other was given.
    pub(crate) fn always(&self, path: &str, reply: Reply) {
        locked(&self.script).always.insert(path.to_owned(), reply);
    }

    /// The next request, in order of arrival; each is handed out once.
    pub(crate) async fn next_request(&self) -> Received {
        within("a request at the receiver", async { self.arrivals.lock().await.recv().await })
            .await
            .expect("the receiver listens as long as it lives")
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Received> {
        locked(&self.seen).clone()
    }

    /// Every request so far of one delivery.
    pub(crate) fn requests_of(&self, trace: &str) -> Vec<Received> {
        self.requests().into_iter().filter(|request| request.header("webhook-id") == Some(trace)).collect()
    }
}

/// The name of this machine for senders that run elsewhere, such as in a container; it must be in a network that they may
/// send to.
pub(super) fn external_receiver_host() -> Option<String> {
    std::env::var("LOANHOOK_TEST_RECEIVER").ok()
}

impl Script {
    fn next(&mut self, request: &Received) -> Reply {
        let path = request.path_and_query.split('?').next().unwrap_or_default();
        let once = self.once.get_mut(path).and_then(VecDeque::pop_front);
        once.or_else(|| self.always.get(path).cloned()).unwrap_or_else(Reply::ok)
    }
}
