//! One journey: a new tenant on a server, a caller that may do everything in it, and a receiver.

use std::sync::Arc;

use serde_json::{Value, json};

use super::api::Api;
use super::json_values::text;
use super::receiver::Receiver;
use super::request_bodies::subscription;
use super::server::Server;

pub(crate) const ALL_SCOPES: [&str; 6] =
    ["events:write", "history:read", "webhooks:resend", "subscriptions:write", "portal:write", "admin"];

pub(crate) struct Journey {
    pub(crate) server: Arc<Server>,
    /// A caller whose key has every scope of the journey's tenant, but not `operator`.
    pub(crate) api: Api,
    pub(crate) tenant: String,
    pub(crate) receiver: Receiver,
}

impl Journey {
    /// On the server that most journeys share.
    pub(crate) async fn start() -> Self {
        Self::on_server(Server::shared().await).await
    }

    /// On a process of its own; none where an external server is under test.
    pub(crate) async fn on_own_process() -> Option<Self> {
        Some(Self::on_server(Server::own_process().await?).await)
    }

    pub(crate) async fn on_server(server: Arc<Server>) -> Self {
        let (tenant, api) = new_tenant(&server).await;
        Self { server, api, tenant, receiver: Receiver::start().await }
    }

    /// Goes on at another server that has the same data.
    pub(crate) fn move_to(&mut self, server: Arc<Server>) {
        self.api = Api::new(&server, Some(self.api.key()));
        self.server = server;
    }

    /// A caller with the admin key of the server, which has every scope and `operator`.
    pub(crate) fn operator(&self) -> Api {
        self.api.with_key(Some(self.server.operator_key()))
    }

    /// A caller with every scope of another tenant on the same server.
    pub(crate) async fn other_tenant(&self) -> Api {
        new_tenant(&self.server).await.1
    }

    /// Creates a subscription to every event that sends to `path` of the receiver; `changes` replace its fields.
    pub(crate) async fn subscribe(&self, path: &str, changes: Value) -> Value {
        self.api.subscribe(&subscription(&self.receiver.url(path), changes)).await
    }
}

impl Drop for Journey {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the server wrote:\n{}", self.server.output());
        }
    }
}

async fn new_tenant(server: &Arc<Server>) -> (String, Api) {
    let tenant = format!("journey-{}", uuid::Uuid::new_v4().simple());
    let operator = Api::new(server, Some(server.operator_key()));
    let key = json!({"name": "journey", "scopes": ALL_SCOPES, "tenant": tenant});
    let created = operator.post("/v1/keys", &key).await.expect_status(201).json();
    let api = operator.with_key(Some(text(&created["key"])));
    (tenant, api)
}
