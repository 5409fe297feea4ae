//! One journey: a tenant of its own on a server, and a receiver.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::api::Api;
use super::receiver::Receiver;
use super::request_bodies::subscription;
use super::rows::text;
use super::server::Target;

pub(crate) const ALL_SCOPES: [&str; 6] =
    ["events:write", "history:read", "webhooks:resend", "subscriptions:write", "portal:write", "admin"];

/// The senders of a deployed stack, all of which serve one queue: a journey that keeps them all busy would hold up the
/// others, so it waits for these to end, and they for it.
static SENDERS: RwLock<()> = RwLock::const_new(());

enum Senders {
    Shared { _guard: RwLockReadGuard<'static, ()> },
    Mine { _guard: RwLockWriteGuard<'static, ()> },
}

pub(crate) struct Journey {
    pub(crate) target: Arc<Target>,
    /// A caller with every scope in the journey's tenant, and no other.
    pub(crate) api: Api,
    pub(crate) tenant: String,
    pub(crate) receiver: Receiver,
    senders: Option<Senders>,
}

impl Journey {
    /// On the server that journeys share.
    pub(crate) async fn begin() -> Self {
        let senders = Senders::Shared { _guard: SENDERS.read().await };
        Self::with(Target::shared().await, Some(senders)).await
    }

    /// The same for one that keeps every sender busy, until it gives them back.
    pub(crate) async fn taking_all_senders() -> Self {
        let target = Target::shared().await;
        if !target.is_external() {
            // There no receiver can keep more than its own share of them.
            return Self::on(target).await;
        }
        let senders = Senders::Mine { _guard: SENDERS.write().await };
        Self::with(target, Some(senders)).await
    }

    pub(crate) fn give_senders_back(&mut self) {
        drop(self.senders.take());
    }

    /// On a process of its own; none where the server under test is an external one.
    pub(crate) async fn alone() -> Option<Self> {
        Some(Self::on(Target::process().await?).await)
    }

    pub(crate) async fn on(target: Arc<Target>) -> Self {
        Self::with(target, None).await
    }

    async fn with(target: Arc<Target>, senders: Option<Senders>) -> Self {
        let (tenant, api) = new_tenant(&target).await;
        Self { target, api, tenant, receiver: Receiver::start().await, senders }
    }

    pub(crate) fn operator(&self) -> Api {
        self.api.with_key(Some(self.target.operator_key()))
    }

    /// Another tenant on the same server.
    pub(crate) async fn stranger(&self) -> Api {
        new_tenant(&self.target).await.1
    }

    /// A subscription to every event that posts to `path` of the receiver, changed as told.
    pub(crate) async fn subscribe(&self, path: &str, changes: Value) -> Value {
        self.api.subscribe(&subscription(&self.receiver.url(path), changes)).await
    }
}

impl Drop for Journey {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the server said:\n{}", self.target.said());
        }
    }
}

async fn new_tenant(target: &Arc<Target>) -> (String, Api) {
    let tenant = format!("journey-{}", uuid::Uuid::new_v4().simple());
    let operator = Api::new(target, Some(target.operator_key()));
    let asked = json!({"name": "journey", "scopes": ALL_SCOPES, "tenant": tenant});
    let made = operator.post("/v1/keys", &asked).await.is(201).json();
    let api = operator.with_key(Some(text(&made["key"])));
    (tenant, api)
}
