//! The settings of a subscription as its author gives them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::authentication::{AuthDraft, TlsDraft};
use super::enums_of_model;
use super::flow_settings::FlowDraft;
use super::operational::OperationalName;
use super::retry_policy::RetryDraft;
use super::strict_object::{object, optional_object, texts};
use super::values::Method;
use loanhook_core::model::subscription as model;

/// The settings of a webhook; what may be left out has its default.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SubscriptionSettings)]
pub(in crate::api) struct SubscriptionDraft {
    // What reads show beside the settings may come back with them, and changes nothing.
    #[serde(default, rename = "id")]
    #[schema(value_type = Option<String>, read_only)]
    _id: IgnoredAny,
    #[serde(default, rename = "version")]
    #[schema(value_type = Option<u64>, read_only)]
    _version: IgnoredAny,
    #[serde(default, rename = "createdAt")]
    #[schema(value_type = Option<String>, read_only)]
    _created_at: IgnoredAny,
    #[serde(default, rename = "updatedAt")]
    #[schema(value_type = Option<String>, read_only)]
    _updated_at: IgnoredAny,
    #[serde(default, rename = "updatedBy")]
    #[schema(value_type = Option<String>, read_only)]
    _updated_by: IgnoredAny,
    #[serde(default, rename = "hold")]
    #[schema(value_type = Option<Object>, read_only)]
    _hold: IgnoredAny,
    #[serde(default, rename = "formulaErrors")]
    #[schema(value_type = Option<Object>, read_only)]
    _formula_errors: IgnoredAny,
    #[schema(pattern = "name", example = "Core banking: payment posted")]
    title: String,
    #[serde(default)]
    #[schema(max_length = 4096)]
    description: String,
    #[serde(default = "enabled")]
    enabled: bool,
    #[serde(deserialize_with = "object")]
    criteria: CriteriaDraft,
    /// A formula that must also be true.
    #[serde(default)]
    #[schema(max_length = 16384, example = "(= loan-status \"Open\")")]
    restriction: Option<String>,
    #[serde(deserialize_with = "object")]
    request: RequestDraft,
    /// When to try again after a failure; by default after 5 min, 30 min, 2 h, 5 h, 10 h and 10 h.
    #[serde(default, deserialize_with = "optional_object")]
    retry: Option<RetryDraft>,
    /// Seconds for the whole request.
    #[serde(default = "timeout_seconds")]
    #[schema(minimum = 1, maximum = 30)]
    timeout_seconds: u32,
    /// Limits, order and automatic hold; by default there is none.
    #[serde(default, deserialize_with = "optional_object")]
    flow: Option<FlowDraft>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SubscriptionCriteria)]
struct CriteriaDraft {
    /// Names of events; `*` is all.
    #[serde(default)]
    #[schema(example = json!(["Payment Posted to Account"]))]
    events: Option<Vec<String>>,
    /// A formula over the loan's variables, instead of names of events.
    #[serde(default)]
    #[schema(max_length = 16384, example = "(> status-days-past-due 30)")]
    trigger: Option<String>,
    /// When a trigger fires: when it becomes true for a loan, unless told otherwise.
    #[serde(default)]
    fire: Option<Fire>,
    /// Names of operational events, of loanhook itself, instead of events of loans.
    #[serde(default)]
    #[schema(value_type = Option<Vec<OperationalName>>, min_items = 1)]
    operational: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SubscriptionRequest)]
struct RequestDraft {
    #[serde(default = "method")]
    method: Method,
    #[schema(max_length = 8192, example = "https://core.example.com/hooks/loans")]
    url: String,
    /// Values are write-only: reads show `***`, which in a PUT keeps the stored value as long as scheme, host and port
    /// of the URL stay the same. A value with placeholders is rendered for each event; all others are credentials: each request
    /// has those that are set when it leaves, a retry and a resend too.
    #[serde(default, deserialize_with = "texts")]
    headers: BTreeMap<String, String>,
    #[serde(default = "content_type")]
    #[schema(pattern = "^[!-~]([ -~]*[!-~])?$")]
    content_type: String,
    /// A template of the body; without one it is the event's name and its context.
    #[serde(default)]
    #[schema(example = "{\"loan\": \"[[v('loan-id')]]\", \"amount\": [[v('last-payment-amount')]]}")]
    payload: Option<String>,
    /// How a request says who we are, beside its headers.
    #[serde(default, deserialize_with = "optional_object")]
    auth: Option<AuthDraft>,
    #[serde(default, deserialize_with = "optional_object")]
    tls: Option<TlsDraft>,
}

enums_of_model! {
    /// When a trigger fires.
    #[serde(rename_all = "kebab-case")]
    #[derive(Deserialize)]
    Fire from model::Fire {
        OnChange,
        EveryMatch,
    }
}

fn enabled() -> bool {
    true
}

fn timeout_seconds() -> u32 {
    model::DEFAULT_TIMEOUT_SECONDS
}

fn method() -> Method {
    Method::Post
}

fn content_type() -> String {
    model::DEFAULT_CONTENT_TYPE.into()
}

impl From<SubscriptionDraft> for model::SubscriptionInput {
    fn from(draft: SubscriptionDraft) -> Self {
        Self {
            title: draft.title,
            description: draft.description,
            enabled: draft.enabled,
            criteria: draft.criteria.into(),
            restriction: draft.restriction,
            request: draft.request.into(),
            retry: draft.retry.map(Into::into),
            timeout_seconds: draft.timeout_seconds,
            flow: draft.flow.unwrap_or_default().into(),
        }
    }
}

impl From<CriteriaDraft> for model::CriteriaInput {
    fn from(draft: CriteriaDraft) -> Self {
        let CriteriaDraft { events, trigger, fire, operational } = draft;
        Self { events, trigger, fire: fire.map(Into::into), operational }
    }
}

impl From<RequestDraft> for model::RequestInput {
    fn from(draft: RequestDraft) -> Self {
        let RequestDraft { method, url, headers, content_type, payload, auth, tls } = draft;
        let (auth, tls) = (auth.map(Into::into), tls.map(Into::into));
        Self { method: method.into(), url, headers, content_type, payload, auth, tls }
    }
}

impl From<Fire> for model::Fire {
    fn from(fire: Fire) -> Self {
        match fire {
            Fire::OnChange => Self::OnChange,
            Fire::EveryMatch => Self::EveryMatch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loanhook_core::model::retry::RetryPolicy;

    #[test]
    fn a_setting_that_is_left_out_has_its_default() {
        let draft = r#"{
            "title": "Core banking",
            "criteria": {"events": ["*"]},
            "request": {"url": "https://core.example.com/hooks"}
        }"#;
        let draft: SubscriptionDraft = serde_json::from_str(draft).expect("a draft");
        let settings = model::SubscriptionInput::from(draft).check(None).expect("good settings");
        assert!(settings.enabled);
        assert_eq!(settings.request.method, model::Method::Post);
        assert_eq!(settings.request.content_type, "application/json");
        assert_eq!(settings.retry, RetryPolicy::default());
        assert_eq!(settings.timeout_seconds, 15);
        assert!(settings.flow.is_default());
    }
}
