//! A thin client of the API: what was asked, what came back, and the few calls that every journey makes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::response::Answer;
use super::rows::text;
use super::server::Target;
use super::wait::{deadline, eventually_within, pause};

#[derive(Clone)]
pub(crate) struct Api {
    target: Arc<Target>,
    http: reqwest::Client,
    key: Option<String>,
}

impl Api {
    pub(crate) fn new(target: &Arc<Target>, key: Option<&str>) -> Self {
        let mut http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        if !target.is_external() {
            http = http.local_address(IpAddr::from(own_address()));
        }
        if let Some(host) = target.base().as_deref().and_then(local_host) {
            http = http.resolve(&host, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        }
        let http = http.build().expect("a client");
        Self { target: Arc::clone(target), http, key: key.map(str::to_owned) }
    }

    /// The same caller with another key, or with none.
    pub(crate) fn with_key(&self, key: Option<&str>) -> Self {
        Self { key: key.map(str::to_owned), ..self.clone() }
    }

    pub(crate) fn key(&self) -> &str {
        self.key.as_deref().expect("this caller has a key")
    }

    /// Any request. The path is sent as it is written.
    pub(crate) fn request(&self, method: &str, path: &str) -> Asked {
        let base = self.target.base().unwrap_or_else(|| "http://127.0.0.1:9".to_owned());
        let mut request = self.http.request(method.parse().expect("a method"), format!("{base}{path}"));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        Asked { request, is_external: self.target.is_external() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path).answer().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path).answer().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request("POST", path).json(body).answer().await
    }

    /// A POST that has nothing to say but its path, as a resend.
    pub(crate) async fn ask(&self, path: &str) -> Answer {
        self.request("POST", path).answer().await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.request("PUT", path).json(body).answer().await
    }

    /// Creates a subscription and returns it, secret included.
    pub(crate) async fn subscribe(&self, body: &Value) -> Value {
        self.post("/v1/subscriptions", body).await.is(201).json()
    }

    /// Posts an event and returns the trace IDs of its deliveries.
    pub(crate) async fn send(&self, event: &Value) -> Vec<String> {
        traces(&self.post("/v1/events", event).await.is(202).json())
    }

    /// Posts an event that must match one subscription.
    pub(crate) async fn send_one(&self, event: &Value) -> String {
        let mut traces = self.send(event).await;
        assert_eq!(traces.len(), 1, "the event was to match one subscription");
        traces.remove(0)
    }

    /// Posts events in one batch and returns their results. Those for which there was no room are posted again.
    pub(crate) async fn send_batch(&self, events: Vec<Value>) -> Vec<Value> {
        let start = Instant::now();
        let (mut accepted, mut left) = (Vec::new(), events);
        while !left.is_empty() {
            let answer = self.post("/v1/events/batch", &json!({"events": left})).await.is(200).json();
            let results = answer["results"].as_array().expect("a batch has results").iter().zip(left);
            let (done, busy): (Vec<_>, Vec<_>) = results.partition(|(result, _)| result["status"] != 503);
            accepted.extend(done.into_iter().map(|(result, _)| result.clone()));
            left = busy.into_iter().map(|(_, event)| event).collect();
            if !left.is_empty() {
                assert!(start.elapsed() < deadline(), "there is no room for {} events", left.len());
                pause(Duration::from_secs(1)).await;
            }
        }
        assert!(accepted.iter().all(|result| result["status"] == 202), "{accepted:#?}");
        accepted
    }

    pub(crate) async fn delivery(&self, trace: &str) -> Value {
        self.get(&format!("/v1/webhooks/{trace}")).await.is(200).json()
    }

    /// The delivery once its schedule has ended and no attempt is on its way.
    pub(crate) async fn settled(&self, trace: &str) -> Value {
        self.delivery_when(trace, |delivery| delivery["status"] != "pending" && at_rest(delivery)).await
    }

    /// The delivery once `attempts` of its rows stand complete, and no other is on its way.
    pub(crate) async fn after_attempts(&self, trace: &str, attempts: usize) -> Value {
        self.delivery_when(trace, |delivery| at_rest(delivery) && rows_of(delivery).len() == attempts).await
    }

    pub(crate) async fn delivery_when(&self, trace: &str, is: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = tokio::time::timeout(deadline(), async {
            eventually_within(2 * deadline(), "a delivery comes to the awaited state", async || {
                last = self.delivery(trace).await;
                is(&last).then(|| last.clone())
            })
            .await
        });
        match found.await {
            Ok(delivery) => delivery,
            Err(_) => panic!("the delivery never came to the awaited state: {last:#}"),
        }
    }

    /// The rows of a loan, newest first, of the first page.
    pub(crate) async fn rows(&self, loan: &str, query: &str) -> Vec<Value> {
        let page = self.get(&format!("/v1/loans/{loan}/webhooks{query}")).await.is(200).json();
        page["items"].as_array().unwrap_or_else(|| panic!("a page has items: {page}")).clone()
    }

    /// Asks for a resend and returns the ID of its attempt.
    pub(crate) async fn resend(&self, trace: &str) -> String {
        let answer = self.ask(&format!("/v1/webhooks/{trace}/resend")).await.is(202).json();
        assert_eq!(answer["traceId"], trace, "a resend keeps the trace ID");
        text(&answer["id"]).to_owned()
    }

    /// A key of this caller's tenant with these scopes, and a caller that uses it.
    pub(crate) async fn colleague(&self, name: &str, scopes: &[&str]) -> Self {
        let made = self.post("/v1/keys", &json!({"name": name, "scopes": scopes})).await.is(201).json();
        self.with_key(Some(text(&made["key"])))
    }
}

/// An address of this machine that no other caller has: what one does wrong counts against no other.
fn own_address() -> Ipv4Addr {
    static CALLERS: AtomicU32 = AtomicU32::new(1);
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() + CALLERS.fetch_add(1, Ordering::Relaxed))
}

/// The name of a local gateway's API: not every resolver knows that `*.localhost` is this machine.
fn local_host(base: &str) -> Option<String> {
    let host = url::Url::parse(base).ok()?.host_str()?.to_owned();
    host.ends_with(".localhost").then_some(host)
}

/// The trace IDs of an intake's answer, in its order.
pub(crate) fn traces(accepted: &Value) -> Vec<String> {
    let deliveries =
        accepted["deliveries"].as_array().unwrap_or_else(|| panic!("a 202 lists deliveries: {accepted}"));
    deliveries.iter().map(|delivery| text(&delivery["traceId"]).to_owned()).collect()
}

pub(crate) fn rows_of(delivery: &Value) -> &Vec<Value> {
    delivery["attempts"].as_array().unwrap_or_else(|| panic!("a delivery lists its attempts: {delivery}"))
}

fn at_rest(delivery: &Value) -> bool {
    rows_of(delivery).iter().all(|row| row["outcome"] == "succeeded" || row["outcome"] == "failed")
}

pub(crate) struct Asked {
    request: reqwest::RequestBuilder,
    /// Elsewhere all callers have one address, and share what is allowed to it.
    is_external: bool,
}

impl Asked {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// Bytes as they are, said to be JSON.
    pub(crate) fn body(self, body: impl Into<reqwest::Body>) -> Self {
        self.header("content-type", "application/json").bytes(body)
    }

    /// Bytes of which nothing is said.
    pub(crate) fn bytes(self, body: impl Into<reqwest::Body>) -> Self {
        Self { request: self.request.body(body), ..self }
    }

    /// The answer. One that asks to come again later, or that a gateway gives in the place of a function that is busy, is
    /// waited for, as any caller would.
    pub(crate) async fn answer(self) -> Answer {
        let start = Instant::now();
        let is_external = self.is_external;
        let mut asked = self;
        for tries in 0_u32.. {
            let again = asked.request.try_clone();
            let answer = asked.attempt().await;
            let answer = answer.unwrap_or_else(|lost| panic!("the API gave no answer: {lost:?}"));
            match again {
                Some(request) if answer.asks_to_come_again(is_external) && start.elapsed() < deadline() => {
                    pause(answer.comes_again_after(tries)).await;
                    asked = Self { request, is_external };
                }
                _ => return answer,
            }
        }
        unreachable!("it is asked until the deadline")
    }

    /// The answer, or none where the server died before it gave one.
    pub(crate) async fn attempt(self) -> reqwest::Result<Answer> {
        let response = self.request.send().await?;
        let asked = response.url().to_string();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { asked, status, headers, body: response.bytes().await?.to_vec() })
    }
}
