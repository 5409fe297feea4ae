//! The change of a subscription as a JSON Merge Patch: which members it may name, and what it makes of the settings.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::authentication::{PatchedAuth, PatchedTls};
use super::flow_settings::PatchedFlow;
use super::operational::OperationalName;
use super::strict_object::{optional_object, optional_texts};
use super::subscription_draft::{Fire, SubscriptionDraft};
use super::subscription_view::SubscriptionView;
use super::values::Method;
use crate::api::request::caller::Caller;
use crate::api::request::{body, merge_patch};
use loanhook_core::model::subscription::{Subscription, SubscriptionInput};
use loanhook_core::model::validation::ValidationErrors;

/// The members that a patch may name: what is not named stays, null gives the default again, an array is replaced whole.
/// The result keeps the rules of a replacement.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SubscriptionPatch)]
#[expect(
    dead_code,
    reason = "it says which members there are; their values are checked in the patched settings"
)]
pub(in crate::api) struct PatchedMembers {
    // What reads show beside the settings may come back with them, and changes nothing.
    #[serde(default)]
    #[schema(value_type = Option<String>, read_only)]
    id: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<u64>, read_only)]
    version: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, read_only)]
    created_at: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, read_only)]
    updated_at: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, read_only)]
    updated_by: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<Object>, read_only)]
    hold: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<Object>, read_only)]
    formula_errors: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "name", example = "Core banking: payment posted")]
    title: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4096)]
    description: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    enabled: IgnoredAny,
    /// A change from one kind of criteria to another says null for those before: from names to a trigger `"events": null`, the
    /// other way round `"trigger": null, "fire": null`, from operational events `"operational": null`.
    #[serde(default, deserialize_with = "optional_object")]
    criteria: Option<PatchedCriteria>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 16384, example = "(= loan-status \"Open\")")]
    restriction: IgnoredAny,
    #[serde(default, deserialize_with = "optional_object")]
    request: Option<PatchedRequest>,
    /// A change to another form sets the members of the form before it to null, as in
    /// `{"delays": null, "interval": 60, "maxRetries": 3}`; null alone gives the default delays again.
    #[serde(default, deserialize_with = "optional_object")]
    retry: Option<PatchedRetry>,
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 30)]
    timeout_seconds: IgnoredAny,
    /// Null alone sets nothing of it any more.
    #[serde(default, deserialize_with = "optional_object")]
    flow: Option<PatchedFlow>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SubscriptionCriteriaPatch)]
#[expect(dead_code, reason = "as above")]
struct PatchedCriteria {
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["Payment Posted to Account"]))]
    events: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 16384, example = "(> status-days-past-due 30)")]
    trigger: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<Fire>)]
    fire: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<Vec<OperationalName>>)]
    operational: IgnoredAny,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SubscriptionRequestPatch)]
#[expect(dead_code, reason = "as above")]
struct PatchedRequest {
    #[serde(default)]
    #[schema(value_type = Option<Method>)]
    method: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 8192, example = "https://core.example.com/hooks/loans")]
    url: IgnoredAny,
    /// By name, in whatever case: a value sets a header, null removes it, one that is not named stays. Every value is given
    /// again where scheme, host or port of the URL change.
    #[serde(default, deserialize_with = "optional_texts")]
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    headers: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[!-~]([ -~]*[!-~])?$")]
    content_type: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    payload: IgnoredAny,
    #[serde(default, deserialize_with = "optional_object")]
    auth: Option<PatchedAuth>,
    #[serde(default, deserialize_with = "optional_object")]
    tls: Option<PatchedTls>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = RetryPatch)]
#[expect(dead_code, reason = "as above")]
struct PatchedRetry {
    #[serde(default)]
    #[schema(value_type = Option<Vec<u32>>, max_items = 24)]
    delays: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 604_800)]
    interval: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<u32>, maximum = 24)]
    max_retries: IgnoredAny,
    #[serde(default, deserialize_with = "optional_object")]
    exponential: Option<PatchedExponential>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ExponentialPatch)]
#[expect(dead_code, reason = "as above")]
struct PatchedExponential {
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 604_800)]
    base: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<f64>, minimum = 1, maximum = 10)]
    factor: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 604_800)]
    cap: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<u32>, maximum = 24)]
    max_retries: IgnoredAny,
    #[serde(default)]
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 1)]
    jitter: IgnoredAny,
}

/// The settings that a patch makes of a subscription, applied to what a read of it shows: `***` stands for the stored
/// values of headers.
///
/// # Errors
///
/// The result has not the shape of settings.
pub(in crate::api) fn patched(
    current: &Subscription,
    patch: &Value,
    caller: &Caller,
) -> Result<SubscriptionInput, ValidationErrors> {
    let shown = serde_json::to_value(SubscriptionView::new(current, None, caller));
    let mut document = shown.map_err(|error| ValidationErrors::one("", error.to_string()))?;
    if let (Some(Value::Object(stored)), Some(Value::Object(named))) =
        (document.pointer_mut("/request/headers"), patch.pointer("/request/headers"))
    {
        take_over_case(stored, named);
    }
    merge_patch::apply(&mut document, patch);
    let draft: SubscriptionDraft = body::parse_object(&document.to_string())?;
    Ok(draft.into())
}

/// Gives stored headers the case in which a patch names them: a header's name is the same in any case.
fn take_over_case(stored: &mut Map<String, Value>, named: &Map<String, Value>) {
    for name in named.keys() {
        let known = stored.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
        if let Some(value) = known.and_then(|known| stored.remove(&known)) {
            stored.insert(name.clone(), value);
        }
    }
}
