//! Answers of an earlier version about what it stored, and a router that is held against them.
//!
//! `README.md` says what the fixtures are. The test of each engine includes this file and opens the fixture its own way.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request, header};
use http_body_util::BodyExt as _;
use loanhook_core::ports::{
    Attempts, Deliveries, DeliveryList, EgressAddresses, FlowControl, FormulaErrorLog, Grants, Health,
    Intake, Jobs, Keys, Ledger, Payloads, Reports, Resends, Subscriptions,
};
use loanhook_http::web::SiteSettings;
use loanhook_http::{api, page};
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// A host of this machine alone, as it was when the cookies were given: elsewhere they have other names.
const HOST: &str = "127.0.0.1";

/// A file of the fixtures.
pub(crate) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|root| root.join("tests/stored").join(path))
        .find(|file| file.exists())
        .expect(path)
}

/// The whole HTTP interface on an engine.
pub(crate) fn router<S>(engine: S) -> Router
where
    S: api::SharedStore
        + Attempts
        + Deliveries
        + DeliveryList
        + EgressAddresses
        + FlowControl
        + FormulaErrorLog
        + Grants
        + Health
        + Intake
        + Jobs
        + Keys
        + Ledger
        + Payloads
        + Reports
        + Resends
        + Subscriptions,
{
    let parts = api::events(engine.clone())
        .merge(api::history(engine.clone()))
        .merge(api::portal(engine.clone(), SiteSettings::default()))
        .merge(api::subscriptions(engine.clone()))
        .merge(page::router(engine, SiteSettings::default()));
    api::with_middleware(parts)
}

/// The answers of one engine.
pub(crate) struct Answers(Value);

impl Answers {
    pub(crate) fn read(engine: &str) -> Self {
        let text = std::fs::read_to_string(fixture(&format!("{engine}/answers.json"))).expect(engine);
        Self(serde_json::from_str(&text).expect("JSON"))
    }

    /// A key in clear, by its name.
    pub(crate) fn key(&self, name: &str) -> Option<&str> {
        self.0["keys"][name].as_str()
    }

    /// What a router answers otherwise: one sentence each. What a later version adds to an object is not looked at.
    pub(crate) async fn differences(&self, router: &Router) -> Vec<String> {
        let mut differences = Vec::new();
        for told in self.each("answers") {
            let path = text(&told["path"]);
            let key = told["key"].as_str();
            let answer = ask(router, self.request(Method::GET, path, key), String::new()).await;
            let body = if told["body"]["base64"].is_string() { answer.download() } else { answer.json() };
            differences.extend(otherwise(path, key, told, "body", answer.status, &body));
        }
        for told in self.each("idempotency") {
            let path = text(&told["endpoint"]);
            let key = told["key"].as_str();
            let mut request = self.request(Method::POST, path, key);
            if let Some(idempotency_key) = told["idempotencyKey"].as_str() {
                request = request.header("idempotency-key", idempotency_key);
            }
            let body = told["body"].as_str().unwrap_or_default();
            if !body.is_empty() {
                request = request.header(header::CONTENT_TYPE, "application/json");
            }
            let answer = ask(router, request, body.to_owned()).await;
            differences.extend(otherwise(path, key, told, "answer", answer.status, &answer.json()));
        }
        for told in self.each("pages") {
            let path = text(&told["path"]);
            let mut request = self.request(Method::GET, path, None).header(header::ACCEPT, "text/html");
            let cookie = told["cookie"].as_str();
            if let Some(name) = cookie {
                request = request.header(header::COOKIE, text(&self.0[name]));
            }
            let answer = ask(router, request, String::new()).await;
            if told["status"] != answer.status {
                differences.push(format!(
                    "{path} with {cookie:?} answered {}, not {}",
                    answer.status, told["status"]
                ));
            }
        }
        differences
    }

    fn each(&self, list: &str) -> &[Value] {
        let list = self.0[list].as_array().expect(list);
        assert!(!list.is_empty());
        list
    }

    fn request(&self, method: Method, path: &str, key: Option<&str>) -> http::request::Builder {
        let request = Request::builder().method(method).uri(path).header(header::HOST, HOST);
        match key {
            Some(name) => {
                let key = self.key(name).unwrap_or_else(|| panic!("there is no key {name}"));
                request.header(header::AUTHORIZATION, format!("Bearer {key}"))
            }
            None => request,
        }
    }
}

struct Answer {
    status: u16,
    content_type: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    fn download(&self) -> Value {
        json!({"base64": STANDARD.encode(&self.body), "contentType": self.content_type})
    }
}

async fn ask(router: &Router, request: http::request::Builder, body: String) -> Answer {
    let request = request.body(Body::from(body)).expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    let status = response.status().as_u16();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.map(|value| value.to_str().expect("text").to_owned());
    let body = response.into_body().collect().await.expect("a body").to_bytes().to_vec();
    Answer { status, content_type, body }
}

/// What is otherwise, if anything is.
fn otherwise(
    path: &str,
    key: Option<&str>,
    told: &Value,
    field: &str,
    status: u16,
    body: &Value,
) -> Option<String> {
    let same = told["status"] == status && holds(&told[field], body);
    (!same).then(|| {
        let (was, then) = (&told["status"], &told[field]);
        format!("{path} with {key:?} answered {status} {body}\n  and was {was} {then}")
    })
}

/// Whether all of an answer is in another.
fn holds(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            old.iter().all(|(name, value)| new.get(name).is_some_and(|new| holds(value, new)))
        }
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| holds(old, new))
        }
        (old, new) => old == new,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
