//! A subscription as the API shows it: header values hidden, its secret only where it is new.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::api::request::caller::Caller;
use crate::api::schema::authentication_view::{AuthView, TlsView};
use crate::api::schema::flow_settings::FlowView;
use crate::api::schema::formula_errors::FormulaErrors;
use crate::api::schema::id::{SubscriptionId, Timestamp};
use crate::api::schema::operational::OperationalName;
use crate::api::schema::retry_policy::RetryPolicy;
use crate::api::schema::subscription_draft::Fire;
use crate::api::schema::values::Method;
use crate::api::schema::waiting::Hold;
use loanhook_core::holds::ShownHold;
use loanhook_core::model::destination::{HIDDEN, shown};
use loanhook_core::model::formula_errors;
use loanhook_core::model::subscription::{Criteria, Subscription};

/// A subscription. Header values are hidden.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Subscription)]
pub(in crate::api) struct SubscriptionView {
    id: SubscriptionId,
    title: String,
    description: String,
    enabled: bool,
    criteria: CriteriaView,
    #[schema(required)]
    restriction: Option<String>,
    request: RequestView,
    retry: RetryPolicy,
    timeout_seconds: u32,
    flow: FlowView,
    /// While its deliveries wait for a hold; else null.
    #[schema(required)]
    hold: Option<Hold>,
    version: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// The name of the key, or of the viewer of a page, that made this version; null of one that an earlier loanhook stored.
    #[schema(required)]
    updated_by: Option<String>,
    /// Of one subscription by itself: the events that a formula of it failed on; null where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<FormulaErrors>, required = false)]
    formula_errors: Option<Nullable<FormulaErrors>>,
    /// On create and rotate only: keep it, it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_secret: Option<String>,
}

/// A field that is there, whether it has a value or is null.
#[derive(Serialize)]
#[serde(transparent)]
struct Nullable<T>(Option<T>);

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Criteria)]
struct CriteriaView {
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fire: Option<Fire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operational: Option<Vec<OperationalName>>,
}

impl From<Criteria> for CriteriaView {
    fn from(criteria: Criteria) -> Self {
        let none = Self { events: None, trigger: None, fire: None, operational: None };
        match criteria {
            Criteria::Events(events) => Self { events: Some(events), ..none },
            Criteria::Trigger { trigger, fire, .. } => {
                Self { trigger: Some(trigger), fire: Some(fire.into()), ..none }
            }
            Criteria::Operational(kinds) => {
                Self { operational: Some(kinds.into_iter().map(Into::into).collect()), ..none }
            }
        }
    }
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Request)]
struct RequestView {
    method: Method,
    /// The values of its query are `***` but for a caller that may write subscriptions.
    url: String,
    /// Names, and `***` for each value.
    headers: BTreeMap<String, &'static str>,
    content_type: String,
    #[schema(required)]
    payload: Option<String>,
    #[schema(required)]
    auth: Option<AuthView>,
    #[schema(required)]
    tls: Option<TlsView>,
}

impl SubscriptionView {
    pub(in crate::api) fn new(subscription: &Subscription, hold: Option<ShownHold>, to: &Caller) -> Self {
        let settings = &subscription.settings;
        Self {
            id: subscription.id.into(),
            title: settings.title.clone(),
            description: settings.description.clone(),
            enabled: settings.enabled,
            criteria: settings.criteria.clone().into(),
            restriction: settings.restriction.clone(),
            request: RequestView {
                method: settings.request.method.into(),
                url: shown(settings.request.url.clone(), to.sees_whole_urls()),
                headers: settings.request.headers.keys().map(|name| (name.clone(), HIDDEN)).collect(),
                content_type: settings.request.content_type.clone(),
                payload: settings.request.payload.clone(),
                auth: settings.request.auth.as_ref().map(|auth| AuthView::new(auth, to.sees_whole_urls())),
                tls: settings.request.tls.as_ref().map(TlsView::from),
            },
            retry: settings.retry.clone().into(),
            timeout_seconds: settings.timeout_seconds,
            flow: settings.flow.into(),
            hold: hold.map(Into::into),
            version: subscription.version,
            created_at: subscription.created_at.into(),
            updated_at: subscription.updated_at.into(),
            updated_by: subscription.updated_by.clone(),
            formula_errors: None,
            signing_secret: None,
        }
    }

    /// The same, with the signing secret.
    pub(in crate::api) fn with_secret(self, subscription: &Subscription) -> Self {
        Self { signing_secret: Some(subscription.secrets.current().expose().to_owned()), ..self }
    }

    /// The same, with what became of its formulas.
    pub(in crate::api) fn with_formula_errors(self, errors: Option<formula_errors::FormulaErrors>) -> Self {
        Self { formula_errors: Some(Nullable(errors.map(Into::into))), ..self }
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct SubscriptionList {
    pub(in crate::api) items: Vec<SubscriptionView>,
    #[schema(required)]
    pub(in crate::api) next: Option<String>,
}
