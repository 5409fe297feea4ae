//! The settings of one webhook.

mod draft;
mod headers;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use draft::SubscriptionDraft;
pub use headers::HIDDEN;

use super::event::Event;
use super::id::{SubscriptionId, TenantId};
use super::retry::RetryPolicy;
use super::secret::Secrets;
use super::time::Timestamp;

/// The most subscriptions a tenant can have.
pub const MAX_SUBSCRIPTIONS: usize = 200;

/// One webhook of a tenant, in one version of its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    pub id: SubscriptionId,
    pub tenant: TenantId,
    /// 1 for the first; every change makes a new one.
    pub version: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub settings: Settings,
    pub secrets: Secrets,
}

/// What the author of a subscription sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The name a servicer knows the webhook by; the event title of its rows.
    pub title: String,
    pub description: String,
    pub enabled: bool,
    pub criteria: Criteria,
    pub request: Request,
    pub retry: RetryPolicy,
    /// 1 to 30, over the whole request.
    pub timeout_seconds: u32,
}

/// Which events a subscription is for. Triggers, formulas over the loan's variables, will be a second kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Criteria {
    /// Names of events; `*` is all.
    Events(Vec<String>),
}

/// The request that a matched event becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub method: Method,
    pub url: String,
    /// Header names and values. Values are secrets: they are shown to nobody.
    pub headers: BTreeMap<String, String>,
    pub content_type: String,
}

/// The methods of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether a request without a payload template carries the event as its body.
    pub const fn carries_event(self) -> bool {
        !matches!(self, Self::Get | Self::Delete)
    }
}

impl Subscription {
    /// Whether this event fires it.
    pub fn matches(&self, event: &Event) -> bool {
        let Criteria::Events(names) = &self.settings.criteria;
        self.settings.enabled && names.iter().any(|name| name == "*" || *name == event.name)
    }
}
