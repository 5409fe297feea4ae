//! A client of the HTTP interface on an engine, with an API key that has every scope.

use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use lambda_http::tower::ServiceExt as _;
use loanhook_aws::Aws;
use loanhook_contract::scene::START;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::key::{Key, Scope, SecretKey};
use loanhook_core::ports::{Keys as _, StoreResult};
use loanhook_http::api;
use serde_json::{Value, json};

/// The API key of every call.
const API_KEY: &str = "lh_contract_0123456789";

/// Requests go to the router of intake and history; after each, the engine's background calls are waited for.
pub(crate) struct HttpClient {
    router: Router,
    engine: Aws,
}

impl HttpClient {
    /// Adds the key to the tenant.
    pub(crate) async fn with_new_key(engine: &Aws, tenant: &TenantId) -> StoreResult<Self> {
        let key = Key::new(tenant.clone(), "Servicing".into(), Scope::ALL.to_vec(), START);
        engine.add_key(key, SecretKey::chosen(API_KEY).expect("a key").hash()).await?;
        Ok(Self::with_existing_key(engine))
    }

    /// On another engine of the same stack, where the key was added before.
    pub(crate) fn with_existing_key(engine: &Aws) -> Self {
        let routes = api::events(engine.clone()).merge(api::history(engine.clone()));
        let routes = routes.merge(api::jobs(engine.clone())).merge(api::operation(engine.clone()));
        Self { router: api::with_middleware(routes), engine: engine.clone() }
    }

    /// Posts an event of loan 727 whose payload is about 1 KiB; an empty key is none.
    pub(crate) async fn post_event(&self, idempotency_key: &str) -> (u16, Value) {
        self.post_event_of_size("727", idempotency_key, 950).await
    }

    /// Posts an event of a loan, without a key.
    pub(crate) async fn post_event_of_loan(&self, loan: &str) -> (u16, Value) {
        self.post_event_of_size(loan, "", 950).await
    }

    /// Posts an event of loan 727 whose payload is about 8 KiB: more than is packed for the table.
    pub(crate) async fn post_large_event(&self) -> (u16, Value) {
        self.post_event_of_size("727", "", 8000).await
    }

    async fn post_event_of_size(&self, loan: &str, idempotency_key: &str, bytes: usize) -> (u16, Value) {
        let context = json!({ "loan-display-id": loan, "note": "x".repeat(bytes) });
        let event = json!({ "eventName": "Payment Posted to Account", "loanId": loan, "context": context });
        let mut headers = vec![("content-type", "application/json")];
        if !idempotency_key.is_empty() {
            headers.push(("idempotency-key", idempotency_key));
        }
        self.call(Method::POST, "/v1/events", &headers, event.to_string()).await
    }

    pub(crate) async fn post(&self, path: &str) -> (u16, Value) {
        self.call(Method::POST, path, &[], String::new()).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &str) -> (u16, Value) {
        self.call(Method::POST, path, &[("content-type", "application/json")], body.to_owned()).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, &[], String::new()).await
    }

    /// The status and the JSON of the body; a body that is not JSON is its length in bytes.
    async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(path).header("host", "loanhook.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("authorization", format!("Bearer {API_KEY}"));
        let request = request.body(Body::from(body)).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("a response");
        let status = response.status().as_u16();
        self.engine.finish_background().await;
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(bytes.len())))
    }
}
