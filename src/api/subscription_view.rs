//! A subscription as the API shows it: header values hidden, its secret only where it is new.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::id::SubscriptionId;
use crate::model::retry::RetryPolicy;
use crate::model::subscription::{Criteria, HIDDEN, Method, Subscription};
use crate::model::time::Timestamp;

/// A subscription. Header values are hidden.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Subscription)]
pub(super) struct SubscriptionView {
    pub(super) id: SubscriptionId,
    title: String,
    description: String,
    enabled: bool,
    criteria: CriteriaView,
    #[schema(required)]
    restriction: Option<String>,
    request: RequestView,
    retry: RetryPolicy,
    timeout_seconds: u32,
    version: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// On create and rotate only: keep it, it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_secret: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Criteria)]
struct CriteriaView {
    events: Vec<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Request)]
struct RequestView {
    method: Method,
    url: String,
    /// Names, and `***` for each value.
    headers: BTreeMap<String, &'static str>,
    content_type: String,
    #[schema(required)]
    payload: Option<String>,
}

impl SubscriptionView {
    pub(super) fn new(subscription: &Subscription, with_secret: bool) -> Self {
        let settings = &subscription.settings;
        let Criteria::Events(events) = settings.criteria.clone();
        Self {
            id: subscription.id,
            title: settings.title.clone(),
            description: settings.description.clone(),
            enabled: settings.enabled,
            criteria: CriteriaView { events },
            restriction: None,
            request: RequestView {
                method: settings.request.method,
                url: settings.request.url.clone(),
                headers: settings.request.headers.keys().map(|name| (name.clone(), HIDDEN)).collect(),
                content_type: settings.request.content_type.clone(),
                payload: None,
            },
            retry: settings.retry.clone(),
            timeout_seconds: settings.timeout_seconds,
            version: subscription.version,
            created_at: subscription.created_at,
            updated_at: subscription.updated_at,
            signing_secret: with_secret.then(|| subscription.secrets.current().expose().to_owned()),
        }
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SubscriptionList {
    pub(super) items: Vec<SubscriptionView>,
    #[schema(required)]
    pub(super) next: Option<String>,
}
