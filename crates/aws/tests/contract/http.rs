//! The HTTP face on the engine, as the functions serve it, with a key that may do everything.

use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use lambda_http::tower::ServiceExt as _;
use loanhook_aws::Aws;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::key::{Key, Scope, SecretKey};
use loanhook_core::ports::{Keys as _, StoreResult};
use loanhook_http::api;
use serde_json::{Value, json};

use loanhook_contract::scene::START;

/// The key that every call shows.
const KEY: &str = "lh_contract_0123456789";

pub(crate) struct Http {
    router: Router,
    engine: Aws,
}

impl Http {
    pub(crate) async fn new(engine: &Aws, tenant: &TenantId) -> StoreResult<Self> {
        let key = Key::new(tenant.clone(), "Servicing".into(), Scope::ALL.to_vec(), START);
        engine.add_key(key, SecretKey::chosen(KEY).expect("a key").hash()).await?;
        Ok(Self::again(engine))
    }

    /// On another engine, where the key is there already.
    pub(crate) fn again(engine: &Aws) -> Self {
        let parts = api::events(engine.clone()).merge(api::history(engine.clone()));
        Self { router: api::with_middleware(parts), engine: engine.clone() }
    }

    /// Posts an event of loan 727 whose payload is about 1 KiB.
    pub(crate) async fn post_event(&self, key: &str) -> (u16, Value) {
        self.post_event_of(key, 950).await
    }

    /// The same, of a few KiB.
    pub(crate) async fn post_large_event(&self) -> (u16, Value) {
        self.post_event_of("", 4000).await
    }

    async fn post_event_of(&self, key: &str, bytes: usize) -> (u16, Value) {
        let context = json!({ "loan-display-id": "727", "note": "x".repeat(bytes) });
        let event = json!({ "eventName": "Payment Posted to Account", "loanId": "727", "context": context });
        let mut headers = vec![("content-type", "application/json")];
        if !key.is_empty() {
            headers.push(("idempotency-key", key));
        }
        self.call(Method::POST, "/v1/events", &headers, event.to_string()).await
    }

    pub(crate) async fn post(&self, path: &str) -> (u16, Value) {
        self.call(Method::POST, path, &[], String::new()).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, &[], String::new()).await
    }

    /// What is not JSON is its length.
    async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(path).header("host", "loanhook.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("authorization", format!("Bearer {KEY}"));
        let request = request.body(Body::from(body)).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let status = response.status().as_u16();
        self.engine.finish().await;
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(bytes.len())))
    }
}
