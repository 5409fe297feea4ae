//! Query of an explanation: the subscription, and which version of it.

use serde::Deserialize;
use utoipa::IntoParams;

use loanhook_core::model::filter_input::checked;
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::validation::ValidationErrors;
use loanhook_core::stored_event::ExplainedVersion;

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ExplainQuery {
    #[param(required = true, value_type = String, format = "uuid")]
    subscription_id: Option<String>,
    /// The version that decided (`then`, which is meant where nothing is said), or the one of today (`now`).
    #[param(pattern = "^(then|now)$")]
    version: Option<String>,
}

impl ExplainQuery {
    pub(in crate::api) fn check(self) -> Result<(SubscriptionId, ExplainedVersion), ValidationErrors> {
        let mut errors = ValidationErrors::default();
        let id = self.subscription_id.or_else(|| Some(String::new()));
        let id = checked(
            &mut errors,
            "subscriptionId",
            id,
            |text| text.parse().ok(),
            "must be the UUID of a subscription",
        );
        let version = |text: &str| match text {
            "then" => Some(ExplainedVersion::Then),
            "now" => Some(ExplainedVersion::Now),
            _ => None,
        };
        let version = checked(&mut errors, "version", self.version, version, "must be then or now");
        match id {
            Some(id) => errors.ok_or_errors((id, version.unwrap_or(ExplainedVersion::Then))),
            None => Err(errors),
        }
    }
}
