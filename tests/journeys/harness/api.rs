//! A caller of the API: an HTTP client with a key (or none) and an address of its own, and the calls that most
//! journeys make.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::json_values::{attempts_of, text, trace_ids};
use super::request::ApiRequest;
use super::response::ApiResponse;
use super::server::Server;
use super::wait::{deadline, eventually_within, pause};

#[derive(Clone)]
pub(crate) struct Api {
    server: Arc<Server>,
    http: reqwest::Client,
    key: Option<String>,
}

impl Api {
    pub(crate) fn new(server: &Arc<Server>, key: Option<&str>) -> Self {
        let mut http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        if !server.is_external() {
            http = http.local_address(IpAddr::from(own_address()));
        }
        if let Some(host) = server.base_url().as_deref().and_then(local_host) {
            http = http.resolve(&host, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        }
        let http = http.build().expect("a client");
        Self { server: Arc::clone(server), http, key: key.map(str::to_owned) }
    }

    /// The same caller with another key, or with none.
    pub(crate) fn with_key(&self, key: Option<&str>) -> Self {
        Self { key: key.map(str::to_owned), ..self.clone() }
    }

    pub(crate) fn key(&self) -> &str {
        self.key.as_deref().expect("this caller has a key")
    }

    /// Any request. The path is sent as it is written.
    pub(crate) fn request(&self, method: &str, path: &str) -> ApiRequest {
        let base = self.server.base_url().unwrap_or_else(|| "http://127.0.0.1:9".to_owned());
        let mut request = self.http.request(method.parse().expect("a method"), format!("{base}{path}"));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        ApiRequest::new(request, self.server.is_external())
    }

    pub(crate) async fn get(&self, path: &str) -> ApiResponse {
        self.request("GET", path).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> ApiResponse {
        self.request("DELETE", path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> ApiResponse {
        self.request("POST", path).json(body).send().await
    }

    /// A POST that says everything in its path, such as a resend.
    pub(crate) async fn post_without_body(&self, path: &str) -> ApiResponse {
        self.request("POST", path).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> ApiResponse {
        self.request("PUT", path).json(body).send().await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> ApiResponse {
        let request = self.request("PATCH", path).header("content-type", "application/merge-patch+json");
        request.bytes(body.to_string()).send().await
    }

    /// Creates a subscription, and returns the answer, which shows the signing secret.
    pub(crate) async fn subscribe(&self, body: &Value) -> Value {
        self.post("/v1/subscriptions", body).await.expect_status(201).json()
    }

    /// Posts an event and returns the trace IDs of its deliveries.
    pub(crate) async fn send_event(&self, event: &Value) -> Vec<String> {
        trace_ids(&self.post("/v1/events", event).await.expect_status(202).json())
    }

    /// Posts an event that must match exactly one subscription, and returns the trace ID of its delivery.
    pub(crate) async fn send_one(&self, event: &Value) -> String {
        let mut traces = self.send_event(event).await;
        assert_eq!(traces.len(), 1, "the event must match one subscription");
        traces.remove(0)
    }

    /// Posts events in one batch and returns their results. Those that were answered with 503 are posted again.
    pub(crate) async fn send_batch(&self, events: Vec<Value>) -> Vec<Value> {
        let start = Instant::now();
        let (mut accepted, mut left) = (Vec::new(), events);
        while !left.is_empty() {
            let answer =
                self.post("/v1/events/batch", &json!({"events": left})).await.expect_status(200).json();
            let results = answer["results"].as_array().expect("a batch has results").iter().zip(left);
            let (done, refused): (Vec<_>, Vec<_>) = results.partition(|(result, _)| result["status"] != 503);
            accepted.extend(done.into_iter().map(|(result, _)| result.clone()));
            left = refused.into_iter().map(|(_, event)| event).collect();
            if !left.is_empty() {
                assert!(start.elapsed() < deadline(), "{} events are still answered with 503", left.len());
                pause(Duration::from_secs(1)).await;
            }
        }
        assert!(accepted.iter().all(|result| result["status"] == 202), "{accepted:#?}");
        accepted
    }

    pub(crate) async fn delivery(&self, trace: &str) -> Value {
        self.get(&format!("/v1/webhooks/{trace}")).await.expect_status(200).json()
    }

    /// The delivery, once its automatic schedule has ended and no attempt is queued or sending.
    pub(crate) async fn ended_delivery(&self, trace: &str) -> Value {
        self.delivery_when(trace, |delivery| delivery["status"] != "pending" && all_attempts_ended(delivery))
            .await
    }

    /// The delivery, once it has this many attempts and all of them have ended.
    pub(crate) async fn delivery_after_attempts(&self, trace: &str, attempts: usize) -> Value {
        self.delivery_when(trace, |delivery| {
            all_attempts_ended(delivery) && attempts_of(delivery).len() == attempts
        })
        .await
    }

    /// The delivery, once it is as awaited.
    pub(crate) async fn delivery_when(&self, trace: &str, is_awaited: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = tokio::time::timeout(deadline(), async {
            eventually_within(2 * deadline(), "a delivery comes to the awaited state", async || {
                last = self.delivery(trace).await;
                is_awaited(&last).then(|| last.clone())
            })
            .await
        });
        match found.await {
            Ok(delivery) => delivery,
            Err(_) => panic!("the delivery never came to the awaited state: {last:#}"),
        }
    }

    /// The rows of the first page of a loan's history, newest first.
    pub(crate) async fn rows(&self, loan: &str, query: &str) -> Vec<Value> {
        let page = self.get(&format!("/v1/loans/{loan}/webhooks{query}")).await.expect_status(200).json();
        page["items"].as_array().unwrap_or_else(|| panic!("a page has items: {page}")).clone()
    }

    /// Asks for a resend and returns the ID of its attempt.
    pub(crate) async fn resend(&self, trace: &str) -> String {
        let answer =
            self.post_without_body(&format!("/v1/webhooks/{trace}/resend")).await.expect_status(202).json();
        assert_eq!(answer["traceId"], trace, "a resend keeps the trace ID");
        text(&answer["id"]).to_owned()
    }

    /// The URL of a portal link to a loan's page with every scope of the page; `changes` replace its fields.
    pub(crate) async fn portal_link(&self, loan: &str, changes: Value) -> String {
        let mut body = json!({"loanId": loan, "scopes": ["history:read", "webhooks:resend"]});
        for (field, value) in changes.as_object().expect("changes are an object") {
            body[field] = value.clone();
        }
        let created = self.post("/v1/portal-links", &body).await.expect_status(201).json();
        text(&created["url"]).to_owned()
    }

    /// A caller with a new key of the same tenant, which has these scopes.
    pub(crate) async fn with_new_key(&self, name: &str, scopes: &[&str]) -> Self {
        let created =
            self.post("/v1/keys", &json!({"name": name, "scopes": scopes})).await.expect_status(201).json();
        self.with_key(Some(text(&created["key"])))
    }
}

/// A loopback address that no other caller has: wrong keys are counted by address.
fn own_address() -> Ipv4Addr {
    static CALLERS: AtomicU32 = AtomicU32::new(1);
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() + CALLERS.fetch_add(1, Ordering::Relaxed))
}

/// The host of an API of a local gateway: not every resolver knows that `*.localhost` is this machine.
fn local_host(base: &str) -> Option<String> {
    let host = url::Url::parse(base).ok()?.host_str()?.to_owned();
    host.ends_with(".localhost").then_some(host)
}

fn all_attempts_ended(delivery: &Value) -> bool {
    attempts_of(delivery).iter().all(|row| row["outcome"] == "succeeded" || row["outcome"] == "failed")
}
